// SPDX-License-Identifier: Apache-2.0
package dev.millrace.benchmarks;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/** A process with all that it started, looked at from outside through {@code /proc}. */
final class ProcessTree {
    private final ProcessHandle root;
    private long memoryKib;
    private long threads;

    ProcessTree(ProcessHandle root) {
        this.root = root;
    }

    /** Most memory and most threads seen at any look. */
    synchronized void look() {
        long memory = 0;
        long count = 0;
        for (ProcessHandle process : all()) {
            Path status = Path.of("/proc", Long.toString(process.pid()), "status");
            try (Stream<String> lines = Files.lines(status)) {
                for (String line : lines.toList()) {
                    if (line.startsWith("VmHWM:")) {
                        memory += number(line);
                    } else if (line.startsWith("Threads:")) {
                        count += number(line);
                    }
                }
            } catch (IOException | RuntimeException e) {
                // It ended while it was looked at; what it had was seen before.
                count += 0;
            }
        }
        memoryKib = Math.max(memoryKib, memory);
        threads = Math.max(threads, count);
    }

    static long number(String line) {
        String digits = line.replaceAll("[^0-9]", "");
        return digits.isEmpty() ? 0 : Long.parseLong(digits);
    }

    private List<ProcessHandle> all() {
        return Stream.concat(Stream.of(root), root.descendants()).toList();
    }

    synchronized long memoryKib() {
        return memoryKib;
    }

    synchronized long threads() {
        return threads;
    }

    /** Looks every so often until it is told to stop. */
    Runnable keepLooking(long periodMillis) {
        Thread thread = new Thread(
                () -> {
                    try {
                        while (true) {
                            look();
                            TimeUnit.MILLISECONDS.sleep(periodMillis);
                        }
                    } catch (InterruptedException e) {
                        Thread.currentThread().interrupt();
                    }
                },
                "process-tree");
        thread.setDaemon(true);
        thread.start();
        return thread::interrupt;
    }

    /** Ends all of it, by force where it does not go. */
    void kill() {
        List<ProcessHandle> processes = all();
        processes.forEach(ProcessHandle::destroyForcibly);
    }

    /**
     * CPU seconds of the children of this process that have ended, with theirs: what a command cost, where one command
     * runs at a time. Empty where the system does not tell.
     */
    static Optional<Double> endedChildrenCpu() {
        try {
            String stat = Files.readString(Path.of("/proc/self/stat"));
            String[] fields = stat.substring(stat.lastIndexOf(')') + 2).split(" ", -1);
            // Fields 16 and 17 of proc(5), counted from 1; the first here is the third.
            return Optional.of((Long.parseLong(fields[13]) + Long.parseLong(fields[14])) / 100.0);
        } catch (IOException | RuntimeException e) {
            return Optional.empty();
        }
    }

    @Override
    public String toString() {
        return String.format(Locale.ROOT, "process %d", root.pid());
    }
}
