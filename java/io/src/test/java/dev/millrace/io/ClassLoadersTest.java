// SPDX-License-Identifier: Apache-2.0
package dev.millrace.io;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millrace.bindings.Bindings;
import dev.millrace.bindings.NativeLibrary;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** An application server's way with classes: several loaders in one JVM, each dropped and made anew. */
class ClassLoadersTest {
    @TempDir
    Path folder;

    @Test
    void servesTwoLoadersAtOnceAndLetsADroppedOneGo() throws Exception {
        assertThat(rounds(5)).contains("two at once").contains("collected 5 of 5");
    }

    @Test
    @Tag("slow")
    void letsAHundredDroppedOnesGo() throws Exception {
        assertThat(rounds(100)).contains("two at once").contains("collected 100 of 100");
    }

    private String rounds(int count) throws Exception {
        List<String> command = new ArrayList<>(
                List.of(Path.of(System.getProperty("java.home"), "bin", "java").toString(), "-Xmx128m"));
        if (Runtime.version().feature() >= 22) {
            command.add("--enable-native-access=ALL-UNNAMED");
        }
        command.addAll(List.of(
                "-D" + Bindings.BINDING_PROPERTY + "=" + TestEngines.binding(),
                "-D" + NativeLibrary.DIRECTORY_PROPERTY + "=" + System.getProperty(NativeLibrary.DIRECTORY_PROPERTY),
                "-cp",
                System.getProperty("surefire.test.class.path", System.getProperty("java.class.path")),
                LoaderRounds.class.getName(),
                String.valueOf(count),
                folder.toString(),
                TestEngines.binding()));
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor()).as(output).isZero();
        return output;
    }
}
