// SPDX-License-Identifier: Apache-2.0
package dev.millrace.layers.store;

import static dev.millrace.layers.store.StoreRig.GENERATION;
import static dev.millrace.layers.store.StoreRig.READ;
import static dev.millrace.layers.store.StoreRig.TENANT;
import static dev.millrace.layers.store.StoreRig.TIMELINE;
import static dev.millrace.layers.store.StoreRig.get;
import static dev.millrace.layers.store.StoreRig.until;
import static org.assertj.core.api.Assertions.assertThat;

import dev.millrace.layers.AccessKind;
import dev.millrace.layers.KeyRange;
import dev.millrace.layers.LayerFileName;
import dev.millrace.layers.LayerKey;
import dev.millrace.layers.LayerName;
import dev.millrace.layers.Lsn;
import dev.millrace.layers.LsnRange;
import dev.millrace.layers.ReadContext;
import dev.millrace.layers.format.Compression;
import dev.millrace.layers.format.GeneratedData;
import dev.millrace.layers.format.LayerWriter;
import dev.millrace.layers.format.Reconstruct;
import dev.millrace.layers.format.Reconstructed;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * When layers that are evicted are fetched for reads: of four images at 100 side by side, and, over the first, a delta of 101
 * to 199 and one of 200 to 299, whose change of key 0 needs no older one.
 */
class BatchLoadsTest {
    private static final int IMAGES = 4;
    private static final int KEYS = 10;
    private static final GeneratedData DATA = new GeneratedData(7, 100, 400, false);
    private static final LayerName OLDER = delta(101, 200);
    private static final LayerName NEWER = delta(200, 300);

    @TempDir
    Path root;

    private StoreRig rig;
    private Timeline timeline;

    private static KeyRange range(int slice) {
        return new KeyRange(GeneratedData.key((long) slice * KEYS), GeneratedData.key((slice + 1L) * KEYS));
    }

    private static LayerName image(int slice) {
        return new LayerName.Image(range(slice), new Lsn(100));
    }

    private static LayerName delta(int from, int to) {
        return new LayerName.Delta(range(0), new LsnRange(new Lsn(from), new Lsn(to)));
    }

    @BeforeEach
    void open() throws IOException {
        rig = new StoreRig(root);
        IndexPart index = IndexPart.EMPTY;
        for (int i = 0; i < IMAGES; i++) {
            index = index.with(image(i), LayerFile.of(write(image(i), i, 100), GENERATION));
        }
        index = index.with(OLDER, LayerFile.of(write(OLDER, 0, 150), GENERATION));
        index = index.with(NEWER, LayerFile.of(write(NEWER, 0, 250), GENERATION));
        rig.putIndex(index, GENERATION);
        timeline = rig.attach();
    }

    @AfterEach
    void close() throws IOException {
        rig.source.holdNone();
        rig.assertConsistent();
        rig.close();
    }

    private long write(LayerName name, int slice, long lsn) throws IOException {
        try (LayerWriter writer = LayerWriter.create(
                rig.engine,
                rig.remotePlace(),
                LayerFileName.of(name, GENERATION),
                TENANT,
                TIMELINE,
                Compression.NONE)) {
            for (int i = 0; i < KEYS; i++) {
                LayerKey key = GeneratedData.key((long) slice * KEYS + i);
                if (name instanceof LayerName.Image) {
                    writer.put(key, DATA.value(key, new Lsn(lsn)));
                } else {
                    writer.put(key, new Lsn(lsn), DATA.value(key, new Lsn(lsn)), i == 0 && name.equals(NEWER));
                }
            }
            return Files.size(writer.finish().path());
        }
    }

    private long gets(LayerName name) {
        return rig.source.gets(name + "-" + GENERATION);
    }

    private long accesses(LayerName name) throws IOException {
        return timeline.requireLayer(name)
                .statistics()
                .snapshot()
                .accessCounts()
                .get(AccessKind.GET_VALUE_RECONSTRUCT_DATA);
    }

    private void assertNobodyHolds(LayerName name) throws IOException {
        assertThat(get(timeline.requireLayer(name).evict(EvictionReason.EXPLICIT)))
                .isEqualTo(EvictionOutcome.EVICTED);
    }

    private static <T> CompletableFuture<T> onAThread(IoCall<T> call) {
        CompletableFuture<T> result = new CompletableFuture<>();
        new Thread(() -> {
                    try {
                        result.complete(call.run());
                    } catch (IOException | RuntimeException e) {
                        result.completeExceptionally(e);
                    }
                })
                .start();
        return result;
    }

    private interface IoCall<T> {
        T run() throws IOException;
    }

    @Test
    void beginsToFetchTheFirstLayersOfAllValuesOfABatchTogether() throws IOException {
        List<LayerReads.Wanted> wanted = new ArrayList<>();
        for (int i = 0; i < IMAGES; i++) {
            wanted.add(new LayerReads.Wanted(GeneratedData.key((long) i * KEYS + 3), new Lsn(100)));
        }
        rig.source.hold(key -> true);
        CompletableFuture<List<Reconstruct.Result>> read =
                onAThread(() -> timeline.reads().get(wanted, READ));
        until(() -> rig.source.heldBack() == IMAGES);
        assertThat(read).isNotDone();
        rig.source.holdNone();
        List<Reconstruct.Result> results = get(read);
        for (int i = 0; i < IMAGES; i++) {
            LayerKey key = GeneratedData.key((long) i * KEYS + 3);
            Reconstructed value = results.get(i).get();
            assertThat(DATA.defect(
                            key, new Lsn(100), value.image().orElseThrow().value()))
                    .isEmpty();
            assertThat(gets(image(i))).isEqualTo(1);
            assertThat(accesses(image(i))).isEqualTo(1);
            assertNobodyHolds(image(i));
        }
        assertThat(gets(OLDER) + gets(NEWER)).isZero();
    }

    @Test
    void failsOnlyTheValueOfABatchWhoseLayerCannotBeFetched() throws IOException {
        rig.source.refuse(key -> key.endsWith(image(1) + "-" + GENERATION));
        List<Reconstruct.Result> results = timeline.reads()
                .get(
                        List.of(
                                new LayerReads.Wanted(GeneratedData.key(1), new Lsn(100)),
                                new LayerReads.Wanted(GeneratedData.key(KEYS + 1), new Lsn(100)),
                                new LayerReads.Wanted(GeneratedData.key(2 * KEYS + 1), new Lsn(100))),
                        READ);
        assertThat(results.get(0).get().image()).isPresent();
        assertThat(failure(() -> results.get(1).get())).isInstanceOf(StoreFailure.DownloadFailed.class);
        assertThat(results.get(2).get().image()).isPresent();
    }

    @Test
    void fetchesNothingOfABatchThatMustNotDownload() throws IOException {
        ReadContext deny = READ.withOnEvicted(ReadContext.OnEvicted.DENY);
        List<LayerReads.Wanted> wanted = new ArrayList<>();
        for (int i = 0; i < IMAGES; i++) {
            wanted.add(new LayerReads.Wanted(GeneratedData.key((long) i * KEYS), new Lsn(100)));
        }
        for (Reconstruct.Result result : timeline.reads().get(wanted, deny)) {
            assertThat(failure(result::get)).isInstanceOf(StoreFailure.DownloadRequired.class);
        }
        assertThat(rig.metrics().denied()).isEqualTo(IMAGES);
        assertThat(rig.metrics().downloadsCompleted()).isZero();
    }

    private static <T> Throwable failure(IoCall<T> call) {
        try {
            call.run();
        } catch (IOException e) {
            return e;
        }
        throw new AssertionError("no failure");
    }

    /** Whether an older layer is needed only the index of the newer one says, so none is fetched ahead of that. */
    @Test
    void fetchesNoOlderLayerOfAStackBelowARecordThatNeedsNone() throws IOException {
        Reconstructed value = timeline.reads().get(GeneratedData.key(0), new Lsn(500), READ);
        assertThat(value.records()).hasSize(1);
        assertThat(gets(NEWER)).isEqualTo(1);
        assertThat(gets(OLDER) + gets(image(0))).isZero();
        value = timeline.reads().get(GeneratedData.key(1), new Lsn(500), READ);
        assertThat(value.records()).hasSize(2);
        assertThat(value.image()).isPresent();
        assertThat(gets(NEWER) + gets(OLDER) + gets(image(0))).isEqualTo(3);
    }

    private static <T> Throwable interrupted(IoCall<T> call, Runnable whenItWaits) throws InterruptedException {
        AtomicReference<Throwable> failure = new AtomicReference<>(new AssertionError("no failure"));
        Thread reader = new Thread(() -> failure.set(failure(call)));
        reader.start();
        whenItWaits.run();
        reader.interrupt();
        reader.join();
        return failure.get();
    }

    @Test
    void letsGoOfLayersWhoseReaderWasInterruptedBeforeTheyCame() throws IOException, InterruptedException {
        rig.source.hold(key -> true);
        Throwable ofValue = interrupted(
                () -> timeline.reads().get(GeneratedData.key(1), new Lsn(100), READ),
                () -> until(() -> rig.source.heldBack() == 1));
        Throwable ofLayer = interrupted(
                () -> timeline.reads()
                        .keyIter(image(1), READ, entries -> entries.next().isPresent()),
                () -> until(() -> rig.source.heldBack() == 2));
        assertThat(ofValue).isInstanceOf(InterruptedIOException.class);
        assertThat(ofLayer).isInstanceOf(InterruptedIOException.class);
        rig.source.holdNone();
        for (int i = 0; i < 2; i++) {
            Layer layer = timeline.requireLayer(image(i));
            until(() -> !layer.isRemote());
            assertNobodyHolds(image(i));
        }
    }
}
