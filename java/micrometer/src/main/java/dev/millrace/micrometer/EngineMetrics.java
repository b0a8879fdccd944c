// SPDX-License-Identifier: Apache-2.0
package dev.millrace.micrometer;

import dev.millrace.io.DescriptorCounters;
import dev.millrace.io.EngineKind;
import dev.millrace.io.IoEngine;
import dev.millrace.io.engine.EngineCounters;
import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tags;
import io.micrometer.core.instrument.binder.BaseUnits;
import io.micrometer.core.instrument.binder.MeterBinder;
import java.time.Duration;
import java.util.function.ToDoubleFunction;
import java.util.function.ToLongFunction;

/**
 * What an engine counts, over all its rings, as meters named {@code millrace.engine.*} with the tag {@code binding}. Which
 * kind runs, and may be switched, tells {@code millrace.engine.in.use}: 1 for the one with that tag {@code engine}, else 0.
 * One look at the engine serves all meters of a scrape: it is asked at most once in a tenth of a second. After the engine was
 * closed the meters keep their last values.
 *
 * <p>Hold the binder as long as the registry shall show the meters: registries hold it weakly.
 */
public final class EngineMetrics implements MeterBinder {
    private static final long FRESH_NANOS = Duration.ofMillis(100).toNanos();

    private final IoEngine engine;
    private final Tags tags;
    private EngineCounters counters;
    private long takenAt;

    /**
     * For one engine.
     *
     * @param tags more tags, which tell several engines of one kind apart
     */
    public EngineMetrics(IoEngine engine, Tags tags) {
        this.engine = engine;
        this.tags = tags.and("binding", engine.status().binding());
        counters = engine.counters();
        takenAt = System.nanoTime();
    }

    private synchronized EngineCounters counters() {
        long now = System.nanoTime();
        if (now - takenAt > FRESH_NANOS) {
            counters = engine.counters();
            takenAt = now;
        }
        return counters;
    }

    @Override
    public void bindTo(MeterRegistry registry) {
        counter(registry, "operations.submitted", "operations handed to the engine", EngineCounters::submitted);
        counter(registry, "operations.completed", "operations that have ended", EngineCounters::completed);
        counter(registry, "operations.fixed", "reads and writes of registered buffers", EngineCounters::fixed);
        counter(registry, "operations.plain", "reads and writes of other memory", EngineCounters::plain);
        counter(
                registry,
                "operations.workers",
                "operations done by worker threads of the engine, not by the ring",
                EngineCounters::toWorkers);
        counter(registry, "turns", "crossings of the border, each with all that was ready", EngineCounters::turns);
        counter(registry, "enters", "system calls that entered the ring or waited", EngineCounters::enters);
        counter(registry, "wakeups", "times the engine thread was woken", EngineCounters::wakes);
        counter(registry, "overflows", "times the completion queue overflowed", EngineCounters::overflows);
        bytes(registry, "bytes.read", EngineCounters::bytesRead);
        bytes(registry, "bytes.written", EngineCounters::bytesWritten);
        bytes(registry, "bytes.sent", EngineCounters::bytesSent);
        FunctionCounter.builder("millrace.engine.switches", engine, used -> used.status()
                        .switches())
                .description("times another engine was put in the place of the one that ran")
                .tags(tags)
                .register(registry);
        for (EngineKind kind : EngineKind.values()) {
            Gauge.builder("millrace.engine.in.use", engine, used -> used.kind() == kind ? 1 : 0)
                    .description("1 for the engine that runs")
                    .tags(tags.and("engine", kind.label()))
                    .register(registry);
        }
        gauge(
                registry,
                "rings",
                "engine threads, each with a ring; those too that end what they had begun before a switch",
                metrics -> metrics.engine.status().rings().size());
        gauge(
                registry,
                "slots.used",
                "operations in flight",
                metrics -> metrics.counters().inFlight());
        gauge(
                registry,
                "slots",
                "operations in flight at most",
                metrics -> metrics.engine.status().slots());
        gauge(
                registry,
                "descriptors",
                "descriptors of files open at most",
                metrics -> metrics.engine.descriptors().limit());
        gauge(
                registry,
                "descriptors.open",
                "descriptors of files open",
                metrics -> metrics.engine.descriptors().open());
        gauge(
                registry,
                "descriptors.most",
                "most descriptors of files that were open at once",
                metrics -> metrics.engine.descriptors().mostOpen());
        gauge(
                registry,
                "descriptors.kept",
                "descriptors that stay open as long as their files: locked, or without a name",
                metrics -> metrics.engine.descriptors().kept());
        descriptors(
                registry,
                "descriptors.evictions",
                "descriptors closed to make room for others",
                DescriptorCounters::evictions);
        descriptors(
                registry,
                "descriptors.reopens",
                "descriptors opened again for the next use of their files",
                DescriptorCounters::reopens);
        descriptors(
                registry,
                "descriptors.waits",
                "openings and uses that waited, since every descriptor was in use",
                DescriptorCounters::waits);
        gauge(
                registry,
                "kernel.workers",
                "threads of the kernel that carry operations of this process; 0 is as it should be",
                metrics -> metrics.counters().kernelWorkers());
        gauge(
                registry,
                "buffers",
                "buffers of the pool",
                metrics -> metrics.engine.buffers().size());
        gauge(
                registry,
                "buffers.available",
                "buffers of the pool that nobody holds",
                metrics -> metrics.engine.buffers().available());
        gauge(
                registry,
                "buffers.registered",
                "buffers registered with the kernel, once for each ring that knows them",
                metrics -> metrics.counters().registeredBuffers());
    }

    private void counter(
            MeterRegistry registry, String name, String description, ToLongFunction<EngineCounters> value) {
        FunctionCounter.builder("millrace.engine." + name, this, metrics -> value.applyAsLong(metrics.counters()))
                .description(description)
                .tags(tags)
                .register(registry);
    }

    private void descriptors(
            MeterRegistry registry, String name, String description, ToLongFunction<DescriptorCounters> value) {
        FunctionCounter.builder(
                        "millrace.engine." + name, engine, counted -> value.applyAsLong(counted.descriptors()))
                .description(description)
                .tags(tags)
                .register(registry);
    }

    private void bytes(MeterRegistry registry, String name, ToLongFunction<EngineCounters> value) {
        FunctionCounter.builder("millrace.engine." + name, this, metrics -> value.applyAsLong(metrics.counters()))
                .baseUnit(BaseUnits.BYTES)
                .tags(tags)
                .register(registry);
    }

    private void gauge(MeterRegistry registry, String name, String description, ToDoubleFunction<EngineMetrics> value) {
        Gauge.builder("millrace.engine." + name, this, value)
                .description(description)
                .tags(tags)
                .register(registry);
    }
}
