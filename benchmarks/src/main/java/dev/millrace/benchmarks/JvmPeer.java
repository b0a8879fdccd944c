// SPDX-License-Identifier: Apache-2.0
package dev.millrace.benchmarks;

import com.fasterxml.jackson.jr.ob.JSON;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/** A contender in a JVM ({@link DownloadRounds}), which lives through all rounds and works when it is asked. */
final class JvmPeer implements Peer {
    private final String name;
    private final List<String> command;
    private final Path errors;
    private final Duration limit;
    private Optional<PeerProcess> process = Optional.empty();

    JvmPeer(String name, List<String> command, Path errors, Duration limit) {
        this.name = name;
        this.command = command;
        this.errors = errors;
        this.limit = limit;
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public Map<String, Object> start() throws PeerFailure, InterruptedException {
        PeerProcess started = PeerProcess.start(command, Map.of(), errors);
        process = Optional.of(started);
        return Map.of("start_cpu_seconds", heard(started).getOrDefault("start_cpu_seconds", 0));
    }

    private Map<String, Object> heard(PeerProcess from) throws PeerFailure, InterruptedException {
        String line = from.hear(limit);
        try {
            return JSON.std.mapFrom(line);
        } catch (IOException e) {
            throw new PeerFailure("says what is no JSON: " + line);
        }
    }

    @Override
    public Map<String, Object> round(int number) throws PeerFailure, InterruptedException {
        PeerProcess running = running();
        Runnable stop = running.tree().keepLooking(250);
        Map<String, Object> figures;
        try {
            running.say("round " + number);
            figures = new LinkedHashMap<>(heard(running));
        } finally {
            stop.run();
        }
        running.tree().look();
        if (figures.get("failed") instanceof Number failed && failed.intValue() > 0) {
            throw new PeerFailure(failed + " of its downloads failed: " + running.complaint());
        }
        figures.put("memory_kib", running.tree().memoryKib());
        figures.put("threads", running.tree().threads());
        return figures;
    }

    private PeerProcess running() throws PeerFailure {
        if (process.isEmpty()) {
            throw new PeerFailure("it was not started");
        }
        return process.get();
    }

    @Override
    public void traced(List<String> strace) throws PeerFailure, InterruptedException {
        PeerProcess running = running();
        List<String> attach = new ArrayList<>(strace);
        attach.addAll(List.of("-p", Long.toString(running.pid())));
        try (PeerProcess tracer = PeerProcess.start(attach, Map.of(), errors.resolveSibling("strace.err"))) {
            for (int i = 0; i < 100 && !isTraced(running.pid()); i++) {
                TimeUnit.MILLISECONDS.sleep(50);
            }
            if (!isTraced(running.pid())) {
                tracer.tree().kill();
                throw new PeerFailure("strace could not attach: " + tracer.complaint());
            }
            running.say("traced");
            heard(running);
            // strace writes its counts when it is told to end, and lets go of the process.
            ProcessHandle.of(tracer.pid()).ifPresent(ProcessHandle::destroy);
        }
    }

    private static boolean isTraced(long pid) {
        try {
            return Files.readAllLines(Path.of("/proc", Long.toString(pid), "status")).stream()
                    .anyMatch(line -> line.startsWith("TracerPid:") && ProcessTree.number(line) > 0);
        } catch (IOException e) {
            return false;
        }
    }

    @Override
    public void close() {
        process.ifPresent(PeerProcess::close);
    }
}
