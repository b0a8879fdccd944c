// SPDX-License-Identifier: Apache-2.0
package dev.millrace.layers.store;

import static dev.millrace.layers.store.StoreRig.GENERATION;
import static dev.millrace.layers.store.StoreRig.PLACE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.millrace.layers.Generation;
import dev.millrace.layers.Lsn;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RemoteStoreTest {
    @TempDir
    Path root;

    private StoreRig rig;

    /** On what; a subclass may say otherwise. */
    Combination on() {
        return Combination.MAIN;
    }

    @BeforeEach
    void open() throws IOException {
        rig = new StoreRig(root, StoreRig.CONFIG, on());
    }

    @AfterEach
    void close() throws IOException {
        if (rig == null) {
            return; // skipped
        }
        rig.close();
    }

    private static IndexPart at(int number) {
        return IndexPart.EMPTY.withDiskConsistentLsn(new Lsn(number));
    }

    private void put(int... generations) throws IOException {
        for (int number : generations) {
            rig.putIndex(at(number), new Generation(number));
        }
    }

    private int read(int generation) throws IOException {
        return (int) rig.store()
                .remote()
                .readIndex(PLACE, new Generation(generation))
                .index()
                .diskConsistentLsn()
                .value();
    }

    @Test
    void readsItsOwnIndexAndIgnoresNewerOnes() throws IOException {
        put(3, 4, 5, 6, 7);
        assertThat(read(5)).isEqualTo(5);
        assertThat(rig.source.allGets()).isEqualTo(1);
        assertThat(rig.source.lists()).isZero();
    }

    @Test
    void readsThePreviousOneWithoutListing() throws IOException {
        put(3, 4, 6);
        assertThat(read(5)).isEqualTo(4);
        assertThat(rig.source.lists()).isZero();
    }

    @Test
    void listsOnlyThenAndTakesTheNewestAtOrBelow() throws IOException {
        put(1, 3, 0x80, 0xffffffff);
        assertThat(read(0x7f)).isEqualTo(3);
        assertThat(rig.source.lists()).isEqualTo(1);
        assertThat(read(0xfffffffe)).isEqualTo(0x80);
    }

    @Test
    void saysThatThereIsNoneAtOrBelow() throws IOException {
        put(9);
        assertThatThrownBy(() -> read(5))
                .isInstanceOf(StoreFailure.NoIndex.class)
                .hasMessageContaining(PLACE.toString())
                .hasMessageContaining("00000005");
        assertThatThrownBy(() -> read(0)).isInstanceOf(StoreFailure.NoIndex.class);
    }

    @Test
    void neverChoosesAnUploadThatIsNotComplete() throws IOException {
        put(2);
        Files.writeString(rig.remotePlace().resolve("index_part.json-00000003.part"), "{\"version\":1,");
        Files.writeString(rig.remotePlace().resolve("index_part.json-0000000"), "{\"version\":1,");
        Files.writeString(rig.remotePlace().resolve("." + "0".repeat(32) + ".millrace-part"), "{\"version\":1,\"layer");
        assertThat(read(5)).isEqualTo(2);
    }

    @Test
    void takesNoOlderOneForOneThatIsCutShort() throws IOException {
        put(4);
        byte[] whole = IndexPartJson.write(StoreRig.index(3, GENERATION));
        Files.write(rig.remotePlace().resolve("index_part.json-00000005"), Arrays.copyOf(whole, whole.length / 2));
        assertThatThrownBy(() -> read(5))
                .isInstanceOf(StoreFailure.IndexUnreadable.class)
                .hasMessageContaining("index_part.json-00000005");
    }

    @Test
    void takesAStoreThatFailsForNoMissingIndex() throws IOException {
        put(4, 5);
        rig.source.refuse(key -> key.endsWith("-00000005"));
        assertThatThrownBy(() -> read(5))
                .isInstanceOf(StoreFailure.RemoteFailed.class)
                .hasMessageContaining("index_part.json-00000005");
        Files.move(rig.remote.folder(), rig.remote.folder().resolveSibling(rig.remote.bucket + "-elsewhere"));
        rig.source.refuse(key -> false);
        assertThatThrownBy(() -> read(5))
                .isInstanceOf(StoreFailure.RemoteFailed.class)
                .hasMessageContaining("NoSuchBucket");
    }

    @Test
    void replacesOnlyTheIndexThatWasRead() throws IOException {
        RemoteStore remote = rig.store().remote();
        Optional<String> first = remote.putIndex(PLACE, GENERATION, at(1), Optional.empty());
        Optional<String> second = remote.putIndex(PLACE, GENERATION, at(0x22), first);
        assertThat(read(5)).isEqualTo(0x22);
        assertThatThrownBy(() -> remote.putIndex(PLACE, GENERATION, at(3), first))
                .isInstanceOf(StoreFailure.IndexConflict.class);
        assertThatThrownBy(() -> remote.putIndex(PLACE, GENERATION, at(3), Optional.empty()))
                .isInstanceOf(StoreFailure.IndexConflict.class);
        assertThat(read(5)).isEqualTo(0x22);
        // Our own, put twice since the first answer was lost, is no conflict.
        assertThat(remote.putIndex(PLACE, GENERATION, at(0x22), first)).isEqualTo(second);
    }

    @Test
    void findsTimelines() throws IOException {
        put(1);
        Path nonsense = Files.createDirectories(rig.remote.folder().resolve("tenants/nonsense/timelines/x"));
        Files.writeString(nonsense.resolve("index_part.json-00000001"), "");
        assertThat(rig.store().remote().timelines()).containsExactly(PLACE);
    }

    @Test
    void namesALayersObjectByItsOwnGeneration() throws IOException {
        rig.putLayer(StoreRig.name(0), StoreRig.content(0), new Generation(2));
        rig.putLayer(StoreRig.name(1), StoreRig.content(1), GENERATION);
        rig.putIndex(
                StoreRig.index(1, new Generation(2)).with(StoreRig.name(1), LayerFile.of(StoreRig.SIZE, GENERATION)),
                GENERATION);
        Timeline timeline = rig.attach();
        rig.assertReads(timeline.requireLayer(StoreRig.name(0)), StoreRig.content(0));
        rig.assertReads(timeline.requireLayer(StoreRig.name(1)), StoreRig.content(1));
        assertThat(rig.localPlace().resolve("layer_0-00000002")).exists();
        assertThat(rig.localPlace().resolve("layer_1-00000005")).exists();
    }
}
