// SPDX-License-Identifier: Apache-2.0
package dev.millrace.testkit.sim;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millrace.io.BufferPool;
import dev.millrace.io.IoFailure;
import dev.millrace.io.IoResult;
import dev.millrace.io.OpenOptions;
import dev.millrace.io.OwnedBuffer;
import dev.millrace.io.VirtualFile;
import dev.millrace.io.engine.OpCode;
import dev.millrace.io.engine.Operation;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The pool while operations hold its buffers: started, cancelled, closed early, closed twice, in any order. */
class PoolSimulationTest {
    private static final int SEEDS = 1000;
    private static final int MANY_SEEDS = 10_000;
    private static final int SIZE = 4096;
    private static final int ACTIONS = 40;
    private static final int FOUND_WITHIN = 20;

    @Test
    void neverHandsOutWhatAnOperationInFlightOwns() {
        Seeds.run(SEEDS, PoolSimulationTest::churn);
    }

    @Test
    @Tag("slow")
    void neverHandsOutWhatAnOperationInFlightOwnsForManySeeds() {
        Seeds.run(MANY_SEEDS, PoolSimulationTest::churn);
    }

    @Test
    void wouldBeCaughtHandingItOut() {
        Optional<String> found = Seeds.firstThatFails(FOUND_WITHIN, PoolSimulationTest::pooledInFlight);
        assertThat(found)
                .as("the first seed that finds a buffer pooled in flight")
                .isPresent();
    }

    private static Simulation simulation(SplittableRandom random, Trace trace) {
        SimulatedDisk disk = new SimulatedDisk(512, 1L << 30);
        disk.makeFolders("/d");
        Simulation.Size size = new Simulation.Size(1 + random.nextInt(4), SIZE, 8);
        return new Simulation(disk, random, trace, size, FaultRates.NONE, Optional.empty());
    }

    private static VirtualFile open(Simulation simulation) throws IoFailure {
        return VirtualFile.open(simulation.engine(), Path.of("/d/file"), OpenOptions.creating());
    }

    static void churn(SplittableRandom random, Trace trace) throws Exception {
        try (Simulation simulation = simulation(random, trace);
                VirtualFile file = open(simulation)) {
            simulation.driver().rates(FaultRates.ERRORS);
            BufferPool pool = simulation.engine().buffers();
            List<OwnedBuffer> held = new ArrayList<>();
            List<CompletableFuture<IoResult>> futures = new ArrayList<>();
            try {
                for (int i = 0; i < ACTIONS; i++) {
                    switch (random.nextInt(5)) {
                        case 0, 1 ->
                            pool.tryAcquire().ifPresent(buffer -> {
                                // Whoever else owns this memory sees it change.
                                buffer.fill(0, SIZE, (byte) (1 + random.nextInt(255)));
                                held.add(buffer);
                            });
                        case 2 ->
                            pick(random, held).filter(OwnedBuffer::isOwned).ifPresent(buffer -> {
                                long at = random.nextInt(16) * (long) SIZE;
                                boolean write = random.nextBoolean();
                                boolean cancel = random.nextInt(10) == 0;
                                simulation.driver().together(() -> {
                                    CompletableFuture<IoResult> future = write
                                            ? file.writeAsync(buffer, 0, SIZE, at)
                                            : file.readAsync(buffer, 0, SIZE, at);
                                    futures.add(future);
                                    if (cancel) {
                                        future.cancel(true);
                                    }
                                });
                            });
                        case 3 -> {
                            pick(random, held).ifPresent(OwnedBuffer::close); // in flight, owned or closed already
                            pick(random, futures)
                                    .ifPresent(future -> simulation.driver().together(() -> future.cancel(true)));
                        }
                        default -> simulation.step();
                    }
                    assertThat(pool.available()).isBetween(0, pool.size());
                }
            } finally {
                held.forEach(OwnedBuffer::close);
                // The file waits for what is under way, and nobody steps while it does.
                simulation.settle();
                simulation.driver().rates(FaultRates.NONE);
            }
        }
    }

    private static <T> Optional<T> pick(SplittableRandom random, List<T> list) {
        return list.isEmpty() ? Optional.empty() : Optional.of(list.get(random.nextInt(list.size())));
    }

    /** A sink that gives its buffer back when the write has begun. */
    private static void pooledInFlight(SplittableRandom random, Trace trace) throws Exception {
        try (Simulation simulation = simulation(random, trace);
                VirtualFile file = open(simulation)) {
            BufferPool pool = simulation.engine().buffers();
            int fd = simulation.engine().loop().driver().syscalls().open("/d/file", 2, 0);
            try {
                for (int i = 0; i < 5; i++) {
                    Optional<OwnedBuffer> buffer = pool.tryAcquire();
                    buffer.orElseThrow().fill(0, SIZE, (byte) i);
                    ByteBuffer memory = buffer.get().withMemory(view -> view);
                    simulation.engine().loop().submit(new Careless(fd, memory, i * (long) SIZE));
                    simulation.driver().nextDue(); // in flight now
                    buffer.get().close();
                }
            } finally {
                simulation.settle();
                simulation.engine().loop().driver().syscalls().close(fd);
            }
            assertThat(file.stat().size()).isEqualTo(5 * SIZE);
        }
    }

    private static final class Careless extends Operation {
        Careless(int fd, ByteBuffer memory, long at) {
            this.code = OpCode.WRITE;
            this.fd = fd;
            this.memory = memory;
            this.length = SIZE;
            this.offset = at;
        }

        @Override
        protected void completed(int result) {
            // it does not care
        }
    }
}
