// SPDX-License-Identifier: Apache-2.0
package dev.millrace.server.churn;

import dev.millrace.server.HumanTime;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalLong;

/**
 * What a run did. Answers by which someone else was first are neither downloads nor evictions.
 *
 * @param downloads that brought a layer
 * @param downloadedBytes of these layers
 * @param evictions that took a file away
 * @param restarts layer maps fetched again because someone else was first
 * @param runtime from the first request to the last answer
 * @param downloadMillis latencies by percentile ({@code p50}, {@code p90}, {@code p99}, {@code p99.9}, {@code max}), as the
 *     benchmark sees them; empty where there was none
 * @param evictionMillis the same of evictions
 * @param serverCpuSeconds of the server's process over the run; empty where it does not say or was started anew
 * @param serverResidentBytes memory of the server's process at the end
 * @param benchmarkCpuSeconds of this process over the run
 * @param benchmarkProcessCpuSeconds of this process since it began, its start and what came before the run included
 * @param engine that ran
 * @param binding by which it ran
 * @param partial why these are not the figures of a whole run, as a sentence; empty where they are
 */
public record ChurnResult(
        long downloads,
        long downloadedBytes,
        long evictions,
        long restarts,
        Duration runtime,
        Map<String, Double> downloadMillis,
        Map<String, Double> evictionMillis,
        OptionalDouble serverCpuSeconds,
        OptionalLong serverResidentBytes,
        double benchmarkCpuSeconds,
        double benchmarkProcessCpuSeconds,
        Optional<String> engine,
        Optional<String> binding,
        Optional<String> partial) {
    private static final double MIB = 1 << 20;
    private static final double GIB = 1 << 30;

    /** Downloaded bytes over the runtime. */
    public double mibPerSecond() {
        return runtime.isZero() ? 0 : downloadedBytes / MIB / (runtime.toNanos() / 1e9);
    }

    /** CPU of the server for each GiB that it downloaded; empty where either is not known. */
    public OptionalDouble serverCpuSecondsPerGib() {
        return serverCpuSeconds.isPresent() && downloadedBytes > 0
                ? OptionalDouble.of(serverCpuSeconds.getAsDouble() / (downloadedBytes / GIB))
                : OptionalDouble.empty();
    }

    /**
     * Names and values in the order in which they are documented: numbers, texts, maps of latencies in milliseconds; {@code null}
     * where nothing is known; {@code partial} and {@code reason} only where the run is not whole.
     */
    @SuppressWarnings("NullAway") // JSON's null
    public Map<String, Object> json() {
        Map<String, Object> fields = new LinkedHashMap<>();
        fields.put("downloads_count", downloads);
        fields.put("downloads_bytes", downloadedBytes);
        fields.put("evictions_count", evictions);
        fields.put("timeline_restarts", restarts);
        fields.put("runtime", HumanTime.text(runtime));
        fields.put("mib_per_s", rounded(mibPerSecond(), 1));
        fields.put("download_latency_ms", downloadMillis);
        fields.put("eviction_latency_ms", evictionMillis);
        fields.put("server_cpu_seconds", orNull(serverCpuSeconds, 3));
        fields.put("server_cpu_seconds_per_gib", orNull(serverCpuSecondsPerGib(), 4));
        fields.put("server_rss_bytes", serverResidentBytes.isPresent() ? serverResidentBytes.getAsLong() : null);
        fields.put("benchmark_cpu_seconds", rounded(benchmarkCpuSeconds, 3));
        fields.put("benchmark_process_cpu_seconds", rounded(benchmarkProcessCpuSeconds, 3));
        fields.put("engine", engine.orElse(null));
        fields.put("binding", binding.orElse(null));
        partial.ifPresent(reason -> {
            fields.put("partial", true);
            fields.put("reason", reason);
        });
        return fields;
    }

    private static Object orNull(OptionalDouble value, int digits) {
        return value.isPresent() ? rounded(value.getAsDouble(), digits) : null;
    }

    private static double rounded(double value, int digits) {
        double scale = Math.pow(10, digits);
        return Math.round(value * scale) / scale;
    }
}
