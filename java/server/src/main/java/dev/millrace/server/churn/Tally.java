// SPDX-License-Identifier: Apache-2.0
package dev.millrace.server.churn;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.HdrHistogram.Histogram;

/** What a run has done so far. Thread-safe. */
final class Tally {
    private static final long LONGEST_MICROS = TimeUnit.HOURS.toMicros(1);
    /** Digits of a latency that are right. */
    private static final int DIGITS = 3;

    private final Histogram downloadMicros = new Histogram(LONGEST_MICROS, DIGITS);
    private final Histogram evictionMicros = new Histogram(LONGEST_MICROS, DIGITS);
    private long downloadedBytes;
    private long restarts;

    /**
     * Counts at a moment.
     *
     * @param downloads that brought a layer
     * @param bytes of these layers
     * @param evictions that took a file away
     * @param restarts layer maps fetched again because someone else was first
     */
    record Counts(long downloads, long bytes, long evictions, long restarts) {}

    synchronized void downloaded(long bytes, long nanos) {
        downloadedBytes += bytes;
        record(downloadMicros, nanos);
    }

    synchronized void evicted(long nanos) {
        record(evictionMicros, nanos);
    }

    synchronized void restarted() {
        restarts++;
    }

    private static void record(Histogram histogram, long nanos) {
        histogram.recordValue(Math.min(LONGEST_MICROS, Math.max(0, TimeUnit.NANOSECONDS.toMicros(nanos))));
    }

    synchronized Counts counts() {
        return new Counts(downloadMicros.getTotalCount(), downloadedBytes, evictionMicros.getTotalCount(), restarts);
    }

    synchronized Map<String, Double> downloadMillis() {
        return millis(downloadMicros);
    }

    synchronized Map<String, Double> evictionMillis() {
        return millis(evictionMicros);
    }

    /** Milliseconds by percentile; empty where there was none. */
    private static Map<String, Double> millis(Histogram histogram) {
        Map<String, Double> percentiles = new LinkedHashMap<>();
        if (histogram.getTotalCount() > 0) {
            for (String percentile : new String[] {"50", "90", "99", "99.9"}) {
                percentiles.put(
                        "p" + percentile, histogram.getValueAtPercentile(Double.parseDouble(percentile)) / 1000.0);
            }
            percentiles.put("max", histogram.getMaxValue() / 1000.0);
        }
        return percentiles;
    }
}
