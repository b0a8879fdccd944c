// SPDX-License-Identifier: Apache-2.0
package dev.millrace.transfer;

import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.locks.ReentrantLock;

/**
 * How fast one store may be asked, by all downloads together. Free until the store complains ({@code SlowDown}, 503,
 * 429); then the rate that was measured is cut to seven tenths at each complaint, and grows again with each answer that
 * is none, until it is well above the rate at which the store complained. A store's Retry-After holds back everyone.
 * Thread-safe.
 */
final class StoreRate {
    private static final double CUT = 0.7;
    private static final double LEAST = 0.5;
    private static final double GROWTH = 0.2;
    private static final double FREE_ABOVE = 2.0;
    /** Complaints within this time are answers to the same flood and cut once. */
    private static final long ONE_COMPLAINT = Duration.ofMillis(500).toNanos();

    private static final long MEASURED_OVER = Duration.ofSeconds(1).toNanos();
    /** A store that asks for more than this is asked again after this: a wrong header must not stop a fleet for a day. */
    static final Duration LONGEST_WAIT = Duration.ofMinutes(5);

    private final ReentrantLock lock = new ReentrantLock();
    private final Timing timing;
    private boolean limited;
    private double perSecond;
    private double complainedAt;
    private long lastCut;
    private long nextAt;
    private long notBefore;
    private long windowStart;
    private long windowCount;
    private double measured;

    StoreRate(Timing timing) {
        this.timing = timing;
        long now = timing.nanoTime();
        nextAt = now;
        notBefore = now;
        windowStart = now;
        lastCut = now - ONE_COMPLAINT;
    }

    /** Takes the next turn; how long to wait for it, in nanoseconds. */
    long takeTurn() {
        lock.lock();
        try {
            long now = timing.nanoTime();
            measure(now);
            long at = now;
            if (notBefore - at > 0) {
                at = notBefore;
            }
            if (limited) {
                if (nextAt - at > 0) {
                    at = nextAt;
                }
                nextAt = at + (long) (1e9 / perSecond);
            }
            return at - now;
        } finally {
            lock.unlock();
        }
    }

    private void measure(long now) {
        windowCount++;
        long span = now - windowStart;
        if (span >= MEASURED_OVER) {
            measured = windowCount * 1e9 / span;
            windowCount = 0;
            windowStart = now;
        }
    }

    /** The store has asked for less. */
    void complained(Optional<Duration> retryAfter) {
        lock.lock();
        try {
            long now = timing.nanoTime();
            if (retryAfter.isPresent()) {
                Duration wait = retryAfter.get().compareTo(LONGEST_WAIT) > 0 ? LONGEST_WAIT : retryAfter.get();
                if (now + wait.toNanos() - notBefore > 0) {
                    notBefore = now + wait.toNanos();
                }
            }
            if (limited && now - lastCut < ONE_COMPLAINT) {
                return;
            }
            lastCut = now;
            double before = limited ? perSecond : Math.max(measured, (double) windowCount);
            complainedAt = Math.max(before, 1);
            perSecond = Math.max(LEAST, complainedAt * CUT);
            limited = true;
        } finally {
            lock.unlock();
        }
    }

    /** The store has answered without complaint. */
    void answered() {
        if (!limited) {
            return; // the usual case, without the lock: a stale look costs one step of growth
        }
        lock.lock();
        try {
            perSecond += GROWTH;
            if (perSecond > FREE_ABOVE * complainedAt) {
                limited = false;
            }
        } finally {
            lock.unlock();
        }
    }

    /** Requests a second that are allowed now; infinite where nothing limits. */
    double perSecond() {
        lock.lock();
        try {
            return limited ? perSecond : Double.POSITIVE_INFINITY;
        } finally {
            lock.unlock();
        }
    }
}
