// SPDX-License-Identifier: Apache-2.0
package dev.millrace.server.http;

import dev.millrace.layers.format.BlockCache;
import dev.millrace.layers.store.Layer;
import dev.millrace.layers.store.LayerStore;
import dev.millrace.layers.store.StoreMetrics;
import dev.millrace.layers.store.Timeline;
import io.prometheus.metrics.model.registry.MultiCollector;
import io.prometheus.metrics.model.snapshots.CounterSnapshot;
import io.prometheus.metrics.model.snapshots.GaugeSnapshot;
import io.prometheus.metrics.model.snapshots.Labels;
import io.prometheus.metrics.model.snapshots.MetricSnapshot;
import io.prometheus.metrics.model.snapshots.MetricSnapshots;
import io.prometheus.metrics.model.snapshots.SummarySnapshot;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Function;

/**
 * What a store has done and has, for Prometheus: one look at it for all figures of a scrape. Labels are kinds and reasons, of
 * which there are a bounded number.
 */
final class StoreFigures implements MultiCollector {
    private static final double NANOS = 1e9;

    private final LayerStore store;

    /** Of a store, which must be open as long as it is looked at. */
    StoreFigures(LayerStore store) {
        this.store = store;
    }

    @Override
    public MetricSnapshots collect() {
        StoreMetrics metrics = store.metrics();
        long remoteBytes = 0;
        long remoteLayers = 0;
        for (Timeline timeline : store.timelines()) {
            for (Layer layer : timeline.layers()) {
                if (layer.isRemote()) {
                    remoteBytes += layer.size();
                    remoteLayers++;
                }
            }
        }
        List<MetricSnapshot> all = new ArrayList<>();
        all.add(gauge("resident_bytes", "Bytes of layers on local disk", metrics.residentBytes()));
        all.add(gauge("resident_layers", "Layers on local disk", metrics.residentLayers()));
        all.add(gauge("remote_bytes", "Bytes of layers that are only in the object store", remoteBytes));
        all.add(gauge("remote_layers", "Layers that are only in the object store", remoteLayers));
        all.add(byCause("ondemand_downloads", "Layers downloaded, by who asked first and why", metrics.downloads()));
        all.add(byCause(
                "ondemand_downloaded_bytes",
                "Bytes of layers downloaded, by who asked first and why",
                metrics.downloadedBytesByCause()));
        all.add(counter("downloads_failed", "Downloads of layers that failed", metrics.downloadsFailed()));
        all.add(counter(
                "downloads_cancelled", "Downloads ended by detaching or closing", metrics.downloadsCancelled()));
        all.add(counter("download_waits", "Reads that waited for a download", metrics.waits()));
        all.add(counter("download_wait_seconds", "How long reads waited for downloads", metrics.waitNanos() / NANOS));
        all.add(counter("evictions_started", "Evictions taken up", metrics.evictionsStarted()));
        all.add(counter("evictions_completed", "Evictions with the file gone", metrics.evictionsCompleted()));
        all.add(labelled(
                "evictions_cancelled",
                "Evictions without the file gone",
                "reason",
                metrics.evictionsCancelled(),
                outcome -> outcome.name().toLowerCase(Locale.ROOT)));
        all.add(labelled("evictions", "Evictions taken up", "reason", metrics.evictions(), reason -> reason.label()));
        all.add(counter("evicted_bytes", "Bytes of layers evicted", metrics.evictedBytes()));
        all.add(labelled(
                "redownloaded_after",
                "Layers that a user read again within so many seconds after their eviction, and after the bound below",
                "seconds",
                metrics.redownloadedAfter(),
                bound -> bound.equals(StoreMetrics.EVER) ? "+Inf" : Long.toString(bound.toSeconds())));
        all.add(labelled(
                "local_file_defects",
                "Local files that were not what they must be",
                "defect",
                Map.of(
                        "missing", metrics.localFilesMissing(),
                        "short", metrics.localFilesShort(),
                        "not_regular", metrics.localFilesNotRegular(),
                        "rotten", metrics.localFilesRotten()),
                defect -> defect));
        all.add(counter("reads_denied", "Reads that must not download and would have had to", metrics.denied()));
        all.add(counter(
                "unexpected_downloads", "Reads that downloaded and were to say so", metrics.unexpectedDownloads()));
        BlockCache.Counters cache = store.blockCache();
        all.add(counter("block_cache_hits", "Blocks of layers' indexes found in memory", cache.hits()));
        all.add(counter("block_cache_misses", "Blocks of layers' indexes read from disk", cache.misses()));
        all.add(counter("downloads_without_space", "Downloads that found no room", metrics.noSpace()));
        all.add(io(metrics));
        return new MetricSnapshots(all);
    }

    private static SummarySnapshot io(StoreMetrics metrics) {
        SummarySnapshot.Builder builder = SummarySnapshot.builder()
                .name("millrace_io_seconds")
                .help("How long operations on layers' files took; those under way at once count each by itself");
        metrics.io()
                .forEach((operation, time) -> builder.dataPoint(SummarySnapshot.SummaryDataPointSnapshot.builder()
                        .count(time.operations())
                        .sum(time.nanos() / NANOS)
                        .labels(Labels.of("op", operation.label()))
                        .build()));
        return builder.build();
    }

    private static CounterSnapshot byCause(String name, String help, Map<StoreMetrics.DownloadCause, Long> values) {
        CounterSnapshot.Builder builder =
                CounterSnapshot.builder().name("millrace_" + name).help(help);
        values.forEach((cause, value) -> builder.dataPoint(CounterSnapshot.CounterDataPointSnapshot.builder()
                .value((double) value)
                .labels(Labels.of(
                        "task_kind",
                        cause.task().label(),
                        "reason",
                        cause.reason().label()))
                .build()));
        return builder.build();
    }

    private static GaugeSnapshot gauge(String name, String help, Number value) {
        return GaugeSnapshot.builder()
                .name("millrace_" + name)
                .help(help)
                .dataPoint(GaugeSnapshot.GaugeDataPointSnapshot.builder()
                        .value(value.doubleValue())
                        .build())
                .build();
    }

    private static CounterSnapshot counter(String name, String help, Number value) {
        return CounterSnapshot.builder()
                .name("millrace_" + name)
                .help(help)
                .dataPoint(CounterSnapshot.CounterDataPointSnapshot.builder()
                        .value(value.doubleValue())
                        .build())
                .build();
    }

    private static <K> CounterSnapshot labelled(
            String name, String help, String label, Map<K, Long> values, Function<K, String> text) {
        CounterSnapshot.Builder builder =
                CounterSnapshot.builder().name("millrace_" + name).help(help);
        values.forEach((key, value) -> builder.dataPoint(CounterSnapshot.CounterDataPointSnapshot.builder()
                .value((double) value)
                .labels(Labels.of(label, text.apply(key)))
                .build()));
        return builder.build();
    }
}
