// SPDX-License-Identifier: Apache-2.0
package dev.millrace.layers.store;

import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.LongAdder;

/** How soon layers that were evicted are read again: what was evicted too early. Thread-safe. */
final class Redownloads {

    private static final List<Duration> BOUNDS = List.of(
            Duration.ofMinutes(1),
            Duration.ofMinutes(10),
            Duration.ofHours(1),
            Duration.ofHours(24),
            StoreMetrics.EVER);

    private final Map<Duration, LongAdder> counts = new LinkedHashMap<>();

    Redownloads() {
        BOUNDS.forEach(bound -> counts.put(bound, new LongAdder()));
    }

    void count(Duration sinceEviction) {
        for (Duration bound : BOUNDS) {
            if (sinceEviction.compareTo(bound) <= 0) {
                counts.get(bound).increment();
                return;
            }
        }
    }

    Map<Duration, Long> snapshot() {
        Map<Duration, Long> copy = new LinkedHashMap<>();
        counts.forEach((bound, count) -> copy.put(bound, count.sum()));
        return copy;
    }
}
