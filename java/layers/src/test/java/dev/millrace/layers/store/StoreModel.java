// SPDX-License-Identifier: Apache-2.0
package dev.millrace.layers.store;

import static dev.millrace.layers.store.StoreRig.CONFIG;
import static dev.millrace.layers.store.StoreRig.GENERATION;
import static dev.millrace.layers.store.StoreRig.READ;
import static dev.millrace.layers.store.StoreRig.SIZE;
import static dev.millrace.layers.store.StoreRig.TENANT;
import static dev.millrace.layers.store.StoreRig.TIMELINE;
import static dev.millrace.layers.store.StoreRig.content;
import static dev.millrace.layers.store.StoreRig.get;
import static dev.millrace.layers.store.StoreRig.name;
import static org.assertj.core.api.Assertions.assertThat;

import dev.millrace.layers.AccessKind;
import dev.millrace.layers.KeyRange;
import dev.millrace.layers.LayerFileName;
import dev.millrace.layers.LayerKey;
import dev.millrace.layers.LayerName;
import dev.millrace.layers.Lsn;
import dev.millrace.layers.LsnRange;
import dev.millrace.layers.ReadContext;
import dev.millrace.layers.TaskKind;
import dev.millrace.layers.format.Compression;
import dev.millrace.layers.format.GeneratedData;
import dev.millrace.layers.format.LayerWriter;
import dev.millrace.layers.format.Reconstruct;
import dev.millrace.layers.format.Reconstructed;
import dev.millrace.layers.stats.LayerAccessStats;
import dev.millrace.layers.stats.StatisticsReset;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.LongPredicate;

/**
 * Many threads read, evict, download, list, reset, pin, detach and attach at random, with room for most layers and not for
 * all. Whoever reads finds what was written; each access is counted once, whatever is reset meanwhile; nobody waits for ever;
 * and what is counted in the end is what is there.
 */
final class StoreModel {
    private static final int BLOBS = 5;
    private static final int KEYS = 40;
    private static final GeneratedData DATA = new GeneratedData(11, 100, 2000, false);
    private static final KeyRange RANGE = new KeyRange(GeneratedData.key(0), GeneratedData.key(KEYS));
    private static final LayerName IMAGE = new LayerName.Image(RANGE, new Lsn(100));
    private static final LayerName DELTA = new LayerName.Delta(RANGE, new LsnRange(new Lsn(101), new Lsn(200)));

    private final StoreRig rig;

    /** What is known of the accesses of a layer, as long as it is attached. */
    private static final class Accesses {
        /** Reads that were given what they asked for. */
        private final AtomicLong sure = new AtomicLong();
        /** Reads that were given up, or ended by a detach: before they were counted, or after. */
        private final AtomicLong maybe = new AtomicLong();
        /** Counted before a reset. */
        private final AtomicLong taken = new AtomicLong();
    }

    private final Map<Layer, Accesses> accesses = new ConcurrentHashMap<>();
    private final AtomicLong reported = new AtomicLong();
    private final AtomicReference<Optional<Throwable>> wrong = new AtomicReference<>(Optional.empty());

    private StoreModel(StoreRig rig) {
        this.rig = rig;
    }

    /**
     * Runs threads to their end and checks what is left.
     *
     * @param goOn whether a thread that has done so many operations does another
     */
    static void run(Path root, Combination on, int threads, LongPredicate goOn, long seed) throws Exception {
        Path folder = Files.createDirectories(root.resolve("run-" + seed));
        // Room for most of them, so that downloads have to make some.
        LayerStoreConfig config = CONFIG.withBounds(BLOBS * (long) SIZE, 100, 0);
        try (StoreRig rig = new StoreRig(folder, config, on)) {
            StoreModel model = new StoreModel(rig);
            model.putLayers();
            rig.attach();
            model.runThreads(threads, goOn, seed);
            model.check();
        }
    }

    private void putLayers() throws IOException {
        IndexPart index = StoreRig.index(BLOBS, GENERATION);
        for (int i = 0; i < BLOBS; i++) {
            rig.putLayer(name(i), content(i), GENERATION);
        }
        index = index.with(IMAGE, LayerFile.of(write(IMAGE), GENERATION));
        index = index.with(DELTA, LayerFile.of(write(DELTA), GENERATION));
        rig.putIndex(index, GENERATION);
    }

    /** The delta has a version of every other key. */
    private long write(LayerName layer) throws IOException {
        LayerFileName file = LayerFileName.of(layer, GENERATION);
        try (LayerWriter writer =
                LayerWriter.create(rig.engine, rig.remotePlace(), file, TENANT, TIMELINE, Compression.NONE)) {
            for (int i = 0; i < KEYS; i++) {
                LayerKey key = GeneratedData.key(i);
                if (layer.equals(IMAGE)) {
                    writer.put(key, DATA.value(key, new Lsn(100)));
                } else if (i % 2 == 0) {
                    writer.put(key, new Lsn(150), DATA.value(key, new Lsn(150)), false);
                }
            }
            return Files.size(writer.finish().path());
        }
    }

    private void runThreads(int threads, LongPredicate goOn, long seed) throws InterruptedException {
        List<Thread> all = new ArrayList<>();
        for (int i = 0; i < threads; i++) {
            SplittableRandom random = new SplittableRandom(seed * 1000 + i);
            // One alone, so that it always finds what it has attached.
            boolean mayDetach = i == 0;
            Thread thread = new Thread(() -> act(random, goOn, mayDetach), "model-" + i);
            all.add(thread);
            thread.start();
        }
        for (Thread thread : all) {
            thread.join();
        }
        assertThat(wrong.get()).isEmpty();
    }

    private void act(SplittableRandom random, LongPredicate goOn, boolean mayDetach) {
        try {
            for (long i = 0; goOn.test(i) && wrong.get().isEmpty(); i++) {
                try {
                    step(random, mayDetach);
                } catch (StoreFailure.ShuttingDown
                        | StoreFailure.NotFound
                        | StoreFailure.WrongState detachedMeanwhile) {
                    Thread.onSpinWait();
                }
            }
        } catch (IOException | RuntimeException | AssertionError e) {
            wrong.compareAndSet(Optional.empty(), Optional.of(e));
        }
    }

    // ------------------------------------------------------------------ operations

    private void step(SplittableRandom random, boolean mayDetach) throws IOException {
        int choice = random.nextInt(mayDetach ? 104 : 100);
        if (choice >= 100) {
            rig.store().detach(TENANT, TIMELINE, random.nextBoolean());
            rig.attach();
            return;
        }
        Timeline timeline = rig.store().timeline(TENANT, TIMELINE);
        Layer layer = timeline.requireLayer(name(random.nextInt(BLOBS)));
        if (choice < 30) {
            load(layer, random);
        } else if (choice < 45) {
            read(timeline, random);
        } else if (choice < 60) {
            evict(random.nextInt(4) == 0 ? timeline.requireLayer(random.nextBoolean() ? IMAGE : DELTA) : layer, random);
        } else if (choice < 70) {
            get(layer.download(TaskKind.MGMT_REQUEST, DownloadReason.EXPLICIT));
        } else if (choice < 72) {
            get(timeline.downloadAll(1 + random.nextInt(3)).done());
        } else if (choice < 80) {
            Optional<ResidentLayer> pin = layer.keepResident();
            if (pin.isPresent()) {
                check(pin.get());
            }
        } else if (choice < 88) {
            check(get(layer.downloadAndKeepResident(READ)));
        } else if (choice < 92) {
            reset(layer, random);
        } else if (choice < 94) {
            rig.store().evict(random.nextInt(2 * SIZE));
        } else if (choice < 96) {
            rig.millis.incrementAndGet();
            timeline.reload();
        } else {
            list(timeline);
        }
    }

    private static void list(Timeline timeline) {
        List<Layer> all = timeline.layers();
        assertThat(all).hasSize(BLOBS + 2);
        all.forEach(one -> {
            assertThat(one.size()).isPositive();
            if (!one.name().toString().startsWith("layer_")) {
                // Those that nobody resets.
                assertThat(one.statistics().snapshot().residenceEvents().toList())
                        .isNotEmpty();
            }
        });
    }

    private static void evict(Layer layer, SplittableRandom random) throws IOException {
        CompletableFuture<EvictionOutcome> eviction = layer.evict(EvictionReason.EXPLICIT);
        if (random.nextBoolean()) {
            get(eviction);
        }
    }

    private void reset(Layer layer, SplittableRandom random) {
        boolean all = random.nextBoolean();
        LayerAccessStats before = layer.statistics()
                .snapshotAndReset(all ? StatisticsReset.ALL_STATS : StatisticsReset.JUST_TASK_KIND_FLAGS);
        if (all) {
            of(layer).taken.addAndGet(before.accessCounts().get(AccessKind.ITER));
        }
    }

    private Accesses of(Layer layer) {
        return accesses.computeIfAbsent(layer, any -> new Accesses());
    }

    private void load(Layer layer, SplittableRandom random) throws IOException {
        CompletableFuture<LoadedLayer> future = layer.load(AccessKind.ITER, READ);
        Accesses counts = of(layer);
        if (random.nextInt(8) == 0 && future.cancel(false)) {
            counts.maybe.incrementAndGet();
            return;
        }
        try (LoadedLayer loaded = get(future)) {
            counts.sure.incrementAndGet();
            ByteBuffer bytes = ByteBuffer.allocate(SIZE);
            loaded.file().readExact(bytes, 0);
            assertThat(bytes.array()).isEqualTo(content(number(layer)).toBytes());
            if (random.nextInt(16) == 0) {
                reported.incrementAndGet();
                loaded.reportRotten(new IOException("as the test says"));
            }
        } catch (StoreFailure.ShuttingDown | StoreFailure.NotFound detachedMeanwhile) {
            counts.maybe.incrementAndGet();
            throw detachedMeanwhile;
        }
    }

    /** Values of a few keys, some as they were before the delta. */
    private static void read(Timeline timeline, SplittableRandom random) throws IOException {
        List<LayerReads.Wanted> wanted = new ArrayList<>();
        for (int i = 0; i <= random.nextInt(4); i++) {
            LayerKey key = GeneratedData.key(random.nextInt(KEYS));
            wanted.add(new LayerReads.Wanted(key, new Lsn(random.nextBoolean() ? 120 : 300)));
        }
        List<Reconstruct.Result> results = timeline.reads().get(wanted, READ);
        for (int i = 0; i < wanted.size(); i++) {
            LayerKey key = wanted.get(i).key();
            Reconstructed found = results.get(i).get();
            assertThat(DATA.defect(
                            key, new Lsn(100), found.image().orElseThrow().value()))
                    .isEmpty();
            boolean changed = GeneratedData.number(key).orElseThrow() % 2 == 0
                    && wanted.get(i).lsn().value() == 300;
            assertThat(found.records()).hasSize(changed ? 1 : 0);
            if (changed) {
                assertThat(DATA.defect(key, new Lsn(150), found.records().get(0).value()))
                        .isEmpty();
            }
        }
    }

    /** The name of a pinned layer's file is there while its timeline is attached; its timeline may be detached at any time. */
    private void check(ResidentLayer pin) throws IOException {
        try (pin) {
            assertThat(pin.size()).isEqualTo(SIZE);
            ReadContext deny = READ.uncounted().withOnEvicted(ReadContext.OnEvicted.DENY);
            try (LoadedLayer loaded = get(pin.layer().load(AccessKind.DUMP, deny))) {
                assertThat(loaded.size()).isEqualTo(SIZE);
            } catch (StoreFailure.DownloadRequired dropped) {
                // only where somebody has reported it rotten
                assertThat(reported.get()).isPositive();
            }
        }
    }

    private static int number(Layer layer) {
        return Integer.parseInt(layer.name().toString().substring("layer_".length()));
    }

    // ------------------------------------------------------------------ the end

    private void check() throws IOException {
        Timeline timeline = rig.store().timeline(TENANT, TIMELINE);
        // What is under way ends by itself, downloads that nobody waits for any more included.
        for (Layer layer : timeline.layers()) {
            get(layer.download(TaskKind.MGMT_REQUEST, DownloadReason.EXPLICIT));
        }
        StoreRig.until(() -> isQuiet(timeline));
        rig.assertConsistent();
        // There always was a layer that could go.
        assertThat(rig.metrics().noSpace()).isZero();
        assertThat(rig.metrics().downloadsFailed()).isZero();
        // Those of timelines that were detached, too.
        accesses.forEach((layer, counts) -> assertThat(counts.taken.get()
                        + layer.statistics().snapshot().accessCounts().get(AccessKind.ITER))
                .isBetween(counts.sure.get(), counts.sure.get() + counts.maybe.get()));
        for (Layer layer : timeline.layers()) {
            // Nobody holds anything: each can go.
            assertThat(get(layer.evict(EvictionReason.EXPLICIT)))
                    .isIn(EvictionOutcome.EVICTED, EvictionOutcome.NOT_RESIDENT);
            assertThat(layer.isRemote()).isTrue();
        }
        for (int i = 0; i < BLOBS; i++) {
            rig.assertReads(timeline.requireLayer(name(i)), content(i));
        }
        read(timeline, new SplittableRandom(0));
    }

    private boolean isQuiet(Timeline timeline) {
        try {
            StoreMetrics metrics = rig.metrics();
            long ended = metrics.evictionsCompleted()
                    + metrics.evictionsCancelled().values().stream()
                            .mapToLong(Long::longValue)
                            .sum();
            return metrics.evictionsStarted() == ended && metrics.residentBytes() == timeline.residentBytes();
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }
}
