// SPDX-License-Identifier: Apache-2.0
package dev.millrace.layers.format;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.millrace.layers.LayerFileName;
import dev.millrace.layers.LayerName;
import dev.millrace.layers.Lsn;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What a writer takes, and what it refuses without losing what it has. */
class LayerWriterTest extends LayerFileTest {
    private static final ByteBuffer VALUE = Layers.bytes("value");

    @Test
    void refusesWhatIsOutOfOrderDoubleOrOutsideAndGoesOn() throws Exception {
        LayerName name = Layers.delta(10, 20, 100, 200);
        LayerWriter.Written written;
        try (LayerWriter writer = Layers.writer(engine, folder, name, Compression.NONE)) {
            writer.put(Layers.key(12), new Lsn(150), VALUE, true);
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> writer.put(Layers.key(12), new Lsn(150), VALUE, true))
                    .withMessageContaining("key " + Layers.key(12) + " at 0/96 comes a second time");
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> writer.put(Layers.key(12), new Lsn(149), VALUE, true))
                    .withMessageContaining(
                            "key " + Layers.key(12) + " at 0/95 comes behind key " + Layers.key(12) + " at 0/96");
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> writer.put(Layers.key(11), new Lsn(160), VALUE, true))
                    .withMessageContaining(Layers.key(11).toString())
                    .withMessageContaining(Layers.key(12).toString());
            for (long key : new long[] {9, 20}) {
                assertThatIllegalArgumentException()
                        .isThrownBy(() -> writer.put(Layers.key(key), new Lsn(160), VALUE, true))
                        .withMessageContaining("key " + Layers.key(key) + " lies outside");
            }
            for (long lsn : new long[] {99, 200}) {
                assertThatIllegalArgumentException()
                        .isThrownBy(() -> writer.put(Layers.key(13), new Lsn(lsn), VALUE, true))
                        .withMessageContaining("lies outside the LSNs");
            }
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> writer.put(Layers.key(13), VALUE))
                    .withMessageContaining("needs an LSN");
            writer.put(Layers.key(12), new Lsn(151), VALUE, false);
            written = writer.finish();
            assertThatThrownBy(writer::finish).hasMessageContaining("is finished");
        }
        assertThat(written.summary().entries()).isEqualTo(2);
        assertThat(written.summary().keys()).isEqualTo(1);
        try (LayerReader reader = Layers.open(readers, written)) {
            assertThat(Layers.all(reader).stream().map(LayerRecord::lsn)).containsExactly(new Lsn(150), new Lsn(151));
        }
    }

    @Test
    void refusesAnImagesKeysInTheWrongOrder() throws Exception {
        try (LayerWriter writer = Layers.writer(engine, folder, Layers.image(0, 9, 7), Compression.NONE)) {
            writer.put(Layers.key(5), VALUE);
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> writer.put(Layers.key(4), VALUE))
                    .withMessageContaining("key " + Layers.key(4) + " comes behind key " + Layers.key(5));
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> writer.put(Layers.key(6), new Lsn(7), VALUE, true))
                    .withMessageContaining("is an image");
        }
        assertThatIllegalArgumentException()
                .isThrownBy(() -> LayerWriter.create(
                        engine,
                        folder,
                        LayerFileName.parse("a-blob"),
                        Layers.TENANT,
                        Layers.TIMELINE,
                        Compression.NONE))
                .withMessageContaining("blob");
        assertThat(folder).isEmptyDirectory();
    }

    @Test
    void moreWritersAtOnceThanThePoolHasBuffersDoNotWaitForEachOther() throws Exception {
        List<LayerWriter> writers = new ArrayList<>();
        GeneratedData data = new GeneratedData(8, 5000, 9000, false);
        for (int i = 0; i < 3 * Layers.BUFFERS; i++) {
            writers.add(Layers.writer(engine, folder, Layers.image(0, 99, i), Compression.NONE));
        }
        for (int key = 0; key < 30; key++) {
            for (LayerWriter writer : writers) {
                writer.put(Layers.key(key), data.value(Layers.key(key), Lsn.ZERO));
            }
        }
        for (LayerWriter writer : writers) {
            LayerWriter.Written written = writer.finish();
            writer.close();
            try (LayerReader reader = Layers.open(readers, written)) {
                assertThat(Layers.all(reader))
                        .hasSize(30)
                        .allSatisfy(record -> assertThat(data.defect(record.key(), Lsn.ZERO, record.value()))
                                .isEmpty());
            }
        }
    }

    @Test
    void anIndexBeyondItsMemoryWaitsInASecondFileThatIsGoneAfterwards() throws Exception {
        LayerName name = Layers.image(0, 1 << 20, 7);
        int entries = 40_000; // more leaves than are kept in memory
        LayerWriter.Written written;
        try (LayerWriter writer = Layers.writer(engine, folder, name, Compression.NONE)) {
            for (int i = 0; i < entries; i++) {
                writer.put(Layers.key(i * 7L), ByteBuffer.allocate(4).putInt(0, i));
            }
            try (java.util.stream.Stream<java.nio.file.Path> files = java.nio.file.Files.list(folder)) {
                assertThat(files).hasSize(2);
            }
            written = writer.finish();
        }
        try (java.util.stream.Stream<java.nio.file.Path> files = java.nio.file.Files.list(folder)) {
            assertThat(files).containsExactly(written.path());
        }
        try (LayerReader reader = Layers.open(readers, written)) {
            assertThat(LayerInspection.of(reader).defects()).isEmpty();
            for (int i = 0; i < entries; i += 997) {
                assertThat(reader.read(Layers.key(i * 7L)).get(0).value().getInt(0))
                        .isEqualTo(i);
                assertThat(reader.read(Layers.key(i * 7L + 1))).isEmpty();
            }
        }
    }
}
