// SPDX-License-Identifier: Apache-2.0
package dev.millrace.layers.store;

import static dev.millrace.layers.store.StoreRig.GENERATION;
import static dev.millrace.layers.store.StoreRig.PLACE;
import static dev.millrace.layers.store.StoreRig.TENANT;
import static dev.millrace.layers.store.StoreRig.TIMELINE;

import dev.millrace.io.DirectMode;
import dev.millrace.layers.LayerName;
import dev.millrace.testkit.sim.FaultRates;
import dev.millrace.testkit.sim.PlantedFault;
import dev.millrace.testkit.sim.SimulatedDisk;
import dev.millrace.testkit.sim.Simulation;
import dev.millrace.testkit.sim.Trace;
import dev.millrace.transfer.Downloader;
import dev.millrace.transfer.DownloaderConfig;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.concurrent.AbstractExecutorService;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.BooleanSupplier;

/**
 * A whole store on one thread: the engine and its disk are simulated, the store of objects lies in memory, time is virtual, and
 * all that pools would run is run by hand, in an order by chance. One seed, one run.
 *
 * <p>What the store looks at by other means than the engine's are folders: they really are there, and hold, while a timeline is
 * attached, files of the names and lengths that the simulated disk has.
 */
final class SimulatedStore implements AutoCloseable {
    private static final int MOST_STEPS = 100_000;
    private static final int BUFFERS = 24;
    private static final int BUFFER = 16 << 10;
    private static final int SLOTS = 16;

    final SimulatedDisk disk;
    final Simulation simulation;
    final SimulatedRemote remote;
    final ManualTiming timing;
    final AtomicLong millis = new AtomicLong(1_000);
    /** What the handler of fatal failures was told. */
    final List<IOException> fatal = new ArrayList<>();

    private final SplittableRandom random;
    private final Path place;
    private final List<Runnable> waiting = new ArrayList<>();
    private final LayerStore store;

    /**
     * A store over an empty folder, which is really there. Nothing fails yet.
     *
     * @param remoteFailsOneIn as {@link SimulatedRemote} says
     */
    SimulatedStore(
            Path folder,
            SplittableRandom random,
            Trace trace,
            Optional<PlantedFault> fault,
            LayerStoreConfig config,
            int remoteFailsOneIn)
            throws IOException {
        this.random = random;
        Path data = Files.createDirectories(folder).toRealPath();
        place = Files.createDirectories(data.resolve(PLACE.path()));
        disk = new SimulatedDisk(random.nextBoolean() ? 512 : 4096, 1L << 30);
        disk.makeFolders(place.toString());
        Simulation.Size size = new Simulation.Size(BUFFERS, BUFFER, SLOTS);
        simulation = new Simulation(disk, random, trace, size, FaultRates.NONE, fault);
        timing = new ManualTiming(simulation.clock());
        remote = new SimulatedRemote(simulation.clock(), random.split(), remoteFailsOneIn);
        DownloaderConfig downloads = DownloaderConfig.defaults()
                .withPermits(4, 2)
                .withBuffersPerDownload(2)
                .withDirect(random.nextBoolean() ? DirectMode.PREFERRED : DirectMode.OFF);
        store = LayerStore.open(
                simulation.engine(),
                data,
                new LayerStore.Remote(remote, Optional.empty(), "bucket", ""),
                config.withGeneration(GENERATION).withDownloader(downloads).withFatalHandler(fatal::add),
                new LayerStore.Surroundings(
                        timing,
                        () -> Instant.ofEpochMilli(millis.get()),
                        () -> new DiskSpace.Room(Long.MAX_VALUE / 2, Long.MAX_VALUE / 2),
                        pool -> new HandRun(),
                        (engine, source, downloading) -> Downloader.open(
                                engine,
                                source,
                                downloading,
                                new ManualTiming(simulation.clock()),
                                (name, threads) -> new HandRun()),
                        future -> until("what is waited for", future::isDone)));
    }

    /** A pool of no threads. */
    private final class HandRun extends AbstractExecutorService {
        private boolean shutDown;

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

    LayerStore store() {
        return store;
    }

    // ------------------------------------------------------------------ what happens

    /** Has one thing happen; false where there is none. Time passes only when nothing can be done without. */
    boolean step() {
        // Waits for the engine's thread to have done what it can: what is decided below must not depend on how far it
        // is.
        boolean inFlight = simulation.driver().nextDue().isPresent();
        Optional<Runnable> task = Optional.empty();
        synchronized (waiting) {
            if (!waiting.isEmpty() && !(inFlight && random.nextInt(4) == 0)) {
                task = Optional.of(waiting.remove(random.nextInt(waiting.size())));
            }
        }
        if (task.isPresent()) {
            task.get().run();
            return true;
        }
        return simulation.step();
    }

    void until(String what, BooleanSupplier holds) {
        for (int i = 0; !holds.getAsBoolean(); i++) {
            if (!step() && !holds.getAsBoolean()) {
                throw new AssertionError(what + " never comes: nothing is left to happen");
            }
            if (i > MOST_STEPS) {
                throw new AssertionError(what + " does not come in " + MOST_STEPS + " steps");
            }
        }
    }

    /** Until nothing is left to happen. */
    void settle() {
        for (int i = 0; step(); i++) {
            if (i > MOST_STEPS) {
                throw new AssertionError("it does not end in " + MOST_STEPS + " steps");
            }
        }
    }

    <T> T await(CompletableFuture<T> future) throws IOException {
        return Waits.forIo(future, done -> until("an answer", done::isDone));
    }

    // ------------------------------------------------------------------ timelines

    void putLayer(LayerName name, byte[] content) {
        remote.put(PLACE.path() + name + "-" + GENERATION, content);
    }

    void putIndex(IndexPart index) {
        remote.put(PLACE.path() + IndexPart.fileName(GENERATION), IndexPartJson.write(index));
    }

    Timeline attach() throws IOException {
        for (String name : disk.names(place.toString())) {
            try (RandomAccessFile file =
                    new RandomAccessFile(place.resolve(name).toFile(), "rw")) {
                file.setLength(disk.content(file(name)).orElseThrow().length);
            }
        }
        try {
            return store.attach(TENANT, TIMELINE);
        } finally {
            try (var files = Files.newDirectoryStream(place)) {
                for (Path file : files) {
                    Files.delete(file);
                }
            }
        }
    }

    void detach(boolean deleteFiles) throws IOException {
        store.detach(TENANT, TIMELINE, deleteFiles);
    }

    // ------------------------------------------------------------------ the disk

    /** Names in the timeline's folder. */
    List<String> names() {
        return disk.names(place.toString());
    }

    /** What lies under a layer's final name; empty where nothing does. */
    Optional<byte[]> local(SimulatedDisk on, LayerName name) {
        return on.content(file(name + "-" + GENERATION));
    }

    private String file(String name) {
        return place.resolve(name).toString();
    }

    /** Proves that nothing is left, of the store and of the engine. */
    @Override
    public void close() throws IOException {
        simulation.driver().rates(FaultRates.NONE);
        store.close();
        settle();
        simulation.close();
    }
}
