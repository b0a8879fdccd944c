// SPDX-License-Identifier: Apache-2.0
package dev.millrace.layers.store;

import static dev.millrace.layers.store.StoreRig.CONFIG;
import static dev.millrace.layers.store.StoreRig.READ;
import static dev.millrace.layers.store.StoreRig.SIZE;
import static dev.millrace.layers.store.StoreRig.TENANT;
import static dev.millrace.layers.store.StoreRig.TIMELINE;
import static dev.millrace.layers.store.StoreRig.content;
import static dev.millrace.layers.store.StoreRig.get;
import static dev.millrace.layers.store.StoreRig.name;
import static org.assertj.core.api.Assertions.assertThat;

import dev.millrace.layers.AccessKind;
import dev.millrace.layers.ReadContext;
import dev.millrace.layers.TaskKind;
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
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Many threads read, evict, download, list, pin, detach and attach at random; whoever has a layer finds its bytes, and what is
 * counted is what happened.
 */
class StoreModelTest {
    private static final int LAYERS = 5;

    @TempDir
    Path root;

    private final Map<Layer, AtomicLong> loads = new ConcurrentHashMap<>();
    private final Map<Layer, AtomicLong> givenUp = new ConcurrentHashMap<>();
    private final AtomicLong reported = new AtomicLong();
    private final AtomicReference<Optional<Throwable>> wrong = new AtomicReference<>(Optional.empty());

    @Test
    void holdsInAFewOperations() throws Exception {
        run(4, 150, 1);
    }

    @Test
    @Tag("slow")
    void holdsInManyOperations() throws Exception {
        for (long seed = 1; seed <= 8; seed++) {
            run(8, 2_000, seed);
        }
    }

    private void run(int threads, int operations, long seed) throws Exception {
        Path folder = Files.createDirectories(root.resolve("run-" + seed));
        // Room for most of them, so that downloads have to make some.
        try (StoreRig rig =
                new StoreRig(folder, CONFIG.withBounds((LAYERS - 1) * (long) SIZE, 100, 0)).withLayers(LAYERS)) {
            rig.attach();
            List<Thread> all = new ArrayList<>();
            for (int i = 0; i < threads; i++) {
                SplittableRandom random = new SplittableRandom(seed * 1000 + i);
                boolean mayDetach = i == 0;
                Thread thread = new Thread(() -> act(rig, random, operations, mayDetach));
                all.add(thread);
                thread.start();
            }
            for (Thread thread : all) {
                thread.join();
            }
            assertThat(wrong.get()).isEmpty();
            // What is under way ends by itself, downloads that nobody waits for any more included.
            for (Layer layer : rig.store().timeline(TENANT, TIMELINE).layers()) {
                get(layer.download(TaskKind.MGMT_REQUEST, DownloadReason.EXPLICIT));
            }
            StoreRig.until(() -> isQuiet(rig));
            rig.assertConsistent();
            // There always was a layer that could go.
            assertThat(rig.metrics().noSpace()).isZero();
            for (Layer layer : rig.store().timeline(TENANT, TIMELINE).layers()) {
                long counted = layer.statistics().snapshot().accessCounts().get(AccessKind.ITER);
                long sure = loads.getOrDefault(layer, new AtomicLong()).get();
                assertThat(counted)
                        .isBetween(
                                sure,
                                sure
                                        + givenUp.getOrDefault(layer, new AtomicLong())
                                                .get());
                // Nobody holds anything: each can go.
                assertThat(get(layer.evict(EvictionReason.EXPLICIT)))
                        .isIn(EvictionOutcome.EVICTED, EvictionOutcome.NOT_RESIDENT);
                rig.assertReads(layer, content(number(layer)));
            }
        }
    }

    private static boolean isQuiet(StoreRig rig) {
        try {
            StoreMetrics metrics = rig.metrics();
            long ended = metrics.evictionsCompleted()
                    + metrics.evictionsCancelled().values().stream()
                            .mapToLong(Long::longValue)
                            .sum();
            return metrics.evictionsStarted() == ended
                    && metrics.residentBytes()
                            == rig.store().timeline(TENANT, TIMELINE).residentBytes();
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    private static int number(Layer layer) {
        return Integer.parseInt(layer.name().toString().substring("layer_".length()));
    }

    private void act(StoreRig rig, SplittableRandom random, int operations, boolean mayDetach) {
        try {
            for (int i = 0; i < operations && wrong.get().isEmpty(); i++) {
                try {
                    step(rig, random, mayDetach);
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

    private void step(StoreRig rig, SplittableRandom random, boolean mayDetach) throws IOException {
        int choice = random.nextInt(mayDetach ? 105 : 100);
        if (choice >= 100) {
            rig.store().detach(TENANT, TIMELINE, random.nextBoolean());
            rig.attach();
            return;
        }
        Timeline timeline = rig.store().timeline(TENANT, TIMELINE);
        Layer layer = timeline.requireLayer(name(random.nextInt(LAYERS)));
        if (choice < 40) {
            load(layer, random);
        } else if (choice < 60) {
            CompletableFuture<EvictionOutcome> eviction = layer.evict(EvictionReason.EXPLICIT);
            if (random.nextBoolean()) {
                get(eviction);
            }
        } else if (choice < 75) {
            get(layer.download(TaskKind.MGMT_REQUEST, DownloadReason.EXPLICIT));
        } else if (choice < 85) {
            Optional<ResidentLayer> pin = layer.keepResident();
            if (pin.isPresent()) {
                check(pin.get());
            }
        } else if (choice < 95) {
            check(get(layer.downloadAndKeepResident(READ)));
        } else {
            assertThat(timeline.layers()).hasSize(LAYERS);
            timeline.layers().forEach(one -> {
                assertThat(one.size()).isEqualTo(SIZE);
                assertThat(one.statistics().snapshot().residenceEvents().toList())
                        .isNotEmpty();
            });
        }
    }

    private void load(Layer layer, SplittableRandom random) throws IOException {
        CompletableFuture<LoadedLayer> future = layer.load(AccessKind.ITER, READ);
        if (random.nextInt(8) == 0) {
            givenUp.computeIfAbsent(layer, any -> new AtomicLong()).incrementAndGet();
            if (future.cancel(false)) {
                return;
            }
        }
        try (LoadedLayer loaded = get(future)) {
            loads.computeIfAbsent(layer, any -> new AtomicLong()).incrementAndGet();
            ByteBuffer bytes = ByteBuffer.allocate(SIZE);
            loaded.file().readExact(bytes, 0);
            assertThat(bytes.array()).isEqualTo(content(number(layer)).toBytes());
            if (random.nextInt(16) == 0) {
                reported.incrementAndGet();
                loaded.reportRotten(new IOException("as the test says"));
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
}
