// SPDX-License-Identifier: Apache-2.0
package dev.millrace.io;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;

/** An engine that is switched while files are open and used; the parameter is what it is opened as. */
@ParameterizedClass
@EnumSource
class SwitchContractTest extends EngineContract {
    private static final int SIZE = 4096;
    private static final int PLACES = 16;
    /** Operations of each worker on each engine, before the next switch. */
    private static final int STEPS = 15;

    @Override
    IoEngineConfig config() {
        return super.config().withSwitching().withRings(2);
    }

    /** The engines to go through: from each to each other. */
    private static List<EngineKind> tour() {
        return List.of(
                EngineKind.IO_URING,
                EngineKind.EPOLL,
                EngineKind.BLOCKING,
                EngineKind.IO_URING,
                EngineKind.BLOCKING,
                EngineKind.EPOLL,
                EngineKind.IO_URING);
    }

    /** Switches, or stays where this machine has no such engine. */
    private void switchTo(EngineKind target) throws IoFailure {
        EngineKind before = engine.kind();
        try {
            engine.switchTo(target);
            assertThat(engine.kind()).isEqualTo(target);
        } catch (EngineUnavailableException e) {
            assertThat(engine.kind()).isEqualTo(before);
        }
    }

    private static void await(String what, java.util.function.BooleanSupplier condition) {
        for (long i = 0; !condition.getAsBoolean(); i++) {
            assertThat(i).as(what).isLessThan(20_000);
            LockSupport.parkNanos(1_000_000);
        }
    }

    /** One file, one buffer, and what must be in the file. */
    private final class Worker implements Runnable {
        private final boolean futures;
        private final VirtualFile file;
        private final Random random;
        private final int[] model = new int[PLACES];
        private final AtomicLong steps = new AtomicLong();
        private final AtomicBoolean stop;

        Worker(int number, boolean futures, AtomicBoolean stop) throws IoFailure {
            this.futures = futures;
            this.random = new Random(number);
            this.stop = stop;
            this.file = VirtualFile.open(engine, folder.resolve("worker" + number), OpenOptions.creating());
        }

        @Override
        public void run() {
            try (file;
                    OwnedBuffer buffer = engine.buffers().acquire()) {
                byte[] got = new byte[SIZE];
                while (!stop.get()) {
                    int place = random.nextInt(PLACES);
                    int value = random.nextInt(1, 128);
                    buffer.fill(0, SIZE, (byte) value);
                    write(buffer, place, value);
                    place = random.nextInt(PLACES);
                    buffer.fill(0, SIZE, (byte) -1);
                    int count = futures
                            ? file.readAsync(buffer, 0, SIZE, (long) place * SIZE)
                                    .join()
                                    .bytes()
                            : file.read(buffer, 0, SIZE, (long) place * SIZE);
                    if (model[place] != 0) {
                        assertThat(count).isEqualTo(SIZE);
                        buffer.get(0, got, 0, SIZE);
                        byte[] expected = new byte[SIZE];
                        Arrays.fill(expected, (byte) model[place]);
                        assertThat(got).isEqualTo(expected);
                    }
                    steps.incrementAndGet();
                }
            } catch (IoFailure e) {
                throw new CompletionException(e);
            }
        }

        private void write(OwnedBuffer buffer, int place, int value) throws IoFailure {
            long position = (long) place * SIZE;
            if (!futures) {
                file.write(buffer, 0, SIZE, position);
                if (random.nextInt(32) == 0) {
                    file.sync();
                }
            } else {
                CompletableFuture<IoResult> write = file.writeAsync(buffer, 0, SIZE, position);
                if (random.nextInt(4) == 0) {
                    write.cancel(true);
                    await("a cancelled write gives its buffer back", buffer::isOwned);
                    buffer.fill(0, SIZE, (byte) value);
                    file.writeAsync(buffer, 0, SIZE, position).join(); // was it done or not
                } else {
                    write.join();
                }
                if (random.nextInt(32) == 0) {
                    file.syncAsync().join();
                }
            }
            model[place] = value;
        }
    }

    @Test
    void goesOnUnderLoadFromEachEngineToEachOther() throws Exception {
        AtomicBoolean stop = new AtomicBoolean();
        Optional<ExecutorService> virtual = TestEngines.virtualThreads();
        ExecutorService platform = Executors.newCachedThreadPool();
        List<Worker> workers = new ArrayList<>();
        List<Future<?>> ends = new ArrayList<>();
        try {
            for (int i = 0; i < 6; i++) {
                Worker worker = new Worker(i, i >= 4, stop);
                workers.add(worker);
                ends.add((i < 2 ? virtual.orElse(platform) : platform).submit(worker));
            }
            for (EngineKind target : tour()) {
                switchTo(target);
                for (int i = 0; i < workers.size(); i++) {
                    Worker worker = workers.get(i);
                    Future<?> end = ends.get(i);
                    long reached = worker.steps.get() + STEPS;
                    await("work on " + target, () -> end.isDone() || worker.steps.get() >= reached);
                }
            }
        } finally {
            stop.set(true);
            for (Future<?> end : ends) {
                end.get(20, TimeUnit.SECONDS);
            }
            platform.shutdown();
            virtual.ifPresent(ExecutorService::shutdown);
        }
        await("the engines before have ended", () -> engine.status().rings().size() == 2);
        assertThat(engine.buffers().available()).isEqualTo(TestEngines.BUFFERS);
        assertThat(engine.counters().submitted()).isEqualTo(engine.counters().completed());
        assertThat(engine.handlerErrors()).isZero();
    }

    @Test
    void countsOnAcrossSwitches() throws Exception {
        try (VirtualFile file = VirtualFile.open(engine, folder.resolve("counted"), OpenOptions.creating());
                OwnedBuffer buffer = engine.buffers().acquire()) {
            long switches = 0;
            for (int i = 0; i < tour().size(); i++) {
                EngineKind before = engine.kind();
                switchTo(tour().get(i));
                switches += engine.kind() == before ? 0 : 1;
                assertThat(file.writeAsync(buffer, 0, SIZE, 0).join().bytes()).isEqualTo(SIZE);
                assertThat(engine.counters().bytesWritten()).isEqualTo((i + 1L) * SIZE);
            }
            assertThat(engine.status().switches()).isEqualTo(switches);
        }
    }

    @Test
    void doesNothingWhereTheEngineRunsAlready() throws Exception {
        List<EngineStatus.Ring> before = engine.status().rings();
        engine.switchTo(kind);
        assertThat(engine.status().rings()).isEqualTo(before);
        assertThat(engine.status().switches()).isZero();
    }

    @Test
    void changesNothingWhereASwitchIsRefused() throws Exception {
        switchTo(EngineKind.EPOLL);
        await("one engine", () -> engine.status().rings().size() == 2);
        EngineStatus before = engine.status();
        String property = System.getProperty(IoEngineConfig.IO_URING_PROPERTY, "");
        System.setProperty(IoEngineConfig.IO_URING_PROPERTY, "off");
        try {
            EngineUnavailableException refused =
                    thrownBy(EngineUnavailableException.class, () -> engine.switchTo(EngineKind.IO_URING));
            assertThat(refused)
                    .hasMessageContaining("io_uring")
                    .hasMessageContaining("switched off by " + IoEngineConfig.IO_URING_PROPERTY);
        } finally {
            if (property.isEmpty()) {
                System.clearProperty(IoEngineConfig.IO_URING_PROPERTY);
            } else {
                System.setProperty(IoEngineConfig.IO_URING_PROPERTY, property);
            }
        }
        assertThat(engine.status()).isEqualTo(before);
    }

    @Test
    void saysWhyItCannotSwitchWithoutNativeCode() throws Exception {
        try (IoEngine plain = TestEngines.open(super.config().withEngine(EngineKind.BLOCKING))) {
            for (EngineKind target : List.of(EngineKind.IO_URING, EngineKind.EPOLL)) {
                assertThat(thrownBy(EngineUnavailableException.class, () -> plain.switchTo(target)))
                        .hasMessageContaining(target.label())
                        .hasMessageContaining("loads no native code")
                        .hasMessageContaining("withSwitching");
            }
            plain.switchTo(EngineKind.BLOCKING);
            assertThat(plain.status().binding()).isEqualTo("none");
        }
    }

    @Test
    void switchesOneAfterTheOtherHoweverManyAsk() throws Exception {
        ExecutorService threads = Executors.newFixedThreadPool(4);
        try (VirtualFile file = VirtualFile.open(engine, folder.resolve("many"), OpenOptions.creating());
                OwnedBuffer buffer = engine.buffers().acquire()) {
            List<Future<?>> ends = new ArrayList<>();
            for (int i = 0; i < 4; i++) {
                int first = i;
                ends.add(threads.submit(() -> {
                    for (int j = 0; j < 3; j++) {
                        try {
                            engine.switchTo(tour().get((first + j) % 3));
                        } catch (EngineUnavailableException notHere) {
                            assertThat(notHere).hasMessageContaining("cannot be had");
                        }
                    }
                    return true;
                }));
            }
            for (Future<?> end : ends) {
                while (!end.isDone()) {
                    assertThat(file.writeAsync(buffer, 0, SIZE, 0).join().bytes())
                            .isEqualTo(SIZE);
                }
                end.get();
            }
        } finally {
            threads.shutdown();
        }
        assertThat(engine.status().switches()).isLessThanOrEqualTo(12);
    }

    @Test
    void closesWhileItIsSwitched() throws Exception {
        ExecutorService threads = Executors.newFixedThreadPool(1);
        try {
            Future<EngineClosedException> end = threads.submit(() -> {
                try {
                    for (int i = 0; true; i++) {
                        try {
                            engine.switchTo(tour().get(i % tour().size()));
                        } catch (EngineUnavailableException notHere) {
                            assertThat(notHere).hasMessageContaining("cannot be had");
                        }
                    }
                } catch (EngineClosedException e) {
                    return e;
                }
            });
            await("a switch", () -> end.isDone() || engine.status().switches() > 1);
            engine.close();
            assertThat(end.get(20, TimeUnit.SECONDS)).hasMessageContaining("switch to the engine");
            assertThat(engine.counters().inFlight()).isZero();
        } finally {
            threads.shutdown();
        }
    }
}
