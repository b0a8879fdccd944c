// SPDX-License-Identifier: Apache-2.0
package dev.millrace.server;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millrace.io.EngineKind;
import dev.millrace.io.IoEngine;
import dev.millrace.io.IoEngineConfig;
import dev.millrace.layers.Generation;
import dev.millrace.layers.LayerFileName;
import dev.millrace.layers.LayerName;
import dev.millrace.layers.Lsn;
import dev.millrace.layers.TenantId;
import dev.millrace.layers.TimelineId;
import dev.millrace.layers.format.Compression;
import dev.millrace.layers.format.GeneratedData;
import dev.millrace.layers.format.LayerWriter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LayerCommandTest {
    private static final String NAME =
            GeneratedData.key(0) + "-" + GeneratedData.key(500) + "__0000000000000010" + "-0000000000000020";
    private static final GeneratedData DATA = new GeneratedData(1, 0, 300, true);

    @TempDir
    Path folder;

    private Path layer() throws IOException {
        try (IoEngine engine = IoEngine.open(IoEngineConfig.defaults()
                        .withEngine(EngineKind.BLOCKING)
                        .withPool(2, 1 << 16));
                LayerWriter writer = LayerWriter.create(
                        engine,
                        folder,
                        LayerFileName.of(LayerName.parse(NAME), Generation.FIRST),
                        new TenantId("a".repeat(32)),
                        new TimelineId("b".repeat(32)),
                        Compression.ZSTD)) {
            for (int i = 0; i < 500; i++) {
                Lsn lsn = new Lsn(16 + i % 16);
                writer.put(GeneratedData.key(i), lsn, DATA.value(GeneratedData.key(i), lsn), i % 2 == 0);
            }
            return writer.finish().path();
        }
    }

    @Test
    void inspectSaysTheSameToPeopleAndPrograms() throws IOException {
        Path layer = layer();
        Cli json = Cli.run("layer", "inspect", "--json", layer.toString());
        assertThat(json.status()).as(json.err()).isZero();
        Map<String, Object> facts = json.json();
        assertThat(facts)
                .containsEntry("name", NAME)
                .containsEntry("kind", "Delta")
                .containsEntry("tenant", "a".repeat(32))
                .containsEntry("lsn_start", "0/10")
                .containsEntry("lsn_end", "0/20")
                .containsEntry("entries", 500)
                .containsEntry("index_height", 2)
                .containsEntry("file_size", (int) Files.size(layer))
                .containsEntry("sound", true)
                .containsEntry("defects", List.of());
        assertThat((List<?>) facts.get("levels")).hasSize(2);
        Cli text = Cli.run("layer", "inspect", layer.toString());
        assertThat(text.status()).isZero();
        assertThat(text.out())
                .contains("entries:        500\n")
                .contains("sound:          true")
                .contains("level 0:");
        assertThat(text.err()).isEmpty();
    }

    @Test
    void dumpPrintsEveryEntryInOrder() throws IOException {
        Cli dump = Cli.run("layer", "dump", layer().toString());
        assertThat(dump.status()).as(dump.err()).isZero();
        List<String> lines = dump.out().lines().toList();
        assertThat(lines).hasSize(501);
        assertThat(lines.get(0)).startsWith("# Delta " + NAME).endsWith("500 entries");
        for (int i = 0; i < 500; i++) {
            Lsn lsn = new Lsn(16 + i % 16);
            assertThat(lines.get(i + 1))
                    .startsWith(GeneratedData.key(i) + " " + lsn + " " + DATA.length(GeneratedData.key(i), lsn) + " "
                            + (i % 2 == 0 ? "init" : "-"));
        }
    }

    @Test
    void badInputIsOneSentenceAndStatus1() throws IOException {
        byte[] sound = Files.readAllBytes(layer());
        Path cut = Files.write(folder.resolve("cut"), Arrays.copyOf(sound, sound.length - 1));
        Path text = Files.writeString(folder.resolve("text"), "no layer\n".repeat(3000));
        Path empty = Files.createFile(folder.resolve("empty"));
        Map<String, String> sentences = Map.of(
                cut.toString(), "the file has " + (sound.length - 1) + " bytes, and by its summary " + sound.length,
                text.toString(), "is not a layer",
                empty.toString(), "is not a layer: it has 0 bytes",
                folder.toString(), "it is a folder",
                folder.resolve("none").toString(), "ENOENT");
        sentences.forEach((file, sentence) -> {
            for (String command : List.of("inspect", "dump")) {
                Cli run = Cli.run("layer", command, file);
                assertThat(run.status()).as(file).isEqualTo(1);
                assertThat(run.out()).isEmpty();
                assertThat(run.err()).contains(sentence).contains(file).hasLineCount(1);
            }
        });
        Cli none = Cli.run("layer");
        assertThat(none.status()).isEqualTo(2);
        assertThat(none.err()).contains("A command is missing: ", "inspect", " or ", "dump");
    }

    @Test
    void aDamagedBlockIsNamedAndWhatIsBeforeItIsShown() throws IOException {
        Path layer = layer();
        byte[] bytes = Files.readAllBytes(layer);
        bytes[2 * 8192 + 4000] ^= 1;
        Files.write(layer, bytes);
        Cli inspect = Cli.run("layer", "inspect", "--json", layer.toString());
        assertThat(inspect.status()).isEqualTo(1);
        assertThat(inspect.err()).contains("is not sound: 1 defect").hasLineCount(1);
        assertThat(inspect.json()).containsEntry("sound", false);
        assertThat(inspect.json().get("defects").toString()).contains("block 2 of the layer");
        Cli dump = Cli.run("layer", "dump", layer.toString());
        assertThat(dump.status()).isEqualTo(1);
        assertThat(dump.err()).contains("block 2 of the layer").hasLineCount(1);
        assertThat(dump.out().lines().count()).isBetween(10L, 400L);
    }
}
