// SPDX-License-Identifier: Apache-2.0
package dev.millrace.layers.store;

import dev.millrace.layers.TaskKind;
import dev.millrace.layers.format.LayerReaders;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Supplier;

/** Counters of a store; {@link StoreMetrics} says what each means. Thread-safe. */
final class StoreCounters {
    final LongAdder residentBytes = new LongAdder();
    final LongAdder residentLayers = new LongAdder();
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
    private final Map<StoreMetrics.DownloadCause, Amount> downloads = new ConcurrentHashMap<>();

    private final Map<EvictionReason, LongAdder> started = adders(EvictionReason.class);
    private final Map<EvictionOutcome, LongAdder> ended = adders(EvictionOutcome.class);
    /** Reads are counted where they are done, by the readers. */
    private final Map<IoOperation, Amount> io = map(IoOperation.class, Amount::new);

    /** How many, and how much of something they were in all. */
    private static final class Amount {
        private final LongAdder count = new LongAdder();
        private final LongAdder sum = new LongAdder();

        void add(long amount) {
            count.increment();
            sum.add(amount);
        }
    }

    private static <E extends Enum<E>> Map<E, LongAdder> adders(Class<E> type) {
        return map(type, LongAdder::new);
    }

    private static <E extends Enum<E>, V> Map<E, V> map(Class<E> type, Supplier<V> fresh) {
        Map<E, V> map = new EnumMap<>(type);
        for (E value : type.getEnumConstants()) {
            map.put(value, fresh.get());
        }
        return map;
    }

    void downloaded(TaskKind task, DownloadReason reason, long bytes) {
        downloads
                .computeIfAbsent(new StoreMetrics.DownloadCause(task, reason), cause -> new Amount())
                .add(bytes);
    }

    /** One that has ended, well or not. */
    void operation(IoOperation operation, long nanos) {
        io.get(operation).add(nanos);
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

    /** With what the readers of layers' files have counted. */
    StoreMetrics snapshot(LayerReaders.Counters reads) {
        Map<StoreMetrics.DownloadCause, Long> causes = new LinkedHashMap<>();
        Map<StoreMetrics.DownloadCause, Long> bytes = new LinkedHashMap<>();
        downloads.forEach((cause, amount) -> {
            causes.put(cause, amount.count.sum());
            bytes.put(cause, amount.sum.sum());
        });
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
        Map<IoOperation, StoreMetrics.IoTime> times = new EnumMap<>(IoOperation.class);
        io.forEach((operation, amount) ->
                times.put(operation, new StoreMetrics.IoTime(amount.count.sum(), amount.sum.sum())));
        times.put(IoOperation.READ, new StoreMetrics.IoTime(reads.operations(), reads.nanos()));
        return new StoreMetrics(
                residentBytes.sum(),
                residentLayers.sum(),
                causes,
                bytes,
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
                noSpace.sum(),
                times);
    }
}
