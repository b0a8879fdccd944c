// SPDX-License-Identifier: Apache-2.0
package dev.millrace.layers.store;

import java.time.Duration;

/**
 * How long reads of a layer hold back after its downloads have failed: 2.5^n s after the nth failure in a row, at most
 * 60 s, of which at least half, the rest by chance. Not thread-safe.
 */
final class BackOff {
    private static final double BASE = 2.5;
    private static final double MOST_SECONDS = 60;

    private final StoreFailure cause;
    private final int failures;
    private final long untilNanos;

    private BackOff(StoreFailure cause, int failures, long untilNanos) {
        this.cause = cause;
        this.failures = failures;
        this.untilNanos = untilNanos;
    }

    /** After a first failure. */
    static BackOff first(StoreFailure cause, long nowNanos, double random) {
        return after(0, cause, nowNanos, random);
    }

    /** After one more. */
    BackOff next(StoreFailure newCause, long nowNanos, double random) {
        return after(failures, newCause, nowNanos, random);
    }

    private static BackOff after(int before, StoreFailure cause, long nowNanos, double random) {
        int failures = before == Integer.MAX_VALUE ? before : before + 1;
        double most = Math.min(MOST_SECONDS, Math.pow(BASE, failures));
        return new BackOff(cause, failures, nowNanos + (long) (most * (0.5 + 0.5 * random) * 1e9));
    }

    /** How long reads still hold back; zero or less: no longer. */
    Duration timeLeft(long nowNanos) {
        return Duration.ofNanos(untilNanos - nowNanos);
    }

    StoreFailure cause() {
        return cause;
    }
}
