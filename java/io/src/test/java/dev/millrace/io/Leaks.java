// SPDX-License-Identifier: Apache-2.0
package dev.millrace.io;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.locks.LockSupport;

/** What an engine holds of the process: descriptors and threads, compared before and after. */
final class Leaks {
    private static final Path TASKS = Path.of("/proc/self/task");
    private static final Path DESCRIPTORS = Path.of("/proc/self/fd");
    private static final String CLASS_PATH =
            System.getProperty("surefire.test.class.path", "") + System.getProperty("java.class.path");
    private static final int TRIES = 3000;

    private final SortedMap<String, Integer> before = held();

    /** Fails when more is held than at construction; threads that are just ending are given a moment. */
    void check() {
        SortedMap<String, Integer> more = more();
        for (int i = 0; i < TRIES && !more.isEmpty(); i++) {
            LockSupport.parkNanos(10_000_000);
            more = more();
        }
        assertThat(more).as("left behind").isEmpty();
    }

    private SortedMap<String, Integer> more() {
        SortedMap<String, Integer> more = new TreeMap<>();
        held().forEach((what, count) -> {
            if (count > before.getOrDefault(what, 0)) {
                more.put(what, count - before.getOrDefault(what, 0));
            }
        });
        return more;
    }

    private static SortedMap<String, Integer> held() {
        SortedMap<String, Integer> held = new TreeMap<>();
        for (Path thread : entries(TASKS)) {
            try {
                String name = Files.readString(thread.resolve("comm"), StandardCharsets.UTF_8)
                        .trim();
                if (name.startsWith("millrace") || name.startsWith("iou-wrk")) {
                    // Numbers differ from engine to engine.
                    held.merge("thread " + name.replaceAll("[0-9]+", "#"), 1, Integer::sum);
                }
            } catch (IOException ended) {
                held.merge("ended while it was looked at", 0, Integer::sum);
            }
        }
        Path temporary = Path.of(System.getProperty("java.io.tmpdir")).toAbsolutePath();
        for (Path descriptor : entries(DESCRIPTORS)) {
            try {
                Path target = Files.readSymbolicLink(descriptor);
                boolean ours = target.startsWith(temporary)
                        || target.startsWith("/dev/shm")
                        || target.toString().startsWith("anon_inode:")
                        || target.toString().contains("millrace");
                // A jar of the class path is opened with its first class, and stays so.
                if (ours && !CLASS_PATH.contains(target.toString())) {
                    held.merge("descriptor " + target, 1, Integer::sum);
                }
            } catch (IOException closed) {
                held.merge("closed while it was looked at", 0, Integer::sum);
            }
        }
        return held;
    }

    private static List<Path> entries(Path folder) {
        if (!Files.isDirectory(folder)) {
            return List.of(); // not Linux
        }
        try (DirectoryStream<Path> stream = Files.newDirectoryStream(folder)) {
            List<Path> all = new java.util.ArrayList<>();
            stream.forEach(all::add);
            return all;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
