// SPDX-License-Identifier: Apache-2.0
package dev.millrace.io;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millrace.bindings.Bindings;
import dev.millrace.bindings.NativeLibrary;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** A main class of these tests in a JVM of its own, with the library and the binding of this run. */
final class ChildJvm {
    private ChildJvm() {}

    /** Runs one, and gives what it wrote to both its outputs; fails where it does not end with status 0. */
    static String run(List<String> options, Class<?> main, String... arguments)
            throws IOException, InterruptedException {
        return run(List.of(), options, main, arguments);
    }

    /** The same, started by a command before it. */
    static String run(List<String> before, List<String> options, Class<?> main, String... arguments)
            throws IOException, InterruptedException {
        Process process = start(before, options, main, arguments);
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor()).as(output).isZero();
        return output;
    }

    /** Starts one; both its outputs are the process's input stream. */
    static Process start(List<String> before, List<String> options, Class<?> main, String... arguments)
            throws IOException {
        List<String> command = new ArrayList<>(before);
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        if (Runtime.version().feature() >= 22) {
            command.add("--enable-native-access=ALL-UNNAMED");
        }
        command.add("-D" + Bindings.BINDING_PROPERTY + "=" + TestEngines.binding());
        for (String property :
                List.of(NativeLibrary.DIRECTORY_PROPERTY, NativeLibrary.CACHE_PROPERTY, "java.io.tmpdir")) {
            command.add("-D" + property + "=" + System.getProperty(property));
        }
        command.addAll(options);
        command.add("-cp");
        command.add(System.getProperty("surefire.test.class.path", System.getProperty("java.class.path")));
        command.add(main.getName());
        command.addAll(List.of(arguments));
        return new ProcessBuilder(command).redirectErrorStream(true).start();
    }
}
