// SPDX-License-Identifier: Apache-2.0
package dev.millrace.benchmarks;

import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.io.InputStreamReader;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** The processes of a run: started in an environment without the user's cloud settings, and all ended at its end. */
final class Children {
    private static final long START_SECONDS = 60;
    private static final long RUN_SECONDS = 600;

    private final Path folder;
    private final Set<Process> running = ConcurrentHashMap.newKeySet();

    /** What a process that ended said. */
    record Result(int status, List<String> output, List<String> errors) {
        Optional<String> lastLine() {
            return output.isEmpty() ? Optional.empty() : Optional.of(output.get(output.size() - 1));
        }

        /** Its last words, for a message; not the lines of a stack trace. */
        String complaint() {
            return errors.stream()
                    .filter(line -> !line.isBlank() && !Character.isWhitespace(line.charAt(0)))
                    .reduce((earlier, later) -> later)
                    .orElse("it said nothing on standard error");
        }
    }

    /** Output of the processes goes to files in a folder. */
    Children(Path folder) {
        this.folder = folder;
    }

    /** The command that starts another main class of this class path with the options of this JVM. */
    static List<String> java(Class<?> main, List<String> arguments) {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(ManagementFactory.getRuntimeMXBean().getInputArguments());
        command.addAll(List.of("-cp", System.getProperty("java.class.path"), main.getName()));
        command.addAll(arguments);
        return command;
    }

    /** Runs a process to its end. */
    Result run(String name, List<String> command, Map<String, String> environment)
            throws IOException, InterruptedException {
        File output = folder.resolve(name + ".out").toFile();
        File errors = folder.resolve(name + ".err").toFile();
        Process process =
                start(builder(command, environment).redirectOutput(output).redirectError(errors));
        process.getOutputStream().close();
        if (!process.waitFor(RUN_SECONDS, TimeUnit.SECONDS)) {
            end(process);
            throw new IOException(name + " did not end within " + RUN_SECONDS + " seconds and was killed.");
        }
        running.remove(process);
        return new Result(
                process.exitValue(), Files.readAllLines(output.toPath()), Files.readAllLines(errors.toPath()));
    }

    /** Starts a server that says in its first line that it is ready; it serves until the end of the run. */
    String serve(String name, List<String> command) throws IOException, InterruptedException {
        Path errors = folder.resolve(name + ".err");
        Process process = start(builder(command, Map.of()).redirectError(errors.toFile()));
        BufferedReader reader =
                new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8));
        CompletableFuture<Optional<String>> line = new CompletableFuture<>();
        Thread thread = new Thread(
                () -> {
                    try {
                        line.complete(Optional.ofNullable(reader.readLine()));
                    } catch (IOException e) {
                        line.completeExceptionally(e);
                    }
                },
                name + "-first-line");
        thread.setDaemon(true);
        thread.start();
        try {
            Optional<String> first = line.get(START_SECONDS, TimeUnit.SECONDS);
            if (first.isPresent()) {
                return first.get();
            }
        } catch (TimeoutException e) {
            throw new IOException(name + " was not ready within " + START_SECONDS + " seconds.", e);
        } catch (ExecutionException e) {
            throw new IOException(name + " could not be read from: " + Commands.sentence(e), e);
        }
        throw new IOException(name + " did not start: " + String.join(" ", Files.readAllLines(errors)));
    }

    private static ProcessBuilder builder(List<String> command, Map<String, String> environment) {
        ProcessBuilder builder = new ProcessBuilder(command);
        builder.environment().keySet().removeIf(name -> name.startsWith("AWS_"));
        builder.environment().putAll(environment);
        return builder;
    }

    private Process start(ProcessBuilder builder) throws IOException {
        Process process = builder.start();
        running.add(process);
        return process;
    }

    /** Ends all that still run, and returns when they are gone. */
    void endAll() {
        for (Process process : running) {
            process.destroy();
        }
        for (Process process : running) {
            end(process);
        }
    }

    private void end(Process process) {
        boolean interrupted = false;
        process.destroy();
        try {
            if (!process.waitFor(3, TimeUnit.SECONDS)) {
                process.destroyForcibly().waitFor(10, TimeUnit.SECONDS);
            }
        } catch (InterruptedException e) {
            interrupted = true;
            process.destroyForcibly();
        }
        running.remove(process);
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
