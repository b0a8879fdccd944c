// SPDX-License-Identifier: Apache-2.0
package dev.millrace.layers.format;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.millrace.layers.LayerName;
import dev.millrace.layers.Lsn;
import dev.millrace.layers.LsnRange;
import dev.millrace.layers.TenantId;
import dev.millrace.layers.TimelineId;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.NavigableMap;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Layers that are damaged, cut short, others', or none at all. */
class LayerDamageTest extends LayerFileTest {
    private static final LayerName NAME = Layers.delta(0, 1000, 1, 1000);
    private static final LsnRange ALL = new LsnRange(Lsn.ZERO, Lsn.MAX);
    private static final int FLIPS = 150;

    private final NavigableMap<Layers.At, Layers.Value> content = Layers.content();
    private byte[] sound = new byte[0];
    private LayerSummary summary;

    @BeforeEach
    void writeOne() throws IOException {
        GeneratedData small = new GeneratedData(1, 0, 40, false);
        GeneratedData large = new GeneratedData(1, 3000, 20_000, true);
        for (int i = 0; i < 900; i++) {
            Layers.At at = Layers.At.of(i, 5 + i % 50);
            GeneratedData data = i % 60 == 0 ? large : small;
            content.put(at, new Layers.Value(data.value(at.key(), at.lsn()), true));
        }
        LayerWriter.Written written = Layers.write(engine, folder, NAME, Compression.ZSTD, content);
        sound = Files.readAllBytes(written.path());
        summary = written.summary();
        assertThat(summary.height()).isEqualTo(2);
    }

    private Path damaged(byte[] bytes) throws IOException {
        return Files.write(folder.resolve("damaged"), bytes);
    }

    @Test
    void noticesEveryChangedByteWhereverItIs() throws Exception {
        Random random = new Random(11);
        for (int i = 0; i < FLIPS; i++) {
            byte[] bytes = sound.clone();
            // The first bytes of each block, too, which chance would seldom meet.
            int at = i < sound.length / Blocks.SIZE
                    ? Math.multiplyExact(i, Blocks.SIZE) + i % 32
                    : random.nextInt(bytes.length);
            bytes[at] ^= (byte) (1 << random.nextInt(8));
            String where = "a changed byte at " + at;
            try (LayerReader reader = LayerReader.open(readers, damaged(bytes))) {
                LayerInspection inspection = LayerInspection.of(reader);
                assertThat(inspection.defects()).as(where).hasSize(1);
                assertThat(inspection.defects().get(0)).contains("block " + at / Blocks.SIZE + " of the layer");
                assertThatThrownBy(() -> Layers.all(reader)).as(where).isInstanceOf(CorruptLayerException.class);
            } catch (LayerFileException e) {
                // Noticed at open: the summary, or the root of the index.
                int block = at / Blocks.SIZE;
                assertThat(block).as(where).isIn(0, (int) summary.indexRoot());
            }
        }
    }

    @Test
    void aDamagedBlockFailsExactlyThoseWhoNeedItAndSaysBothChecksums() throws Exception {
        Random random = new Random(12);
        for (int round = 0; round < 12; round++) {
            int block = 1 + random.nextInt((int) summary.indexStart() - 1);
            byte[] bytes = sound.clone();
            bytes[block * Blocks.SIZE + random.nextInt(Blocks.SIZE)] ^= 64;
            try (LayerReader reader = LayerReader.open(readers, damaged(bytes))) {
                List<LayerEntry> entries = Layers.entries(reader);
                List<Lookup> lookups = entries.stream()
                        .map(entry -> new Lookup(reader, entry.key(), ALL))
                        .toList();
                List<LookupResult> results = BatchReader.read(lookups);
                int failed = 0;
                for (int i = 0; i < entries.size(); i++) {
                    LayerEntry entry = entries.get(i);
                    boolean needs = entry.storedLength() > 0 && entry.block() <= block && block <= entry.lastBlock();
                    assertThat(results.get(i).failure().isPresent())
                            .as("entry " + entry + " and block " + block)
                            .isEqualTo(needs);
                    if (needs) {
                        failed++;
                        assertThat(results.get(i).failure().orElseThrow())
                                .isInstanceOf(CorruptLayerException.class)
                                .hasMessageContaining("block " + block + " of the layer " + reader.path())
                                .hasMessageMatching(".*CRC-32C is [0-9a-f]{8} and its content has [0-9a-f]{8}.*");
                    }
                }
                assertThat(failed).isPositive().isLessThan(entries.size());
            }
        }
    }

    @Test
    void noticesBlocksThatLieInEachOthersPlace() throws Exception {
        int first = 2;
        int second = (int) summary.indexStart() - 2;
        byte[] bytes = sound.clone();
        System.arraycopy(sound, first * Blocks.SIZE, bytes, second * Blocks.SIZE, Blocks.SIZE);
        System.arraycopy(sound, second * Blocks.SIZE, bytes, first * Blocks.SIZE, Blocks.SIZE);
        try (LayerReader reader = LayerReader.open(readers, damaged(bytes))) {
            assertThat(LayerInspection.of(reader).defects())
                    .hasSize(2)
                    .anyMatch(defect -> defect.contains("block " + first + " of the layer")
                            && defect.contains("block " + second + " lies there, with a good CRC-32C"));
        }
    }

    @Test
    void noticesAFileOfAnyOtherLength() throws Exception {
        for (int length : new int[] {sound.length - Blocks.SIZE, sound.length - 1, 2 * Blocks.SIZE, Blocks.SIZE}) {
            Path path = damaged(java.util.Arrays.copyOf(sound, length));
            assertThatThrownBy(() -> LayerReader.open(readers, path))
                    .isInstanceOf(CorruptLayerException.class)
                    .hasMessageContaining("the file has " + length + " bytes, and by its summary " + sound.length);
        }
        for (int length : new int[] {0, 1, Blocks.SIZE - 1}) {
            Path path = damaged(java.util.Arrays.copyOf(sound, length));
            assertThatThrownBy(() -> LayerReader.open(readers, path))
                    .isInstanceOf(UnsupportedLayerException.class)
                    .hasMessageContaining("is not a layer: it has " + length + " bytes");
        }
        Path longer = damaged(java.util.Arrays.copyOf(sound, sound.length + Blocks.SIZE));
        assertThatThrownBy(() -> LayerReader.open(readers, longer)).isInstanceOf(CorruptLayerException.class);
    }

    @Test
    void aFileThatIsCutWhileItIsOpenFailsThoseWhoNeedTheRest() throws Exception {
        Path path = damaged(sound);
        try (LayerReader reader = LayerReader.open(readers, path)) {
            List<LayerEntry> entries = Layers.entries(reader);
            long left = summary.indexStart() / 2;
            try (java.nio.channels.FileChannel channel =
                    java.nio.channels.FileChannel.open(path, java.nio.file.StandardOpenOption.WRITE)) {
                channel.truncate(left * Blocks.SIZE + 100);
            }
            List<ValueFetch> fetches =
                    entries.stream().map(entry -> new ValueFetch(reader, entry)).toList();
            BatchReader.fetch(fetches);
            for (int i = 0; i < entries.size(); i++) {
                LayerEntry entry = entries.get(i);
                ValueFetch fetch = fetches.get(i);
                if (entry.storedLength() == 0 || entry.lastBlock() < left) {
                    assertThat(fetch.record().value())
                            .isEqualTo(content.get(new Layers.At(entry.key(), entry.lsn()))
                                    .bytes());
                } else {
                    assertThatThrownBy(fetch::record)
                            .isInstanceOf(CorruptLayerException.class)
                            .hasMessageContaining("the file ends at byte");
                }
            }
        }
    }

    @Test
    void refusesALayerThatIsAnotherNamingBoth() throws Exception {
        Path path = damaged(sound);
        TenantId tenant = new TenantId("0".repeat(32));
        TimelineId timeline = new TimelineId("1".repeat(32));
        LayerName name = Layers.delta(0, 1000, 1, 1001);
        assertThat(catchThrowableOfType(
                        LayerMismatchException.class,
                        () -> LayerReader.open(readers, path, NAME, tenant, Layers.TIMELINE)))
                .hasMessageContaining("tenant is " + Layers.TENANT + " and not " + tenant);
        assertThat(catchThrowableOfType(
                        LayerMismatchException.class,
                        () -> LayerReader.open(readers, path, NAME, Layers.TENANT, timeline)))
                .hasMessageContaining("timeline is " + Layers.TIMELINE + " and not " + timeline);
        assertThat(catchThrowableOfType(
                        LayerMismatchException.class,
                        () -> LayerReader.open(readers, path, name, Layers.TENANT, Layers.TIMELINE)))
                .hasMessageContaining("name is " + NAME + " and not " + name);
    }

    @Test
    void refusesAnotherVersionAndWhatIsNoLayer() throws Exception {
        byte[] newer = sound.clone();
        ByteBuffer.wrap(newer).putShort(16, (short) 2);
        Blocks.seal(newer, 0, 0);
        Path path = damaged(newer);
        assertThatThrownBy(() -> LayerReader.open(readers, path))
                .isInstanceOf(UnsupportedLayerException.class)
                .hasMessageContaining("is of version 2 of the format, and this program reads version 1 only");
        Path text = Files.writeString(folder.resolve("text"), "no layer\n".repeat(5000));
        assertThatThrownBy(() -> LayerReader.open(readers, text))
                .isInstanceOf(UnsupportedLayerException.class)
                .hasMessageContaining("is not a layer");
        assertThatThrownBy(() -> LayerReader.open(readers, folder)).hasMessageContaining("it is a folder");
    }

    @Test
    void anIndexWithGoodChecksumsThatSaysWhatCannotBeIsNotFollowed() throws Exception {
        List<byte[]> lies = new ArrayList<>();
        int root = (int) summary.indexRoot() * Blocks.SIZE;
        int leaf = (int) summary.indexStart() * Blocks.SIZE;
        int prefix = sound[leaf + IndexNode.PREFIX_BYTES_AT];
        int firstValue = leaf + IndexNode.PREFIX_AT + prefix + IndexKeys.DELTA_BYTES - prefix;
        for (int at : new int[] {
            leaf + IndexNode.LEVEL_AT,
            leaf + IndexNode.COUNT_AT,
            leaf + IndexNode.PREFIX_BYTES_AT,
            firstValue + 6,
            firstValue,
            firstValue + 7,
            firstValue + 11,
            root + IndexNode.KEY_BYTES_AT
        }) {
            byte[] lie = sound.clone();
            lie[at] ^= 0x7c;
            int block = at / Blocks.SIZE;
            Blocks.seal(lie, block * Blocks.SIZE, block);
            lies.add(lie);
        }
        byte[] circle = sound.clone();
        int rootPrefix = sound[root + IndexNode.PREFIX_BYTES_AT];
        int child = root + IndexNode.PREFIX_AT + rootPrefix + IndexKeys.DELTA_BYTES - rootPrefix;
        ByteBuffer.wrap(circle).putInt(child, (int) summary.indexRoot());
        Blocks.seal(circle, root, summary.indexRoot());
        lies.add(circle);
        for (byte[] lie : lies) {
            Path path = damaged(lie);
            assertThatThrownBy(() -> {
                        try (LayerReader reader = LayerReader.open(readers, path)) {
                            assertThat(LayerInspection.of(reader).isSound()).isFalse();
                            reader.read(Layers.key(0));
                        }
                    })
                    .isInstanceOf(CorruptLayerException.class);
        }
    }
}
