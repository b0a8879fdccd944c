// SPDX-License-Identifier: Apache-2.0
package dev.millrace.transfer;

import java.time.Duration;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Cuts transfers that do not move: measured as a rate over a sliding window, so that a byte now and then does not keep a
 * dead one alive and a short pause does not kill a healthy one. One timer for all of them.
 */
final class Watchdog {
    /** Slices of the window; a dead transfer is cut at most one slice late. */
    static final int SLICES = 8;

    private final Set<Attempt> watched = ConcurrentHashMap.newKeySet();
    private final Timing timing;
    private final long firstByteNanos;
    private final long leastBytes;
    private final String windowText;
    private final Timing.Alarm alarm;

    Watchdog(Timing timing, DownloaderConfig config) {
        this.timing = timing;
        Duration window = config.noProgressTimeout();
        firstByteNanos = config.firstByteTimeout().toNanos();
        leastBytes = (long) (config.minBytesPerSecond() * (window.toNanos() / 1e9));
        windowText = window.toMillis() + " ms";
        Duration slice = window.dividedBy(SLICES);
        Duration first = config.firstByteTimeout().dividedBy(SLICES);
        Duration period = slice.compareTo(first) < 0 ? slice : first;
        // The window is counted in slices, so a shorter period would shorten it: ticks between slices only look at
        // heads.
        int every = (int) Math.max(1, slice.toNanos() / period.toNanos());
        int[] count = new int[1];
        alarm = timing.every(period, () -> tick(++count[0] % every == 0));
    }

    void watch(Attempt attempt) {
        watched.add(attempt);
    }

    void forget(Attempt attempt) {
        watched.remove(attempt);
    }

    private void tick(boolean slice) {
        long now = timing.nanoTime();
        for (Attempt attempt : watched) {
            if (slice || !attempt.headSeen()) {
                attempt.tick(now, firstByteNanos, leastBytes, windowText);
            }
        }
    }

    void close() {
        alarm.cancel();
    }
}
