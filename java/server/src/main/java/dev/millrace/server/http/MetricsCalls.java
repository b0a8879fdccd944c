// SPDX-License-Identifier: Apache-2.0
package dev.millrace.server.http;

import dev.millrace.io.EngineKind;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import io.prometheus.metrics.core.metrics.GaugeWithCallback;
import io.prometheus.metrics.instrumentation.jvm.ProcessMetrics;
import java.util.List;

/** Figures for Prometheus. Their number is bounded: labels are kinds and reasons, never names of layers or tenants. */
final class MetricsCalls {
    static final String METRICS = "/metrics";
    private static final String TEXT = "text/plain; version=0.0.4; charset=utf-8";

    private final PrometheusMeterRegistry registry;

    MetricsCalls(PrometheusMeterRegistry registry) {
        this.registry = registry;
    }

    /** A registry with what every server shows: the process, when it started, which engine runs. */
    static PrometheusMeterRegistry registry(LaunchTime launch, EngineControl engine) {
        PrometheusMeterRegistry registry = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
        ProcessMetrics.builder().register(registry.getPrometheusRegistry());
        GaugeWithCallback.builder()
                .name("libmetrics_launch_timestamp")
                .help("When this process started, in milliseconds since 1970")
                .callback(gauge -> gauge.call((double) launch.instant().toEpochMilli()))
                .register(registry.getPrometheusRegistry());
        GaugeWithCallback.builder()
                .name("millrace_io_engine")
                .help("1 for the engine in use, 0 for the others")
                .labelNames("engine")
                .callback(gauge -> {
                    EngineKind running = engine.status().engine();
                    for (EngineKind kind : EngineKind.values()) {
                        gauge.call(kind == running ? 1 : 0, kind.label());
                    }
                })
                .register(registry.getPrometheusRegistry());
        return registry;
    }

    List<Route> routes() {
        return List.of(Route.quick(
                "GET", METRICS, Scope.OBSERVE, call -> new Answer.Streamed(TEXT, out -> registry.scrape(out))));
    }
}
