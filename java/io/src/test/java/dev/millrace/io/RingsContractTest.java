// SPDX-License-Identifier: Apache-2.0
package dev.millrace.io;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.millrace.io.engine.EngineCounters;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;

/** An engine with two rings. */
@ParameterizedClass
@EnumSource
class RingsContractTest extends EngineContract {
    private static final int SIZE = 4096;

    @Override
    IoEngineConfig config() {
        return super.config().withRings(2);
    }

    private VirtualFile open(String name) throws IoFailure {
        return VirtualFile.open(engine, folder.resolve(name), OpenOptions.creating());
    }

    /** Operations that each ring has taken so far. */
    private List<Long> submitted() {
        List<Long> counts = new ArrayList<>();
        for (Lane lane : engine.lanes().snapshot()) {
            counts.add(EngineCounters.of(lane.loop().stats()).submitted());
        }
        return counts;
    }

    private static List<Long> difference(List<Long> before, List<Long> after) {
        return List.of(after.get(0) - before.get(0), after.get(1) - before.get(1));
    }

    @Test
    void keepsEachFileOnItsRingAndCountsBoth() throws Exception {
        try (VirtualFile one = open("one");
                VirtualFile two = open("two");
                VirtualFile three = open("three");
                OwnedBuffer buffer = engine.buffers().acquire()) {
            List<List<Long>> spent = new ArrayList<>();
            for (VirtualFile file : List.of(one, two, three)) {
                List<Long> before = submitted();
                for (int i = 0; i < 20; i++) {
                    file.writeAsync(buffer, 0, SIZE, (long) i * SIZE).join();
                }
                file.syncAsync().join();
                file.writeVectoredAsync(List.of(new BufferSlice(buffer, 0, SIZE)), 0)
                        .join();
                spent.add(difference(before, submitted()));
            }
            assertThat(spent.get(0)).containsExactlyInAnyOrder(22L, 0L);
            assertThat(spent.get(1))
                    .containsExactly(spent.get(0).get(1), spent.get(0).get(0));
            assertThat(spent.get(2)).as("the third sits beside the first").isEqualTo(spent.get(0));
        }
        List<Long> each = submitted();
        assertThat(engine.counters().submitted()).isEqualTo(each.get(0) + each.get(1));
    }

    @Test
    void knowsEachBufferOnBothRings() throws Exception {
        try (VirtualFile one = open("one");
                VirtualFile two = open("two")) {
            List<OwnedBuffer> buffers = new ArrayList<>();
            for (int i = 0; i < TestEngines.BUFFERS; i++) {
                buffers.add(engine.buffers().acquire());
            }
            EngineCounters before = engine.counters();
            for (VirtualFile file : List.of(one, two)) {
                for (int i = 0; i < buffers.size(); i++) {
                    byte[] data = bytes(SIZE, i);
                    buffers.get(i).put(0, data, 0, SIZE);
                    file.writeAsync(buffers.get(i), 0, SIZE, (long) i * SIZE).join();
                    OwnedBuffer other = buffers.get(buffers.size() - 1 - i);
                    file.readAsync(other, 0, SIZE, (long) i * SIZE).join();
                    byte[] got = new byte[SIZE];
                    other.get(0, got, 0, SIZE);
                    assertThat(got).isEqualTo(data);
                }
            }
            EngineCounters after = engine.counters();
            int registered = engine.status().registeredBuffers();
            assertThat(engine.counters().registeredBuffers()).isEqualTo(2L * registered);
            assertThat(after.fixed() - before.fixed()).isEqualTo(4L * registered);
            assertThat(after.plain() - before.plain()).isEqualTo(4L * (TestEngines.BUFFERS - registered));
            buffers.forEach(OwnedBuffer::close);
        }
    }

    @Test
    void namesItsRings() {
        EngineStatus status = engine.status();
        assertThat(status.rings()).hasSize(2);
        assertThat(status.slots()).isEqualTo(128);
        assertThat(status.switches()).isZero();
        assertThat(status.rings())
                .extracting(EngineStatus.Ring::thread)
                .doesNotHaveDuplicates()
                .allMatch(name -> name.startsWith("millrace-engine-"));
        assertThat(status.rings()).allMatch(ring -> ring.engine() == kind && ring.slots() == 64 && !ring.ending());
    }

    @Test
    void sharesTheCallsOfVirtualThreadsAmongItsRings() throws Exception {
        Optional<ExecutorService> virtual = TestEngines.virtualThreads();
        assumeTrue(virtual.isPresent(), "this JDK has no virtual threads");
        List<Long> before = submitted();
        List<Future<?>> ends = new ArrayList<>();
        ExecutorService threads = virtual.get();
        try {
            for (int i = 0; i < 8; i++) {
                Path path = folder.resolve("virtual" + i);
                ends.add(threads.submit(() -> {
                    try (VirtualFile file = VirtualFile.open(engine, path, OpenOptions.creating());
                            OwnedBuffer buffer = engine.buffers().acquire()) {
                        file.write(buffer, 0, SIZE, 0);
                        assertThat(file.read(buffer, 0, SIZE, 0)).isEqualTo(SIZE);
                    }
                    return engine.deleteIfExists(path);
                }));
            }
            for (Future<?> end : ends) {
                assertThat(end.get()).isEqualTo(true);
            }
        } finally {
            threads.shutdown();
        }
        assertThat(difference(before, submitted())).allMatch(count -> count > 0);
    }

    @Test
    void closesUnderLoadOfBothRings() throws Exception {
        List<CompletableFuture<IoResult>> reads = new ArrayList<>();
        List<OwnedBuffer> buffers = new ArrayList<>();
        try (VirtualFile one = open("one");
                VirtualFile two = open("two")) {
            for (int i = 0; i < TestEngines.BUFFERS; i++) {
                buffers.add(engine.buffers().acquire());
                reads.add((i % 2 == 0 ? one : two).writeAsync(buffers.get(i), 0, SIZE, 0));
            }
            engine.close();
            for (CompletableFuture<IoResult> read : reads) {
                Throwable failure = read.handle((result, thrown) -> thrown).join();
                assertThat(failure == null || failure instanceof EngineClosedException)
                        .isTrue();
            }
        }
        buffers.forEach(OwnedBuffer::close);
        assertThat(engine.counters().inFlight()).isZero();
    }
}
