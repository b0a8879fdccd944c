// SPDX-License-Identifier: Apache-2.0
package dev.millrace.server;

import com.fasterxml.jackson.jr.ob.JSON;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Assumptions;

/**
 * {@code bin/millrace} as a process of its own, and what became of it.
 *
 * @param status exit status
 * @param out standard output
 * @param err standard error
 */
record Launched(int status, String out, String err) {
    private static final long TIMEOUT_SECONDS = 120;

    /** The clone that these tests run in. */
    static Path root() {
        Path at = Path.of("").toAbsolutePath();
        while (!Files.exists(at.resolve("bin/millrace"))) {
            at = at.getParent();
            if (at == null) {
                throw new IllegalStateException("bin/millrace is in no folder above this one");
            }
        }
        return at;
    }

    static Path launcher() {
        Assumptions.assumeTrue(
                Files.exists(root().resolve("java/server/target/classpath")),
                "bin/millrace is not built: run make first");
        return root().resolve("bin/millrace");
    }

    /** The helper that refuses calls of io_uring. */
    static List<String> denying(String calls, String answer) {
        Path tool = root().resolve("native/build/deny_uring");
        Assumptions.assumeTrue(Files.exists(tool), "deny_uring is not built: run make -C native tools first");
        return List.of(tool.toString(), calls, answer, "--");
    }

    /** Starts a command in a folder; its output goes to files there. */
    static Process start(Path folder, Map<String, String> environment, List<String> command) throws IOException {
        ProcessBuilder builder = new ProcessBuilder(command);
        builder.directory(folder.toFile());
        builder.environment().keySet().removeIf(name -> name.startsWith("AWS_") || name.startsWith("MILLRACE_"));
        builder.environment().put("AWS_EC2_METADATA_DISABLED", "true");
        builder.environment().putAll(environment);
        builder.redirectInput(ProcessBuilder.Redirect.from(Path.of("/dev/null").toFile()));
        builder.redirectOutput(folder.resolve("stdout").toFile());
        builder.redirectError(folder.resolve("stderr").toFile());
        return builder.start();
    }

    /** Waits for its end and takes its output away. */
    static Launched finish(Path folder, Process process) throws IOException, InterruptedException {
        if (!process.waitFor(TIMEOUT_SECONDS, TimeUnit.SECONDS)) {
            process.destroyForcibly();
            throw new IllegalStateException("the command has not ended; it said: " + take(folder, "stderr"));
        }
        return new Launched(process.exitValue(), take(folder, "stdout"), take(folder, "stderr"));
    }

    private static String take(Path folder, String name) throws IOException {
        String text = Files.readString(folder.resolve(name), StandardCharsets.UTF_8);
        Files.delete(folder.resolve(name));
        return text;
    }

    static Launched run(Path folder, Map<String, String> environment, List<String> before, String... args)
            throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(before);
        command.add(launcher().toString());
        command.addAll(List.of(args));
        return finish(folder, start(folder, environment, command));
    }

    /** The home of a JDK by scripts/find-jdk; empty where there is none. */
    static Optional<String> jdk(int least, int most) throws IOException, InterruptedException {
        Process process = new ProcessBuilder(
                        root().resolve("scripts/find-jdk").toString(), Integer.toString(least), Integer.toString(most))
                .redirectError(ProcessBuilder.Redirect.DISCARD)
                .start();
        String home = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
        return process.waitFor() == 0 ? Optional.of(home) : Optional.empty();
    }

    static boolean isOnPath(String program) throws IOException, InterruptedException {
        return new ProcessBuilder("sh", "-c", "command -v " + program)
                        .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                        .start()
                        .waitFor()
                == 0;
    }

    Map<String, Object> json() {
        try {
            return JSON.std.mapFrom(out);
        } catch (IOException e) {
            throw new UncheckedIOException(out + err, e);
        }
    }
}
