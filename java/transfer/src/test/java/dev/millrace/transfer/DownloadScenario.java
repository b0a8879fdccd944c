// SPDX-License-Identifier: Apache-2.0
package dev.millrace.transfer;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millrace.io.DirectMode;
import dev.millrace.io.TemporaryFile;
import dev.millrace.testkit.sim.FaultRates;
import dev.millrace.testkit.sim.PlantedFault;
import dev.millrace.testkit.sim.SimulatedDisk;
import dev.millrace.testkit.sim.Simulation;
import dev.millrace.testkit.sim.Trace;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.concurrent.AbstractExecutorService;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;

/**
 * Whole downloads, several at once, from a store that fails onto a disk that may: everything on the scenario's thread and
 * by the virtual clock. One that only the store troubles succeeds; one that fails leaves no name; and after a power loss at
 * any operation each name holds nothing or all.
 */
final class DownloadScenario {
    private static final int PAGE = 4096;
    private static final int MOST_OPERATIONS = 200;
    private static final int MOST_STEPS = 100_000;
    /** Steps within which a download may be cancelled. */
    private static final int CANCEL_WITHIN = 150;

    private static final int STEPS_AFTER = 200;
    /** Outcomes of one power loss that are looked at. */
    private static final int OUTCOMES = 4;

    private final Path folder;
    private final Optional<PlantedFault> fault;

    /**
     * A scenario.
     *
     * @param folder that is really there, and empty: a download looks at its target by other means than the engine's, too
     */
    DownloadScenario(Path folder, Optional<PlantedFault> fault) {
        this.folder = folder;
        this.fault = fault;
    }

    /** A pool of no threads: the scenario runs what is handed in, in an order by chance. */
    private static final class HandRun extends AbstractExecutorService {
        private final List<Runnable> waiting;
        private boolean shutDown;

        HandRun(List<Runnable> waiting) {
            this.waiting = waiting;
        }

        @Override
        public void execute(Runnable task) {
            if (shutDown) {
                throw new RejectedExecutionException("shut down");
            }
            synchronized (waiting) {
                waiting.add(task);
            }
        }

        @Override
        public void shutdown() {
            shutDown = true;
        }

        @Override
        public List<Runnable> shutdownNow() {
            shutDown = true;
            return List.of();
        }

        @Override
        public boolean isShutdown() {
            return shutDown;
        }

        @Override
        public boolean isTerminated() {
            return shutDown;
        }

        @Override
        public boolean awaitTermination(long timeout, TimeUnit unit) {
            return true;
        }
    }

    private static final class One {
        private final Path target;
        private final byte[] content;
        private final CompletableFuture<DownloadResult> download;
        private final CompletableFuture<DownloadResult> future;

        One(
                Path target,
                byte[] content,
                CompletableFuture<DownloadResult> download,
                CompletableFuture<DownloadResult> future) {
            this.download = download;
            this.target = target;
            this.content = content;
            this.future = future;
        }
    }

    void run(SplittableRandom random, Trace trace) throws Exception {
        FaultRates rates = random.nextInt(3) == 0 ? FaultRates.ERRORS : FaultRates.HARMLESS;
        SimulatedDisk disk = new SimulatedDisk(random.nextBoolean() ? 512 : PAGE, 1L << 30);
        disk.makeFolders(folder.toString());
        List<One> all = new ArrayList<>();
        Simulation.Size size = new Simulation.Size(2 + random.nextInt(3), 2 * PAGE, 8);
        boolean untroubled;
        try (Simulation simulation = new Simulation(disk, random, trace, size, rates, fault)) {
            if (random.nextInt(3) == 0) {
                simulation.driver().losePowerAt(1 + random.nextInt(MOST_OPERATIONS));
            }
            List<Runnable> waiting = new ArrayList<>();
            SimulatedSource source = new SimulatedSource(simulation.clock(), random.split());
            Timing timing = new SimulatedTiming(simulation.clock(), random.split());
            DownloaderConfig config = DownloaderConfig.defaults()
                    .withDirect(random.nextBoolean() ? DirectMode.PREFERRED : DirectMode.OFF)
                    .withBuffersPerDownload(2);
            try (Downloader downloader = Downloader.open(
                    simulation.engine(), source, config, timing, (name, threads) -> new HandRun(waiting))) {
                int count = 1 + random.nextInt(3);
                for (int i = 0; i < count; i++) {
                    all.add(start(downloader, source, i, random, trace));
                }
                CompletableFuture<?> ends = CompletableFuture.allOf(
                        all.stream().map(one -> one.future).toArray(CompletableFuture[]::new));
                drive(simulation, waiting, ends, all);
            }
            untroubled = rates.errors() == 0 && !disk.isDead();
        }
        for (One one : all) {
            disk.content(one.target.toString()).ifPresent(found -> assertWhole(one, found));
            checkOutcome(one, untroubled);
        }
        if (untroubled) {
            assertThat(disk.names(folder.toString()))
                    .hasSizeGreaterThanOrEqualTo(all.size() - 1)
                    .noneMatch(TemporaryFile::isTemporaryName);
        }
        for (int i = 0; i < OUTCOMES; i++) {
            checkNames(disk.afterPowerLoss(random.split()), all);
        }
    }

    private One start(Downloader downloader, SimulatedSource source, int number, SplittableRandom random, Trace trace) {
        byte[] content = new byte[random.nextInt(8 * PAGE)];
        random.nextBytes(content);
        String key = "key" + number;
        source.put(key, content, random.nextInt(6));
        Path target = folder.resolve(key);
        CompletableFuture<DownloadResult> future =
                downloader.download(DownloadRequest.of(new ObjectId("bucket", key), target));
        return new One(
                target,
                content,
                future,
                future.whenComplete((result, failure) ->
                        trace.add(key + (failure == null ? " is downloaded" : " failed: " + failure.getMessage()))));
    }

    /** Runs what waits, in any order, and has time pass where nothing does. */
    private static void drive(Simulation simulation, List<Runnable> waiting, CompletableFuture<?> ends, List<One> all) {
        SplittableRandom random = simulation.random();
        int cancelAt = random.nextInt(4) == 0 ? random.nextInt(CANCEL_WITHIN) : -1;
        // A cancelled future is done before its download is: some steps more, of which the watchdog's never end.
        int more = 0;
        for (int i = 0; !ends.isDone() || more < STEPS_AFTER; i++) {
            more += ends.isDone() ? 1 : 0;
            if (i == cancelAt) {
                all.get(random.nextInt(all.size())).download.cancel(true);
            }
            Optional<Runnable> task = take(random, waiting);
            if (task.isPresent()) {
                task.get().run();
            } else if (!simulation.step()) {
                throw new AssertionError("a download never ends: nothing is left to happen");
            }
            if (i > MOST_STEPS) {
                throw new AssertionError("a download does not end in " + MOST_STEPS + " steps");
            }
        }
    }

    private static Optional<Runnable> take(SplittableRandom random, List<Runnable> waiting) {
        synchronized (waiting) {
            return waiting.isEmpty() ? Optional.empty() : Optional.of(waiting.remove(random.nextInt(waiting.size())));
        }
    }

    private static void checkOutcome(One one, boolean untroubled) {
        if (one.future.isCompletedExceptionally()) {
            Throwable failure = one.future.handle((result, problem) -> problem).join();
            Throwable cause = failure instanceof CompletionException ? failure.getCause() : failure;
            if (one.download.isCancelled()) {
                return;
            }
            assertThat(cause).isInstanceOf(DownloadFailure.class);
            assertThat(untroubled)
                    .as("only the store was in trouble, and %s", cause)
                    .isFalse();
        }
    }

    private static void checkNames(SimulatedDisk after, List<One> all) {
        for (One one : all) {
            Optional<byte[]> found = after.content(one.target.toString());
            found.ifPresent(bytes -> assertWhole(one, bytes));
            assertThat(found.isPresent() || one.future.isCompletedExceptionally())
                    .as(one.target.getFileName() + " was told to be there")
                    .isTrue();
        }
    }

    private static void assertWhole(One one, byte[] found) {
        assertThat(Arrays.equals(found, one.content))
                .as(one.target.getFileName() + " is whole, and not other " + found.length + " bytes")
                .isTrue();
    }
}
