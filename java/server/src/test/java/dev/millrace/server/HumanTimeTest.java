// SPDX-License-Identifier: Apache-2.0
package dev.millrace.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class HumanTimeTest {
    @ParameterizedTest
    @CsvSource({"30s,30000,30s", "5m,300000,5m", "1m 30s,90000,1m 30s", "1m30s,90000,1m 30s", "30s 12ms,30012,30s 12ms"
    })
    void readsAndWritesWhatPeopleWrite(String text, long millis, String written) {
        assertThat(HumanTime.parse(text)).isEqualTo(Duration.ofMillis(millis));
        assertThat(HumanTime.text(Duration.ofMillis(millis))).isEqualTo(written);
    }

    @Test
    void writesNothingThatIsZero() {
        assertThat(HumanTime.text(Duration.ZERO)).isEqualTo("0s");
        assertThat(HumanTime.text(Duration.ofHours(25).plusMillis(1))).isEqualTo("25h 1ms");
        assertThat(HumanTime.text(Duration.ofNanos(30_012_999_999L))).isEqualTo("30s 12ms");
    }

    @ParameterizedTest
    @ValueSource(strings = {"", " ", "30", "s", "-3s", "1.5s", "3d", "30s foo", "99999999999s", "30 s"})
    void refusesWhatIsNoLengthOfTime(String text) {
        assertThatThrownBy(() -> HumanTime.parse(text))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("'" + text + "' is no length of time");
        assertThat(HumanTime.read(text)).isEmpty();
    }
}
