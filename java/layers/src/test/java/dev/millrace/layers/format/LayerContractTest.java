// SPDX-License-Identifier: Apache-2.0
package dev.millrace.layers.format;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.millrace.io.EngineKind;
import dev.millrace.io.IoEngine;
import dev.millrace.layers.LayerName;
import dev.millrace.layers.Lsn;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;

/** What is written is what is read, on every engine. */
@ParameterizedClass(name = "{0}")
@EnumSource(EngineKind.class)
@Timeout(60)
class LayerContractTest {
    private static final List<Integer> SIZES = List.of(
            0,
            1,
            63,
            64,
            Blocks.CONTENT - 1,
            Blocks.CONTENT,
            Blocks.CONTENT + 1,
            Blocks.SIZE,
            5 * Blocks.CONTENT + 3,
            0,
            1 << 20);

    @Parameter
    EngineKind kind;

    @TempDir
    Path folder;

    private IoEngine engine;
    private LayerReaders readers;

    @BeforeEach
    void open() {
        engine = Layers.engine(kind);
        readers = Layers.readers(engine);
    }

    @AfterEach
    void nothingIsLeftBehind() throws Exception {
        if (engine == null) {
            return; // skipped
        }
        int available = engine.buffers().available();
        engine.close();
        assertThat(available).as("buffers in the pool").isEqualTo(Layers.BUFFERS);
        try (Stream<Path> files = Files.list(folder)) {
            assertThat(files.map(Path::toString)).noneMatch(name -> name.endsWith(".millrace-part"));
        }
    }

    private static NavigableMap<Layers.At, Layers.Value> ofAllSizes(boolean image, boolean compressible) {
        NavigableMap<Layers.At, Layers.Value> content = Layers.content();
        Random random = new Random(5);
        for (int i = 0; i < 2 * SIZES.size(); i++) {
            int size = SIZES.get(i % SIZES.size());
            Layers.At at = image ? Layers.At.of(i, 7) : Layers.At.of(i / 3, 10 + i);
            GeneratedData data = new GeneratedData(3, size, size, compressible);
            content.put(at, new Layers.Value(data.value(at.key(), at.lsn()), image || random.nextBoolean()));
        }
        return content;
    }

    @Test
    void givesBackEveryValueOfEverySizeInEveryWay() throws Exception {
        for (Compression compression : Compression.values()) {
            for (boolean image : List.of(true, false)) {
                LayerName name = image ? Layers.image(0, 50, 7) : Layers.delta(0, 50, 10, 60);
                NavigableMap<Layers.At, Layers.Value> content = ofAllSizes(image, true);
                Path place = Files.createDirectory(folder.resolve(compression + "-" + image));
                LayerWriter.Written written = Layers.write(engine, place, name, compression, content);
                assertThat(Files.size(written.path()))
                        .isEqualTo(written.summary().fileBytes());
                assertThat(written.summary().storedBytes() < written.summary().valueBytes())
                        .isEqualTo(compression == Compression.ZSTD);
                try (LayerReader reader = Layers.open(readers, written)) {
                    assertThat(reader.summary()).isEqualTo(written.summary());
                    List<LayerRecord> expected = new ArrayList<>();
                    for (Map.Entry<Layers.At, Layers.Value> entry : content.entrySet()) {
                        Layers.At at = entry.getKey();
                        LayerRecord record = new LayerRecord(
                                at.key(),
                                at.lsn(),
                                entry.getValue().willInit(),
                                entry.getValue().bytes());
                        expected.add(record);
                        assertThat(reader.read(
                                        at.key(),
                                        Layers.lsns(at.lsn().value(), at.lsn().value() + 1)))
                                .containsExactly(record);
                    }
                    assertThat(Layers.all(reader)).isEqualTo(expected);
                    assertThat(Layers.entries(reader).stream().map(LayerEntry::length))
                            .containsExactlyElementsOf(expected.stream()
                                    .map(record -> record.value().remaining())
                                    .toList());
                    assertThat(LayerInspection.of(reader).defects()).isEmpty();
                }
            }
        }
    }

    @Test
    void anEmptyLayerHasNothingAndIsWhole() throws Exception {
        for (LayerName name : List.of(Layers.image(0, 9, 7), Layers.delta(0, 9, 1, 9))) {
            LayerWriter.Written written = Layers.write(engine, folder, name, Compression.NONE, Layers.content());
            assertThat(written.summary().blocks()).isEqualTo(2);
            try (LayerReader reader = Layers.open(readers, written)) {
                assertThat(reader.read(Layers.key(3))).isEmpty();
                assertThat(Layers.all(reader)).isEmpty();
                assertThat(LayerInspection.of(reader).isSound()).isTrue();
            }
        }
    }

    @Test
    void neverTakesTheNameOfAnother() throws Exception {
        LayerName name = Layers.image(0, 9, 7);
        LayerWriter.Written first = Layers.write(engine, folder, name, Compression.NONE, Layers.content());
        NavigableMap<Layers.At, Layers.Value> other = Layers.content();
        other.put(Layers.At.of(1, 7), new Layers.Value(Layers.bytes("other"), true));
        assertThatThrownBy(() -> Layers.write(engine, folder, name, Compression.NONE, other))
                .hasMessageContaining("EEXIST");
        try (LayerReader reader = Layers.open(readers, first)) {
            assertThat(reader.read(Layers.key(1))).isEmpty();
        }
    }

    @Test
    void leavesNothingOfALayerThatIsNotFinished() throws Exception {
        LayerName name = Layers.delta(0, 1000, 1, 9);
        try (LayerWriter writer = Layers.writer(engine, folder, name, Compression.NONE)) {
            for (int i = 0; i < 100; i++) {
                writer.put(Layers.key(i), new Lsn(3), Layers.bytes("x".repeat(20_000)), false);
            }
        }
        assertThat(folder).isEmptyDirectory();
    }
}
