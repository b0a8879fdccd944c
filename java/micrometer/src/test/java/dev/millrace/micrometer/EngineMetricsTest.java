// SPDX-License-Identifier: Apache-2.0
package dev.millrace.micrometer;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millrace.io.EngineKind;
import dev.millrace.io.EngineUnavailableException;
import dev.millrace.io.IoEngine;
import dev.millrace.io.IoEngineConfig;
import dev.millrace.io.OpenOptions;
import dev.millrace.io.OwnedBuffer;
import dev.millrace.io.VirtualFile;
import io.micrometer.core.instrument.Tags;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.nio.file.Path;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class EngineMetricsTest {
    @TempDir
    Path folder;

    @ParameterizedTest
    @EnumSource
    void showsWhatTheEngineCounts(EngineKind kind) throws Exception {
        SimpleMeterRegistry registry = new SimpleMeterRegistry();
        EngineMetrics metrics;
        try (IoEngine engine = IoEngine.open(IoEngineConfig.defaults()
                .withEngine(kind)
                .withSwitching()
                .withRings(2)
                .withPool(4, 4096)
                .withDescriptors(1))) {
            metrics = new EngineMetrics(engine, Tags.of("name", "one"));
            metrics.bindTo(registry);
            assertThat(gauge(registry, "buffers")).isEqualTo(4);
            assertThat(gauge(registry, "slots")).isEqualTo(engine.status().slots());
            assertThat(gauge(registry, "rings")).isEqualTo(2);
            assertThat(counter(registry, "switches")).isZero();
            onlyOneIsInUse(registry, kind);
            try (VirtualFile file = VirtualFile.open(engine, folder.resolve("f"), OpenOptions.creating());
                    OwnedBuffer buffer = engine.buffers().acquire()) {
                file.writeAsync(buffer, 0, 4096, 0).get();
                assertThat(gauge(registry, "buffers.available")).isEqualTo(3);
                VirtualFile.open(engine, folder.resolve("g"), OpenOptions.creating())
                        .close();
                assertThat(file.stat().size()).isEqualTo(4096);
                assertThat(gauge(registry, "descriptors.open")).isEqualTo(1);
            }
            EngineKind other = kind == EngineKind.EPOLL ? EngineKind.BLOCKING : EngineKind.EPOLL;
            engine.switchTo(other);
            onlyOneIsInUse(registry, other);
            assertThat(counter(registry, "switches")).isEqualTo(1);
        } catch (EngineUnavailableException e) {
            Assumptions.abort(e.getMessage());
            return;
        }
        // The next look comes when the last is old enough.
        for (int i = 0; i < 2000 && counter(registry, "bytes.written") == 0; i++) {
            Thread.sleep(10);
        }
        assertThat(counter(registry, "bytes.written")).isEqualTo(4096);
        assertThat(counter(registry, "operations.submitted"))
                .isPositive()
                .isEqualTo(counter(registry, "operations.completed"));
        assertThat(gauge(registry, "slots.used")).isZero();
        assertThat(gauge(registry, "descriptors")).isEqualTo(1);
        assertThat(gauge(registry, "descriptors.open")).isZero();
        assertThat(gauge(registry, "descriptors.most")).isEqualTo(1);
        assertThat(gauge(registry, "descriptors.kept")).isZero();
        assertThat(counter(registry, "descriptors.evictions")).isEqualTo(1);
        assertThat(counter(registry, "descriptors.reopens")).isEqualTo(1);
        assertThat(counter(registry, "descriptors.waits")).isZero();
        assertThat(gauge(registry, "kernel.workers")).isNotNegative();
        assertThat(metrics).isNotNull();
    }

    private static void onlyOneIsInUse(SimpleMeterRegistry registry, EngineKind kind) {
        for (EngineKind each : EngineKind.values()) {
            assertThat(registry.get("millrace.engine.in.use")
                            .tags("name", "one", "engine", each.label())
                            .gauge()
                            .value())
                    .isEqualTo(each == kind ? 1 : 0);
        }
    }

    private static double counter(SimpleMeterRegistry registry, String name) {
        return registry.get("millrace.engine." + name)
                .tags("name", "one")
                .functionCounter()
                .count();
    }

    private static double gauge(SimpleMeterRegistry registry, String name) {
        return registry.get("millrace.engine." + name)
                .tags("name", "one")
                .gauge()
                .value();
    }
}
