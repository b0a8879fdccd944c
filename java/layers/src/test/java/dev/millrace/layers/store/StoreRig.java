// SPDX-License-Identifier: Apache-2.0
package dev.millrace.layers.store;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millrace.io.IoEngine;
import dev.millrace.io.TemporaryFile;
import dev.millrace.layers.AccessKind;
import dev.millrace.layers.Generation;
import dev.millrace.layers.LayerName;
import dev.millrace.layers.Lsn;
import dev.millrace.layers.ReadContext;
import dev.millrace.layers.TaskKind;
import dev.millrace.layers.TenantId;
import dev.millrace.layers.TimelineId;
import dev.millrace.testkit.Content;
import dev.millrace.transfer.Downloader;
import dev.millrace.transfer.DownloaderConfig;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * A store on one {@link Combination} of engine and object store, with time and disk that do as a test says; and the check that
 * it leaves nothing behind.
 */
final class StoreRig implements AutoCloseable {
    static final TenantId TENANT = new TenantId("a".repeat(32));
    static final TimelineId TIMELINE = new TimelineId("b".repeat(32));
    static final RemoteStore.TimelinePlace PLACE = new RemoteStore.TimelinePlace(TENANT, TIMELINE);
    static final Generation GENERATION = new Generation(5);
    static final ReadContext READ = ReadContext.of(TaskKind.PAGE_REQUEST_HANDLER);
    static final int SIZE = 100_000;

    static final LayerStoreConfig CONFIG = LayerStoreConfig.defaults()
            .withGeneration(GENERATION)
            .withDownloader(DownloaderConfig.defaults().withPermits(8, 4).withMaxTriesWithoutProgress(3));

    private static final Pattern THREADS =
            Pattern.compile("millrace-(layers|prepare|publish|downloads|stream|timer).*");

    final Path root;
    final IoEngine engine;
    final Path dataFolder;
    final TestRemote remote;
    final TestSource source;
    /** What a test that failed has left, for which this one is not to blame. */
    private final int descriptorsBefore;

    private final Set<Thread> threadsBefore = threads();
    final ManualTiming timing = new ManualTiming();
    final AtomicLong millis = new AtomicLong(1_000);
    /** Of a disk that nobody else uses, without the layers on it. */
    final AtomicLong freeBytes = new AtomicLong(Long.MAX_VALUE);

    /** What happens when the disk is asked how much room it has. */
    final AtomicReference<Runnable> whenAskedForRoom = new AtomicReference<>(() -> {});

    /** Of the disk as a whole. */
    final AtomicLong totalBytes = new AtomicLong(Long.MAX_VALUE / 2);

    final LayerStoreConfig config;
    private Optional<LayerStore> store = Optional.empty();
    private HandExecutor workers = new HandExecutor(Runnable::run);

    StoreRig(Path root) throws IOException {
        this(root, CONFIG, Combination.MAIN);
    }

    StoreRig(Path root, LayerStoreConfig config, Combination on) throws IOException {
        this.root = root;
        this.config = config;
        engine = on.openEngine();
        descriptorsBefore = engine.descriptors().open();
        dataFolder = Files.createDirectories(root.resolve("data"));
        remote = TestRemote.open(on.remote(), root);
        source = new TestSource(remote.source());
    }

    static LayerName name(int number) {
        return LayerName.parse("layer_" + number);
    }

    static Content content(int number) {
        return Content.pattern(number + 1, SIZE);
    }

    // ------------------------------------------------------------------ the object store

    Path remotePlace() throws IOException {
        return Files.createDirectories(remote.folder().resolve(PLACE.path()));
    }

    /** Puts a layer there, of this generation. */
    void putLayer(LayerName name, Content content, Generation generation) throws IOException {
        remote.put(PLACE.path() + name + "-" + generation, content.toBytes());
    }

    void putIndex(IndexPart index, Generation generation) throws IOException {
        remote.put(PLACE.path() + IndexPart.fileName(generation), IndexPartJson.write(index));
    }

    static IndexPart index(int layers, Generation generation) {
        IndexPart index = IndexPart.EMPTY.withDiskConsistentLsn(new Lsn(16));
        for (int i = 0; i < layers; i++) {
            index = index.with(name(i), LayerFile.of(SIZE, generation));
        }
        return index;
    }

    /** Layers 0 to n-1 and an index that names them. */
    StoreRig withLayers(int count) throws IOException {
        for (int i = 0; i < count; i++) {
            putLayer(name(i), content(i), GENERATION);
        }
        putIndex(index(count, GENERATION), GENERATION);
        return this;
    }

    // ------------------------------------------------------------------ the store

    LayerStore open() throws IOException {
        LayerStore opened = LayerStore.open(
                engine,
                dataFolder,
                new LayerStore.Remote(source, Optional.of(remote.writer()), remote.bucket, ""),
                config,
                new LayerStore.Surroundings(
                        timing,
                        () -> Instant.ofEpochMilli(millis.get()),
                        () -> new DiskSpace.Room(free(), totalBytes.get()),
                        pool -> workers = new HandExecutor(pool),
                        Downloader::open,
                        Waits.Meanwhile.NOTHING));
        store = Optional.of(opened);
        return opened;
    }

    LayerStore store() throws IOException {
        return store.isPresent() ? store.get() : open();
    }

    Timeline attach() throws IOException {
        return store().attach(TENANT, TIMELINE);
    }

    private long free() {
        whenAskedForRoom.get().run();
        return freeBytes.get()
                - store.map(opened -> opened.metrics().residentBytes()).orElse(0L);
    }

    /** The steps of the store that block, to be stopped and let go on. */
    HandExecutor workers() {
        return workers;
    }

    StoreMetrics metrics() throws IOException {
        return store().metrics();
    }

    Path localPlace() {
        return dataFolder.resolve(PLACE.path());
    }

    Path local(LayerName name) {
        return localPlace().resolve(name + "-" + GENERATION);
    }

    /** Reads a layer whole, as a reader does, and compares. */
    void assertReads(Layer layer, Content content) throws IOException {
        assertReads(layer, content, READ);
    }

    void assertReads(Layer layer, Content content, ReadContext context) throws IOException {
        try (LoadedLayer loaded = get(layer.load(AccessKind.ITER, context))) {
            ByteBuffer bytes = ByteBuffer.allocate((int) loaded.size());
            loaded.file().readExact(bytes, 0);
            assertThat(bytes.array()).isEqualTo(content.toBytes());
        }
    }

    static <T> T get(CompletableFuture<T> future) throws IOException {
        try {
            return future.get(30, TimeUnit.SECONDS);
        } catch (ExecutionException e) {
            if (e.getCause() instanceof IOException failure) {
                throw failure;
            }
            throw new AssertionError(e.getCause());
        } catch (InterruptedException | TimeoutException e) {
            throw new AssertionError("no end within half a minute", e);
        }
    }

    /** Until something that is under way has come so far. */
    static void until(BooleanSupplier holds) {
        long end = System.nanoTime() + Duration.ofSeconds(30).toNanos();
        while (!holds.getAsBoolean()) {
            if (System.nanoTime() > end) {
                throw new AssertionError("did not come so far within half a minute");
            }
            LockSupport.parkNanos(50_000);
        }
    }

    /** What holds whenever nothing is under way; what is, unseen by a test, as the removal of a rotten copy, ends by itself. */
    void assertConsistent() throws IOException {
        until(() -> {
            try {
                return disagreement().isEmpty();
            } catch (IOException e) {
                throw new AssertionError(e);
            }
        });
        assertThat(disagreement()).isEmpty();
    }

    /** Between map, folder and counters; empty where there is none. */
    private List<String> disagreement() throws IOException {
        List<String> found = new ArrayList<>();
        StoreMetrics metrics = store().metrics();
        long ended = metrics.evictionsCompleted()
                + metrics.evictionsCancelled().values().stream()
                        .mapToLong(Long::longValue)
                        .sum();
        expect(found, "evictions that have ended", ended, metrics.evictionsStarted());
        long resident = 0;
        long bytes = 0;
        for (Timeline timeline : store().timelines()) {
            for (Layer layer : timeline.layers()) {
                if (Files.exists(layer.pathOf(layer.file())) == layer.isRemote()) {
                    found.add(layer + (layer.isRemote() ? " is remote and has a file" : " is resident without a file"));
                }
                resident += layer.isRemote() ? 0 : 1;
                bytes += layer.isRemote() ? 0 : layer.size();
            }
        }
        expect(found, "layers counted as resident", metrics.residentLayers(), resident);
        expect(found, "bytes counted as resident", metrics.residentBytes(), bytes);
        return found;
    }

    private static void expect(List<String> problems, String what, long is, long expected) {
        if (is != expected) {
            problems.add(what + ": " + is + " instead of " + expected);
        }
    }

    private static Set<Thread> threads() {
        return Thread.getAllStackTraces().keySet().stream()
                .filter(thread -> THREADS.matcher(thread.getName()).matches())
                .collect(Collectors.toSet());
    }

    @Override
    public void close() throws IOException {
        // Those that a test which failed has left stopped: the end of a store waits for them.
        workers.goOn();
        if (store.isPresent()) {
            store.get().close();
        }
        remote.close();
        assertThat(engine.buffers().available())
                .as("buffers in the pool")
                .isEqualTo(engine.buffers().size());
        assertThat(engine.counters().inFlight()).as("operations in flight").isZero();
        assertThat(engine.pendingFromCallers()).as("places in line").isZero();
        assertThat(engine.descriptors().open()).as("descriptors open").isEqualTo(descriptorsBefore);
        try (Stream<Path> all = Files.walk(dataFolder)) {
            assertThat(all).noneMatch(path -> TemporaryFile.isTemporaryName(String.valueOf(path.getFileName())));
        }
        // They are told to end, and do so when they are idle.
        until(() -> threadsBefore.containsAll(threads()));
    }
}
