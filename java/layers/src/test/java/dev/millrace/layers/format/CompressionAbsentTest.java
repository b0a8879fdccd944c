// SPDX-License-Identifier: Apache-2.0
package dev.millrace.layers.format;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millrace.io.EngineKind;
import dev.millrace.io.IoEngine;
import dev.millrace.layers.LayerName;
import java.io.File;
import java.io.IOException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.NavigableMap;
import java.util.function.Function;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Where the library for compressed values is not on the class path. */
class CompressionAbsentTest {
    @TempDir
    Path folder;

    /** Runs without the library, in a class loader that has everything else. Says what came of each step. */
    public static final class Without implements Function<Path, List<String>> {
        @Override
        public List<String> apply(Path file) {
            List<String> said = new ArrayList<>();
            try (IoEngine engine = Layers.engine(EngineKind.BLOCKING);
                    LayerReader reader = LayerReader.open(Layers.readers(engine), file)) {
                said.add(
                        String.valueOf(reader.read(Layers.key(1)).get(0).value().remaining()));
                said.add(String.valueOf(Layers.entries(reader).size()));
                said.add(failure(() -> reader.read(Layers.key(2))));
                LayerName other = Layers.image(0, 9, 8);
                said.add(failure(() -> Layers.writer(engine, file.getParent(), other, Compression.ZSTD)));
                LayerWriter.Written plain =
                        Layers.write(engine, file.getParent(), other, Compression.NONE, Layers.content());
                said.add(String.valueOf(plain.summary().entries()));
            } catch (IOException e) {
                said.add(e.toString());
            }
            return said;
        }

        private interface Step {
            void run() throws IOException;
        }

        private static String failure(Step step) {
            try {
                step.run();
                return "nothing";
            } catch (IOException e) {
                return e.toString();
            }
        }
    }

    @Test
    @SuppressWarnings("unchecked")
    void onlyCompressedValuesAreRefusedWithWhatToDo() throws Exception {
        NavigableMap<Layers.At, Layers.Value> content = Layers.content();
        content.put(Layers.At.of(1, 7), new Layers.Value(Layers.bytes("short"), true));
        content.put(Layers.At.of(2, 7), new Layers.Value(Layers.bytes("long".repeat(100)), true));
        Path file;
        try (IoEngine engine = Layers.engine(EngineKind.BLOCKING)) {
            file = Layers.write(engine, folder, Layers.image(0, 9, 7), Compression.ZSTD, content)
                    .path();
        }
        List<URL> urls = new ArrayList<>();
        for (String entry : System.getProperty("java.class.path").split(File.pathSeparator, -1)) {
            if (!entry.isEmpty() && !entry.contains("zstd-jni")) {
                urls.add(Path.of(entry).toUri().toURL());
            }
        }
        List<String> said;
        try (URLClassLoader loader =
                new URLClassLoader(urls.toArray(URL[]::new), ClassLoader.getPlatformClassLoader())) {
            said = ((Function<Path, List<String>>) loader.loadClass(Without.class.getName())
                            .getConstructor()
                            .newInstance())
                    .apply(file);
        }
        assertThat(said).hasSize(5);
        assertThat(said.get(0)).isEqualTo("5");
        assertThat(said.get(1)).isEqualTo("2");
        assertThat(said.get(2))
                .contains("UnsupportedLayerException", "has compressed values", "com.github.luben:zstd-jni");
        assertThat(said.get(3)).contains("UnsupportedLayerException", "is to be compressed");
        assertThat(said.get(4)).isEqualTo("0");
    }
}
