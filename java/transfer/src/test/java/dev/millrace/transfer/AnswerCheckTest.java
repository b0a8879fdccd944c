// SPDX-License-Identifier: Apache-2.0
package dev.millrace.transfer;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;

final class AnswerCheckTest {
    private static ObjectHead head(int status, long length, String contentRange) {
        return new ObjectHead(
                status,
                length < 0 ? OptionalLong.empty() : OptionalLong.of(length),
                length < 0,
                contentRange.isEmpty() ? Optional.empty() : Optional.of(contentRange),
                Optional.of("\"a\""),
                Map.of(),
                Optional.empty(),
                Optional.empty(),
                Optional.empty(),
                Optional.empty(),
                Optional.empty());
    }

    private static AnswerCheck check(ObjectHead head, Optional<ByteRange> wanted, long kept, OptionalLong length) {
        return AnswerCheck.of(head, wanted, kept, Optional.of("\"a\""), length);
    }

    private static final Optional<ByteRange> ALL = Optional.empty();
    private static final OptionalLong UNKNOWN = OptionalLong.empty();

    @Test
    void shouldTakeAWholeAnswer() {
        AnswerCheck check = check(head(200, 100, ""), ALL, 0, OptionalLong.of(100));
        assertThat(check.problem()).isEmpty();
        assertThat(check.skip()).isZero();
        assertThat(check.whole()).hasValue(100);
    }

    @Test
    void shouldPassOverWhatIsHereInAWholeAnswerToARange() {
        AnswerCheck check = check(head(200, 100, ""), ALL, 30, OptionalLong.of(100));
        assertThat(check.skip()).isEqualTo(30);
        assertThat(check.take()).hasValue(70);
        check = check(head(200, 100, ""), Optional.of(ByteRange.of(10, 59)), 5, OptionalLong.of(50));
        assertThat(check.problem()).isEmpty();
        assertThat(check.skip()).isEqualTo(15);
        assertThat(check.take()).hasValue(45);
        assertThat(check.whole()).hasValue(50);
    }

    @Test
    void shouldTakeTheRestAsAsked() {
        AnswerCheck check = check(head(206, 70, "bytes 30-99/100"), ALL, 30, OptionalLong.of(100));
        assertThat(check.problem()).isEmpty();
        assertThat(check.skip()).isZero();
        assertThat(check.whole()).hasValue(100);
    }

    @Test
    void shouldRefuseAnotherStartEndOrTotal() {
        for (String range : new String[] {
            "bytes 29-99/100",
            "bytes 31-99/100",
            "bytes 30-98/100",
            "bytes 0-69/70",
            "bytes 30-99/101",
            "",
            "items 30-99/100",
            "bytes 30-100/100",
            "bytes 99-30/100",
            "bytes 30-99999999999999999999/100"
        }) {
            assertThat(check(head(206, 70, range), ALL, 30, OptionalLong.of(100))
                            .problem())
                    .as(range)
                    .isPresent();
        }
        assertThat(check(head(206, 69, "bytes 30-99/100"), ALL, 30, OptionalLong.of(100))
                        .problem())
                .isPresent();
        assertThat(check(head(206, 50, "bytes 30-79/80"), ALL, 30, OptionalLong.of(100))
                        .problem())
                .as("another total")
                .hasValueSatisfying(
                        problem -> assertThat(problem).contains("80").contains("100"));
        assertThat(check(head(200, 20, ""), ALL, 30, UNKNOWN).problem()).isPresent();
        assertThat(check(head(204, 0, ""), ALL, 0, UNKNOWN).problem()).isPresent();
    }

    @Test
    void shouldTakeARangeThatTheObjectsEndCutsShort() {
        AnswerCheck check = check(head(206, 10, "bytes 90-99/100"), Optional.of(ByteRange.of(90, 199)), 0, UNKNOWN);
        assertThat(check.problem()).isEmpty();
        assertThat(check.whole()).hasValue(10);
    }

    @Test
    void shouldSeeAnotherObject() {
        AnswerCheck check = AnswerCheck.of(head(200, 100, ""), ALL, 0, Optional.of("\"b\""), OptionalLong.of(100));
        assertThat(check.changed()).isTrue();
        assertThat(check.problem())
                .hasValueSatisfying(
                        problem -> assertThat(problem).contains("\"a\"").contains("\"b\""));
    }
}
