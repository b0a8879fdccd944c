// SPDX-License-Identifier: Apache-2.0
package dev.millrace.benchmarks;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/** A contender's process: spoken to by lines, with a limit of time on every answer, and ended with all it started. */
final class PeerProcess implements AutoCloseable {
    private static final Set<PeerProcess> ALIVE = ConcurrentHashMap.newKeySet();

    private final Process process;
    private final ProcessTree tree;
    private final Path errors;
    private final LinkedBlockingQueue<Optional<String>> lines = new LinkedBlockingQueue<>();

    private PeerProcess(Process process, Path errors) {
        this.process = process;
        this.tree = new ProcessTree(process.toHandle());
        this.errors = errors;
    }

    /** Starts a command; what it says on standard error goes to a file. */
    static PeerProcess start(List<String> command, Map<String, String> environment, Path errors) throws PeerFailure {
        ProcessBuilder builder = new ProcessBuilder(command).redirectError(errors.toFile());
        // Nothing of the user's settings for the cloud: neither keys nor proxies nor other checksums.
        builder.environment().keySet().removeIf(name -> name.startsWith("AWS_"));
        builder.environment().put("AWS_EC2_METADATA_DISABLED", "true");
        builder.environment().putAll(environment);
        try {
            PeerProcess started = new PeerProcess(builder.start(), errors);
            ALIVE.add(started);
            started.read();
            return started;
        } catch (IOException e) {
            throw new PeerFailure("it does not start: " + Commands.sentence(e));
        }
    }

    private void read() {
        Thread thread = new Thread(
                () -> {
                    try (BufferedReader reader = new BufferedReader(
                            new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8))) {
                        for (String line = reader.readLine(); line != null; line = reader.readLine()) {
                            lines.add(Optional.of(line));
                        }
                    } catch (IOException e) {
                        // It is gone: the end below says so.
                        lines.add(Optional.empty());
                    }
                    lines.add(Optional.empty());
                },
                "peer-output");
        thread.setDaemon(true);
        thread.start();
    }

    ProcessTree tree() {
        return tree;
    }

    long pid() {
        return process.pid();
    }

    /** Sends a line. */
    void say(String line) throws PeerFailure {
        try {
            process.getOutputStream().write((line + "\n").getBytes(StandardCharsets.UTF_8));
            process.getOutputStream().flush();
        } catch (IOException e) {
            throw new PeerFailure("crashed: " + complaint());
        }
    }

    /** The next line that it says. */
    String hear(Duration limit) throws PeerFailure, InterruptedException {
        Optional<Optional<String>> line = Optional.ofNullable(lines.poll(limit.toMillis(), TimeUnit.MILLISECONDS));
        if (line.isEmpty()) {
            tree.kill();
            throw new PeerFailure("hung: it was killed after " + limit.toSeconds() + " s");
        }
        if (line.get().isEmpty()) {
            boolean ended = process.waitFor(5, TimeUnit.SECONDS);
            throw new PeerFailure(
                    "crashed" + (ended ? " with status " + process.exitValue() : "") + ": " + complaint());
        }
        return line.get().get();
    }

    /** Waits for its end, which must be a good one. */
    void end(Duration limit) throws PeerFailure, InterruptedException {
        if (!process.waitFor(limit.toMillis(), TimeUnit.MILLISECONDS)) {
            tree.kill();
            process.waitFor(10, TimeUnit.SECONDS);
            throw new PeerFailure("hung: it was killed after " + limit.toSeconds() + " s");
        }
        if (process.exitValue() != 0) {
            throw new PeerFailure("failed with status " + process.exitValue() + ": " + complaint());
        }
    }

    /** The lines that it has said by now and nobody has heard yet. */
    List<String> lastWords() throws InterruptedException {
        List<String> words = new ArrayList<>();
        for (Optional<String> line = lines.take(); line.isPresent(); line = lines.take()) {
            words.add(line.get());
        }
        return words;
    }

    /** Its last words on standard error, not those of a stack trace. */
    String complaint() {
        try {
            return Files.readAllLines(errors, StandardCharsets.ISO_8859_1).stream()
                    .filter(line -> !line.isBlank() && !Character.isWhitespace(line.charAt(0)))
                    .reduce((earlier, later) -> later)
                    .map(line -> line.length() > 200 ? line.substring(0, 200) + "..." : line)
                    .orElse("it said nothing on standard error");
        } catch (IOException e) {
            return "what it said cannot be read: " + Commands.sentence(e);
        }
    }

    /** Ends it: standard input closes, and what does not go by itself is killed. */
    @Override
    public void close() {
        boolean interrupted = false;
        try {
            process.getOutputStream().close();
            if (!process.waitFor(10, TimeUnit.SECONDS)) {
                tree.kill();
                process.waitFor(10, TimeUnit.SECONDS);
            }
        } catch (IOException e) {
            tree.kill();
        } catch (InterruptedException e) {
            tree.kill();
            interrupted = true;
        }
        ALIVE.remove(this);
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    /** For the end of a run that was broken off. */
    static void killAll() {
        ALIVE.forEach(peer -> peer.tree.kill());
    }
}
