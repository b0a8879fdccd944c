// SPDX-License-Identifier: Apache-2.0
package dev.millrace.layers.store;

import static dev.millrace.layers.store.StoreRig.GENERATION;
import static dev.millrace.layers.store.StoreRig.READ;
import static dev.millrace.layers.store.StoreRig.TENANT;
import static dev.millrace.layers.store.StoreRig.TIMELINE;
import static dev.millrace.layers.store.StoreRig.get;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

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
import dev.millrace.layers.format.CorruptLayerException;
import dev.millrace.layers.format.GeneratedData;
import dev.millrace.layers.format.LayerRecord;
import dev.millrace.layers.format.LayerWriter;
import dev.millrace.layers.format.Reconstruct;
import dev.millrace.layers.format.Reconstructed;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Reads of a timeline of one image at 100 and deltas above it, of 50 keys. */
class LayerReadsTest {
    private static final int KEYS = 50;
    private static final GeneratedData DATA = new GeneratedData(7, 100, 400, false);
    private static final KeyRange RANGE = new KeyRange(GeneratedData.key(0), GeneratedData.key(KEYS));
    private static final LayerName IMAGE = new LayerName.Image(RANGE, new Lsn(100));
    private static final LayerName DELTA = new LayerName.Delta(RANGE, new LsnRange(new Lsn(101), new Lsn(200)));

    @TempDir
    Path root;

    private StoreRig rig;
    private Timeline timeline;

    /** On what; a subclass may say otherwise. */
    Combination on() {
        return Combination.MAIN;
    }

    @BeforeEach
    void open() throws IOException {
        rig = new StoreRig(root, StoreRig.CONFIG, on());
        IndexPart index = IndexPart.EMPTY;
        index = index.with(IMAGE, LayerFile.of(write(rig.remotePlace(), IMAGE), GENERATION));
        index = index.with(DELTA, LayerFile.of(write(rig.remotePlace(), DELTA), GENERATION));
        rig.putIndex(index, GENERATION);
        timeline = rig.attach();
    }

    @AfterEach
    void close() throws IOException {
        if (rig == null) {
            return; // skipped
        }
        try (StoreRig ending = rig) {
            ending.assertConsistent();
        }
    }

    private long write(Path folder, LayerName name) throws IOException {
        try (LayerWriter writer = LayerWriter.create(
                rig.engine, folder, LayerFileName.of(name, GENERATION), TENANT, TIMELINE, Compression.NONE)) {
            for (int i = 0; i < KEYS; i++) {
                LayerKey key = GeneratedData.key(i);
                if (name.equals(IMAGE)) {
                    writer.put(key, DATA.value(key, new Lsn(100)));
                } else {
                    writer.put(key, new Lsn(150), DATA.value(key, new Lsn(150)), false);
                }
            }
            return Files.size(writer.finish().path());
        }
    }

    private static void assertValue(LayerRecord record, int key, int lsn) {
        assertThat(DATA.defect(GeneratedData.key(key), new Lsn(lsn), record.value()))
                .isEmpty();
    }

    private Layer layer(LayerName name) throws IOException {
        return timeline.requireLayer(name);
    }

    private long count(LayerName name, AccessKind kind) throws IOException {
        return layer(name).statistics().snapshot().accessCounts().get(kind);
    }

    @Test
    void collectsAValueFromTheLayersThatItNeedsAndDownloadsNoOthers() throws IOException {
        Reconstructed old = timeline.reads().get(GeneratedData.key(3), new Lsn(100), READ);
        assertValue(old.image().orElseThrow(), 3, 100);
        assertThat(old.records()).isEmpty();
        assertThat(layer(DELTA).isRemote()).isTrue();
        Reconstructed now = timeline.reads().get(GeneratedData.key(3), new Lsn(500), READ);
        assertValue(now.image().orElseThrow(), 3, 100);
        assertValue(now.records().get(0), 3, 150);
        assertThat(count(IMAGE, AccessKind.GET_VALUE_RECONSTRUCT_DATA)).isEqualTo(2);
        assertThat(count(DELTA, AccessKind.GET_VALUE_RECONSTRUCT_DATA)).isEqualTo(1);
        StoreMetrics.IoTime reads = rig.metrics().io().get(IoOperation.READ);
        assertThat(reads.operations()).as("a root and a value of each layer").isGreaterThanOrEqualTo(4);
        assertThat(reads.nanos()).isPositive();
        // Nobody holds them any more.
        assertThat(get(layer(IMAGE).evict(EvictionReason.EXPLICIT))).isEqualTo(EvictionOutcome.EVICTED);
        assertThat(get(layer(DELTA).evict(EvictionReason.EXPLICIT))).isEqualTo(EvictionOutcome.EVICTED);
        assertThat(timeline.reads().get(GeneratedData.key(3), new Lsn(500), READ))
                .isEqualTo(now);
    }

    @Test
    void readsManyTogetherAndFailsOnlyThoseWhoseLayerCannotBeHad() throws IOException {
        timeline.reads().get(GeneratedData.key(0), new Lsn(100), READ);
        List<LayerReads.Wanted> wanted = new ArrayList<>();
        for (int i = 0; i < KEYS; i++) {
            wanted.add(new LayerReads.Wanted(GeneratedData.key(i), new Lsn(i % 2 == 0 ? 100 : 300)));
        }
        ReadContext deny = READ.withOnEvicted(ReadContext.OnEvicted.DENY);
        List<Reconstruct.Result> results = timeline.reads().get(wanted, deny);
        for (int i = 0; i < KEYS; i++) {
            Reconstruct.Result result = results.get(i);
            if (i % 2 == 0) {
                assertValue(result.get().image().orElseThrow(), i, 100);
            } else {
                assertThatThrownBy(result::get).isInstanceOf(StoreFailure.DownloadRequired.class);
            }
        }
        results = timeline.reads().get(wanted, READ);
        for (int i = 1; i < KEYS; i += 2) {
            assertValue(results.get(i).get().records().get(0), i, 150);
        }
        assertThat(rig.metrics().downloadsCompleted()).isEqualTo(2);
        assertThat(rig.store().blockCache().hits()).isPositive();
    }

    @Test
    void countsEachWayToReadAsItself() throws IOException {
        List<LayerKey> keys = new ArrayList<>();
        timeline.reads().iter(IMAGE, READ, records -> {
            for (Optional<LayerRecord> next = records.next(); next.isPresent(); next = records.next()) {
                keys.add(next.get().key());
            }
            return keys;
        });
        assertThat(keys).hasSize(KEYS).isSorted();
        boolean some =
                timeline.reads().keyIter(IMAGE, READ, entries -> entries.next().isPresent());
        assertThat(some).isTrue();
        StringBuilder text = new StringBuilder();
        timeline.reads().dump(IMAGE, ReadContext.of(TaskKind.MGMT_REQUEST), text);
        assertThat(text).contains(GeneratedData.key(KEYS - 1).toString());
        for (AccessKind kind : AccessKind.values()) {
            assertThat(count(IMAGE, kind)).isEqualTo(kind == AccessKind.GET_VALUE_RECONSTRUCT_DATA ? 0 : 1);
        }
        assertThat(count(DELTA, AccessKind.ITER)).isZero();
    }

    /** Flips a byte of the first block of values, which lies behind the summary. */
    private void damage(LayerName name) throws IOException {
        Path file = rig.localPlace().resolve(name + "-" + GENERATION);
        byte[] bytes = Files.readAllBytes(file);
        bytes[8192 + 100] ^= 1;
        Files.write(file, bytes);
    }

    @Test
    void fetchesADamagedLayerAnewOnce() throws IOException {
        timeline.reads().get(GeneratedData.key(0), new Lsn(300), READ);
        damage(IMAGE);
        Reconstructed mended = timeline.reads().get(GeneratedData.key(0), new Lsn(300), READ);
        assertValue(mended.image().orElseThrow(), 0, 100);
        assertThat(rig.metrics().localFilesRotten()).isEqualTo(1);
        // Where what the store has is damaged, too, that is said, and not fetched for ever.
        Path remote = rig.remotePlace().resolve(IMAGE + "-" + GENERATION);
        damage(IMAGE);
        Files.copy(rig.localPlace().resolve(IMAGE + "-" + GENERATION), remote, StandardCopyOption.REPLACE_EXISTING);
        long before = rig.source.gets(IMAGE + "-" + GENERATION);
        assertThatThrownBy(() -> timeline.reads().get(GeneratedData.key(0), new Lsn(300), READ))
                .isInstanceOf(CorruptLayerException.class);
        assertThat(rig.source.gets(IMAGE + "-" + GENERATION) - before).isEqualTo(1);
        assertThatThrownBy(() -> timeline.reads().get(GeneratedData.key(0), new Lsn(300), READ))
                .isInstanceOf(StoreFailure.BackingOff.class);
    }

    /** One bit of each block: of the summary, of values and of the index. */
    @Test
    void noticesABitThatFlipsAnywhereNamesTheLayerAndFetchesItAnew() throws IOException {
        SplittableRandom random = new SplittableRandom(3);
        Path file = rig.localPlace().resolve(IMAGE + "-" + GENERATION);
        get(layer(IMAGE).download(TaskKind.MGMT_REQUEST, DownloadReason.EXPLICIT));
        byte[] whole = Files.readAllBytes(file);
        int blocks = whole.length / 8192;
        assertThat(blocks).isGreaterThanOrEqualTo(3);
        for (int block = 0; block < blocks; block++) {
            // So that nothing is open, and nothing cached.
            rig.store().detach(TENANT, TIMELINE, false);
            byte[] rotten = whole.clone();
            int bit = random.nextInt(8192 * 8);
            rotten[block * 8192 + bit / 8] ^= (byte) (1 << bit % 8);
            Files.write(file, rotten);
            timeline = rig.attach();
            assertThat(layer(IMAGE).isRemote()).isFalse();
            for (int i = 0; i < KEYS; i++) {
                Reconstructed value = timeline.reads().get(GeneratedData.key(i), new Lsn(100), READ);
                assertValue(value.image().orElseThrow(), i, 100);
            }
            assertThat(rig.metrics().localFilesRotten())
                    .as("block %d, bit %d", block, bit)
                    .isEqualTo(block + 1);
            assertThat(Files.readAllBytes(file)).isEqualTo(whole);
        }
        assertThat(rig.source.gets(IMAGE + "-" + GENERATION)).isEqualTo(blocks + 1);
    }

    @Test
    void fetchesAnewAFileThatIsAnotherLayers() throws IOException {
        get(layer(IMAGE).download(TaskKind.MGMT_REQUEST, DownloadReason.EXPLICIT));
        byte[] other = new byte[(int) layer(IMAGE).size()];
        Files.write(rig.localPlace().resolve(IMAGE + "-" + GENERATION), other);
        Reconstructed value = timeline.reads().get(GeneratedData.key(0), new Lsn(100), READ);
        assertValue(value.image().orElseThrow(), 0, 100);
        assertThat(rig.metrics().localFilesRotten()).isEqualTo(1);
    }

    @Test
    void publishesWhatAWriterHasFinishedAndFindsItByKey() throws IOException {
        LayerName newest = new LayerName.Image(RANGE, new Lsn(400));
        Path written;
        try (LayerWriter writer = LayerWriter.create(
                rig.engine,
                timeline.folder(),
                LayerFileName.of(newest, GENERATION),
                TENANT,
                TIMELINE,
                Compression.NONE)) {
            writer.put(GeneratedData.key(1), DATA.value(GeneratedData.key(1), new Lsn(400)));
            written = writer.finish().path();
        }
        timeline.publish(newest, written, Optional.empty());
        assertValue(
                timeline.reads()
                        .get(GeneratedData.key(1), new Lsn(400), READ)
                        .image()
                        .orElseThrow(),
                1,
                400);
        assertThat(timeline.reads()
                        .get(GeneratedData.key(2), new Lsn(400), READ)
                        .isAbsent())
                .isTrue();
        assertThat(rig.metrics().downloadsCompleted()).isZero();
        timeline.upload(new Lsn(400));
        assertThat(rig.remotePlace().resolve(newest + "-" + GENERATION)).exists();
    }
}
