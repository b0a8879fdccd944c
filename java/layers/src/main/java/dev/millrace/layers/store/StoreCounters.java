// SPDX-License-Identifier: Apache-2.0
package dev.millrace.layers.store;

import dev.millrace.layers.TaskKind;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.LongAdder;

/** Counters of a store; {@link StoreMetrics} says what each means. Thread-safe. */
final class StoreCounters {
    final LongAdder residentBytes = new LongAdder();
    final LongAdder residentLayers = new LongAdder();
    final LongAdder downloadedBytes = new LongAdder();
    final LongAdder downloadsFailed = new LongAdder();
    final LongAdder downloadsCancelled = new LongAdder();
    final LongAdder waits = new LongAdder();
    final LongAdder waitNanos = new LongAdder();
    final LongAdder evictedBytes = new LongAdder();
    final LongAdder localFilesMissing = new LongAdder();
    final LongAdder localFilesShort = new LongAdder();
    final LongAdder localFilesNotRegular = new LongAdder();
    final LongAdder localFilesRotten = new LongAdder();
    final LongAdder denied = new LongAdder();
    final LongAdder unexpectedDownloads = new LongAdder();
    final LongAdder noSpace = new LongAdder();
    final Redownloads redownloads = new Redownloads();

    /** At most as many as there are kinds of tasks, times reasons. */
    private final Map<StoreMetrics.DownloadCause, LongAdder> downloads = new ConcurrentHashMap<>();

    private final Map<EvictionReason, LongAdder> started = adders(EvictionReason.class);
    private final Map<EvictionOutcome, LongAdder> ended = adders(EvictionOutcome.class);

    private static <E extends Enum<E>> Map<E, LongAdder> adders(Class<E> type) {
        Map<E, LongAdder> map = new EnumMap<>(type);
        for (E value : type.getEnumConstants()) {
            map.put(value, new LongAdder());
        }
        return map;
    }

    void downloaded(TaskKind task, DownloadReason reason, long bytes) {
        downloads
                .computeIfAbsent(new StoreMetrics.DownloadCause(task, reason), cause -> new LongAdder())
                .increment();
        downloadedBytes.add(bytes);
    }

    void evictionStarted(EvictionReason reason) {
        started.get(reason).increment();
    }

    void evictionEnded(EvictionOutcome outcome) {
        ended.get(outcome).increment();
    }

    void defect(LocalDefect defect) {
        switch (defect) {
            case MISSING -> localFilesMissing.increment();
            case OTHER_LENGTH -> localFilesShort.increment();
            case NOT_REGULAR -> localFilesNotRegular.increment();
            case ROTTEN -> localFilesRotten.increment();
        }
    }

    void resident(long bytes) {
        residentBytes.add(bytes);
        residentLayers.increment();
    }

    void notResident(long bytes) {
        residentBytes.add(-bytes);
        residentLayers.decrement();
    }

    StoreMetrics snapshot() {
        Map<StoreMetrics.DownloadCause, Long> causes = new LinkedHashMap<>();
        downloads.forEach((cause, count) -> causes.put(cause, count.sum()));
        // Ends first: what ends meanwhile is then at least not counted as ended before it has started.
        long completed = ended.get(EvictionOutcome.EVICTED).sum();
        Map<EvictionOutcome, Long> cancelled = new EnumMap<>(EvictionOutcome.class);
        ended.forEach((outcome, count) -> {
            if (outcome.isCancellation()) {
                cancelled.put(outcome, count.sum());
            }
        });
        Map<EvictionReason, Long> evictions = new EnumMap<>(EvictionReason.class);
        started.forEach((reason, count) -> evictions.put(reason, count.sum()));
        return new StoreMetrics(
                residentBytes.sum(),
                residentLayers.sum(),
                causes,
                downloadedBytes.sum(),
                downloadsFailed.sum(),
                downloadsCancelled.sum(),
                waits.sum(),
                waitNanos.sum(),
                evictions.values().stream().mapToLong(Long::longValue).sum(),
                completed,
                cancelled,
                evictions,
                evictedBytes.sum(),
                redownloads.snapshot(),
                localFilesMissing.sum(),
                localFilesShort.sum(),
                localFilesNotRegular.sum(),
                localFilesRotten.sum(),
                denied.sum(),
                unexpectedDownloads.sum(),
                noSpace.sum());
    }
}
