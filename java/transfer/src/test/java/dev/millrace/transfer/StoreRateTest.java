// SPDX-License-Identifier: Apache-2.0
package dev.millrace.transfer;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.Optional;
import org.junit.jupiter.api.Test;

final class StoreRateTest {
    /** A clock that stands still until it is told to go on. */
    private static final class Clock implements Timing {
        private long now = 1_000_000_000L;

        @Override
        public long nanoTime() {
            return now;
        }

        @Override
        public double random() {
            return 0.5;
        }

        @Override
        public Alarm after(Duration delay, Runnable action) {
            throw new UnsupportedOperationException();
        }

        @Override
        public Alarm every(Duration period, Runnable action) {
            throw new UnsupportedOperationException();
        }

        @Override
        public void close() {}
    }

    private final Clock clock = new Clock();
    private final StoreRate rate = new StoreRate(clock);

    @Test
    void shouldBeFreeUntilTheStoreComplains() {
        for (int i = 0; i < 10_000; i++) {
            assertThat(rate.takeTurn()).isZero();
        }
        assertThat(rate.perSecond()).isInfinite();
    }

    @Test
    void shouldSlowEveryoneDownTogetherAndRecover() {
        for (int i = 0; i < 100; i++) {
            clock.now += 20_000_000;
            rate.takeTurn();
        }
        rate.complained(Optional.empty());
        assertThat(rate.perSecond()).isBetween(25.0, 40.0);
        long first = rate.takeTurn();
        long second = rate.takeTurn();
        assertThat(second - first).isBetween(25_000_000L, 40_000_000L);
        rate.complained(Optional.empty());
        assertThat(rate.perSecond()).as("complaints about one flood cut once").isBetween(25.0, 40.0);
        clock.now += 1_000_000_000L;
        rate.complained(Optional.empty());
        assertThat(rate.perSecond()).isLessThan(28);
        for (int i = 0; i < 1000; i++) {
            rate.answered();
        }
        assertThat(rate.perSecond()).isInfinite();
    }

    @Test
    void shouldHoldEveryoneBackAsLongAsTheStoreAsks() {
        rate.complained(Optional.of(Duration.ofSeconds(7)));
        assertThat(rate.takeTurn()).isGreaterThanOrEqualTo(7_000_000_000L);
        rate.complained(Optional.of(Duration.ofDays(1)));
        assertThat(rate.takeTurn()).isLessThan(StoreRate.LONGEST_WAIT.toNanos() + 10_000_000_000L);
    }
}
