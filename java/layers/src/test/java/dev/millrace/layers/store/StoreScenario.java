// SPDX-License-Identifier: Apache-2.0
package dev.millrace.layers.store;

import static dev.millrace.layers.store.StoreRig.GENERATION;
import static dev.millrace.layers.store.StoreRig.READ;
import static dev.millrace.layers.store.StoreRig.TENANT;
import static dev.millrace.layers.store.StoreRig.TIMELINE;
import static dev.millrace.layers.store.StoreRig.name;
import static org.assertj.core.api.Assertions.assertThat;

import dev.millrace.io.TemporaryFile;
import dev.millrace.layers.AccessKind;
import dev.millrace.layers.KeyRange;
import dev.millrace.layers.LayerKey;
import dev.millrace.layers.LayerName;
import dev.millrace.layers.Lsn;
import dev.millrace.layers.ReadContext;
import dev.millrace.layers.TaskKind;
import dev.millrace.layers.format.GeneratedData;
import dev.millrace.layers.format.Reconstructed;
import dev.millrace.layers.stats.StatisticsReset;
import dev.millrace.testkit.sim.FaultRates;
import dev.millrace.testkit.sim.PlantedFault;
import dev.millrace.testkit.sim.SimulatedDisk;
import dev.millrace.testkit.sim.Trace;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;

/**
 * A store that is read, evicted, downloaded, listed, reset, pinned, detached, attached and given other indexes at random, on a
 * disk and before a store of objects that may fail: as {@link StoreModel}, with every interleaving chosen by a seed. Whoever
 * reads finds what was written; at any moment a final name holds nothing or all, whether the power goes then or not; nobody
 * waits for ever; and when the faults are over all layers can be read.
 */
final class StoreScenario {
    private static final int BLOBS = 4;
    private static final int BLOB = 18_001;
    private static final int OPERATIONS = 60;
    private static final int KEYS = 12;
    /** So small that all values lie in one block, and are read without a second thread. */
    private static final GeneratedData DATA = new GeneratedData(5, 50, 300, false);

    static final KeyRange RANGE = new KeyRange(GeneratedData.key(0), GeneratedData.key(KEYS));
    static final LayerName IMAGE = new LayerName.Image(RANGE, new Lsn(100));

    private final Path folder;
    private final byte[] image;
    private final Optional<PlantedFault> fault;

    /**
     * A scenario.
     *
     * @param folder that is really there or can be made
     * @param image the file of {@link #IMAGE}
     */
    StoreScenario(Path folder, byte[] image, Optional<PlantedFault> fault) {
        this.folder = folder;
        this.image = image.clone();
        this.fault = fault;
    }

    /** Its values by key. */
    static ByteBuffer value(int key) {
        return DATA.value(GeneratedData.key(key), new Lsn(100));
    }

    static int keys() {
        return KEYS;
    }

    private static byte[] blob(int number) {
        byte[] content = new byte[BLOB];
        new SplittableRandom(number).nextBytes(content);
        return content;
    }

    private static int number(Layer layer) {
        return Integer.parseInt(layer.name().toString().substring("layer_".length()));
    }

    void run(SplittableRandom random, Trace trace) throws Exception {
        Run run = new Run(random, trace);
        try (run.rig) {
            run.begin();
            for (int i = 0; i < OPERATIONS; i++) {
                run.operate();
                run.goOn(random.nextInt(16));
                if (random.nextInt(8) == 0) {
                    run.checkNames();
                }
            }
            run.end();
        }
    }

    /** What is known of the accesses of a layer, as in {@link StoreModel}. */
    private static final class Accesses {
        private long sure;
        private long maybe;
        private long taken;
    }

    private record Reading(Layer layer, CompletableFuture<LoadedLayer> future) {}

    private final class Run {
        private final SplittableRandom random;
        private final Trace trace;
        private final FaultRates rates;
        private final boolean troubled;
        private final boolean bounded;
        private final SimulatedStore rig;

        private final List<Reading> readings = new ArrayList<>();
        private final List<CompletableFuture<ResidentLayer>> pinnings = new ArrayList<>();
        private final List<CompletableFuture<?>> others = new ArrayList<>();
        private final List<LoadedLayer> loaded = new ArrayList<>();
        private final List<ResidentLayer> pinned = new ArrayList<>();
        private final Map<Layer, Accesses> accesses = new HashMap<>();
        private Optional<Timeline> timeline = Optional.empty();
        private int blobsInIndex = BLOBS;

        Run(SplittableRandom random, Trace trace) throws IOException {
            this.random = random;
            this.trace = trace;
            rates = switch (random.nextInt(3)) {
                case 0 -> FaultRates.ERRORS;
                case 1 -> FaultRates.NONE;
                default -> FaultRates.HARMLESS;
            };
            troubled = rates.errors() > 0;
            bounded = random.nextBoolean();
            LayerStoreConfig config = LayerStoreConfig.defaults();
            rig = new SimulatedStore(
                    folder,
                    random,
                    trace,
                    fault,
                    bounded ? config.withBounds((BLOBS - 1L) * BLOB, 100, 0) : config,
                    random.nextInt(2) * 12);
        }

        void begin() throws IOException {
            for (int i = 0; i < BLOBS; i++) {
                rig.putLayer(name(i), blob(i));
            }
            rig.putLayer(IMAGE, image);
            putIndex(BLOBS);
            timeline = Optional.of(rig.attach());
            rig.simulation.driver().rates(rates);
        }

        private void putIndex(int blobs) {
            IndexPart index = IndexPart.EMPTY.with(IMAGE, LayerFile.of(image.length, GENERATION));
            for (int i = 0; i < blobs; i++) {
                index = index.with(name(i), LayerFile.of(BLOB, GENERATION));
            }
            rig.putIndex(index);
            blobsInIndex = blobs;
        }

        /** So many things happen, and whatever is done then is taken. */
        void goOn(int steps) throws IOException {
            for (int i = 0; i < steps; i++) {
                rig.step();
            }
            collect();
        }

        // ------------------------------------------------------------------ operations

        void operate() throws IOException {
            int choice = random.nextInt(100);
            if (choice >= 91 && choice < 95) {
                detachAndAttach();
                return;
            }
            Timeline here = timeline.orElseThrow();
            Optional<Layer> found = here.layer(name(random.nextInt(BLOBS)));
            if (found.isEmpty()) {
                return; // not in the index now
            }
            Layer layer = found.get();
            trace.add("operation " + choice + " on " + layer.name());
            if (choice < 28) {
                readings.add(new Reading(layer, layer.load(AccessKind.ITER, context())));
            } else if (choice < 33) {
                readings.stream().skip(random.nextInt(3)).findFirst().ifPresent(one -> one.future.cancel(false));
            } else if (choice < 46) {
                others.add(layer.evict(EvictionReason.EXPLICIT));
            } else if (choice < 53) {
                others.add(layer.download(TaskKind.MGMT_REQUEST, DownloadReason.EXPLICIT));
            } else if (choice < 58) {
                layer.keepResident().ifPresent(pinned::add);
            } else if (choice < 64) {
                pinnings.add(layer.downloadAndKeepResident(context()));
            } else if (choice < 74) {
                letGo();
            } else if (choice < 78) {
                list(here);
            } else if (choice < 81) {
                boolean all = random.nextBoolean();
                long before = layer.statistics()
                        .snapshotAndReset(all ? StatisticsReset.ALL_STATS : StatisticsReset.JUST_TASK_KIND_FLAGS)
                        .accessCounts()
                        .get(AccessKind.ITER);
                of(layer).taken += all ? before : 0;
            } else if (choice < 84) {
                reload(here);
            } else if (choice < 86) {
                downloadAll(here);
            } else if (choice < 88) {
                others.add(rig.store().evict(random.nextInt(2 * BLOB)).done());
            } else if (choice < 91) {
                read(here);
            } else if (choice < 97) {
                if (!loaded.isEmpty()) {
                    loaded.get(random.nextInt(loaded.size())).reportRotten(new IOException("as the seed says"));
                }
            } else {
                rig.millis.incrementAndGet();
                rig.timing.tick();
            }
        }

        private ReadContext context() {
            return switch (random.nextInt(8)) {
                case 0 -> READ.withOnEvicted(ReadContext.OnEvicted.DENY);
                case 1 -> READ.withOnEvicted(ReadContext.OnEvicted.WARN);
                case 2 -> READ.withTimeout(Duration.ofMillis(random.nextInt(200)));
                default -> READ;
            };
        }

        private Accesses of(Layer layer) {
            return accesses.computeIfAbsent(layer, any -> new Accesses());
        }

        private void letGo() {
            if (!loaded.isEmpty()) {
                loaded.remove(random.nextInt(loaded.size())).close();
            }
            if (!pinned.isEmpty()) {
                pinned.remove(random.nextInt(pinned.size())).close();
            }
        }

        private void list(Timeline here) {
            assertThat(here.layers()).hasSize(blobsInIndex + 1);
            here.layers().forEach(one -> assertThat(one.size()).isPositive());
        }

        private void reload(Timeline here) throws IOException {
            putIndex(BLOBS - random.nextInt(2));
            try {
                here.reload();
                list(here);
            } catch (StoreFailure failure) {
                check(failure);
                blobsInIndex = here.layers().size() - 1;
            }
        }

        private void downloadAll(Timeline here) {
            try {
                others.add(here.downloadAll(1 + random.nextInt(3)).done());
            } catch (StoreFailure.WrongState runsAlready) {
                trace.add("all layers are being downloaded already");
            } catch (StoreFailure failure) {
                throw new AssertionError(failure);
            }
        }

        private void read(Timeline here) {
            try {
                assertThat(read(here, GeneratedData.key(random.nextInt(KEYS)))).isEmpty();
            } catch (IOException failure) {
                check(failure);
            }
        }

        /** What is wrong with a key's value. */
        private Optional<String> read(Timeline here, LayerKey key) throws IOException {
            Reconstructed found = here.reads().get(key, new Lsn(500), READ);
            return DATA.defect(key, new Lsn(100), found.image().orElseThrow().value());
        }

        private void detachAndAttach() throws IOException {
            boolean delete = random.nextBoolean();
            trace.add("detach" + (delete ? ", files and all" : ""));
            rig.detach(delete);
            timeline = Optional.empty();
            // Of an attach that fails nothing is left, and the next one succeeds as soon as the disk does its work.
            for (int i = 0; timeline.isEmpty(); i++) {
                rig.simulation.driver().rates(i < 3 ? rates : FaultRates.NONE);
                try {
                    timeline = Optional.of(rig.attach());
                } catch (StoreFailure failure) {
                    trace.add("attaching failed: " + failure.getMessage());
                    check(failure);
                    assertThat(i).as("tries").isLessThan(3);
                }
            }
            rig.simulation.driver().rates(rates);
            blobsInIndex = timeline.get().layers().size() - 1;
        }

        // ------------------------------------------------------------------ what came of it

        private void collect() throws IOException {
            for (Reading one : List.copyOf(readings)) {
                if (one.future.isDone()) {
                    readings.remove(one);
                    took(one);
                }
            }
            for (CompletableFuture<ResidentLayer> one : takeDone(pinnings)) {
                succeeded(one).ifPresent(pinned::add);
            }
            for (CompletableFuture<?> one : takeDone(others)) {
                succeeded(one);
            }
        }

        private static <F extends CompletableFuture<?>> List<F> takeDone(List<F> all) {
            List<F> done = all.stream().filter(CompletableFuture::isDone).toList();
            all.removeIf(CompletableFuture::isDone);
            return done;
        }

        private void took(Reading one) throws IOException {
            Optional<LoadedLayer> got = succeeded(one.future);
            if (got.isEmpty()) {
                of(one.layer).maybe++;
                return;
            }
            of(one.layer).sure++;
            try {
                ByteBuffer bytes = ByteBuffer.allocate(BLOB);
                got.get().file().readExact(bytes, 0);
                assertThat(Arrays.equals(bytes.array(), blob(number(one.layer))))
                        .as(one.layer + " has the bytes that were written")
                        .isTrue();
            } catch (IOException failure) {
                check(failure);
            }
            loaded.add(got.get());
            if (random.nextInt(3) != 0) {
                letGo();
            }
        }

        private <T> Optional<T> succeeded(CompletableFuture<T> future) throws IOException {
            try {
                return Optional.ofNullable(future.join());
            } catch (CancellationException givenUp) {
                return Optional.empty();
            } catch (java.util.concurrent.CompletionException e) {
                if (!(Waits.cause(e) instanceof IOException failure)) {
                    throw e;
                }
                trace.add("failed: " + failure.getMessage());
                check(failure);
                return Optional.empty();
            }
        }

        /** Fails where such a failure has no cause in what the seed has chosen. */
        private void check(IOException failure) {
            boolean asked = failure instanceof StoreFailure.ShuttingDown
                    || failure instanceof StoreFailure.NotFound
                    || failure instanceof StoreFailure.TimedOut
                    || failure instanceof StoreFailure.DownloadRequired;
            boolean room = failure instanceof StoreFailure.NoSpace || failure instanceof StoreFailure.BackingOff;
            if (!asked && !(bounded && room) && !troubled) {
                throw new AssertionError("a failure without a cause: " + failure, failure);
            }
        }

        void checkNames() {
            checkNames(rig.disk);
            checkNames(rig.disk.afterPowerLoss(random.split()));
        }

        private void checkNames(SimulatedDisk disk) {
            for (int i = 0; i < BLOBS; i++) {
                checkName(disk, name(i), blob(i));
            }
            checkName(disk, IMAGE, image);
        }

        private void checkName(SimulatedDisk disk, LayerName name, byte[] content) {
            rig.local(disk, name)
                    .ifPresent(found -> assertThat(Arrays.equals(found, content))
                            .as(name + " is whole, and not other " + found.length + " bytes")
                            .isTrue());
        }

        // ------------------------------------------------------------------ the end

        void end() throws IOException {
            trace.add("the end: nothing fails any more");
            rig.simulation.driver().rates(FaultRates.NONE);
            while (!loaded.isEmpty() || !pinned.isEmpty()) {
                letGo();
            }
            rig.settle();
            collect();
            while (!loaded.isEmpty() || !pinned.isEmpty()) {
                letGo();
            }
            rig.settle();
            collect();
            assertThat(readings).as("reads that never end").isEmpty();
            assertThat(pinnings).as("pins that never come").isEmpty();
            assertThat(others).as("evictions and downloads that never end").isEmpty();
            checkNames();
            checkCounts();
            Timeline here = timeline.orElseThrow();
            putIndex(BLOBS);
            here.reload();
            // The time of all back-offs.
            rig.timing.pass(Duration.ofSeconds(100));
            // All of them: what a failed removal has left is replaced by that.
            for (int i = 0; i < BLOBS; i++) {
                try (LoadedLayer layer = rig.await(here.requireLayer(name(i)).load(AccessKind.ITER, READ))) {
                    ByteBuffer bytes = ByteBuffer.allocate(BLOB);
                    layer.file().readExact(bytes, 0);
                    assertThat(bytes.array()).isEqualTo(blob(i));
                }
            }
            assertThat(read(here, GeneratedData.key(0))).isEmpty();
            rig.settle();
            checkAllIsCounted(here);
            for (Layer layer : here.layers()) {
                assertThat(rig.await(layer.evict(EvictionReason.EXPLICIT)))
                        .isIn(EvictionOutcome.EVICTED, EvictionOutcome.NOT_RESIDENT);
                assertThat(rig.local(rig.disk, layer.name())).isEmpty();
            }
            // What failures have left goes with the next attach.
            rig.detach(true);
            rig.attach();
            assertThat(rig.names()).noneMatch(TemporaryFile::isTemporaryName);
            rig.store().timeline(TENANT, TIMELINE);
        }

        private void checkCounts() {
            accesses.forEach((layer, counts) -> assertThat(counts.taken
                            + layer.statistics().snapshot().accessCounts().get(AccessKind.ITER))
                    .isBetween(counts.sure, counts.sure + counts.maybe));
            if (!troubled) {
                assertThat(rig.fatal).isEmpty();
                assertThat(bounded ? 0 : rig.store().metrics().downloadsFailed())
                        .isZero();
            }
        }

        private void checkAllIsCounted(Timeline here) {
            StoreMetrics metrics = rig.store().metrics();
            assertThat(metrics.evictionsStarted())
                    .isEqualTo(metrics.evictionsCompleted()
                            + metrics.evictionsCancelled().values().stream()
                                    .mapToLong(Long::longValue)
                                    .sum());
            long bytes = 0;
            long resident = 0;
            for (Layer layer : here.layers()) {
                boolean isHere = !layer.isRemote();
                bytes += isHere ? layer.size() : 0;
                resident += isHere ? 1 : 0;
                assertThat(rig.local(rig.disk, layer.name()).isPresent())
                        .as(layer + " and its file")
                        .isEqualTo(isHere);
            }
            assertThat(metrics.residentBytes()).isEqualTo(bytes);
            assertThat(metrics.residentLayers()).isEqualTo(resident);
        }
    }
}
