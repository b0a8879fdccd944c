// SPDX-License-Identifier: Apache-2.0
package dev.millrace.transfer;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

final class PermitsTest {
    private final List<String> served = new ArrayList<>();

    private Runnable serve(String name) {
        return () -> served.add(name);
    }

    @Test
    void shouldServeOnDemandFirstAndEachKindInOrder() {
        Permits permits = new Permits(1);
        permits.acquire(false, serve("first"));
        permits.acquire(false, serve("bulk 1"));
        permits.acquire(false, serve("bulk 2"));
        permits.acquire(true, serve("urgent 1"));
        permits.acquire(true, serve("urgent 2"));
        for (int i = 0; i < 4; i++) {
            permits.release();
        }
        assertThat(served).containsExactly("first", "urgent 1", "urgent 2", "bulk 1", "bulk 2");
        permits.release();
        assertThat(permits.available()).isEqualTo(1);
    }

    @Test
    void shouldLetThoseLeaveThatNoLongerWait() {
        Permits permits = new Permits(1);
        permits.acquire(false, serve("first"));
        Permits.Place second = permits.acquire(false, serve("second"));
        permits.acquire(false, serve("third"));
        assertThat(second.leave()).isTrue();
        assertThat(second.leave()).isFalse();
        permits.release();
        assertThat(served).containsExactly("first", "third");
    }
}
