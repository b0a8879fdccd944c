// SPDX-License-Identifier: Apache-2.0
package dev.millrace.benchmarks.soak;

import dev.millrace.benchmarks.io.ProcFacts;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.Stream;

/** What this process holds of the system: descriptors and threads of engines, and memory. Linux. */
final class Held {
    private Held() {}

    /** Resident memory in KiB. */
    static long residentKib() throws IOException {
        try (Stream<String> lines = Files.lines(Path.of("/proc/self/status"))) {
            return lines.filter(line -> line.startsWith("VmRSS:"))
                    .mapToLong(line -> Long.parseLong(line.replaceAll("[^0-9]", "")))
                    .findFirst()
                    .orElseThrow(() -> new IOException("/proc/self/status does not tell VmRSS"));
        }
    }

    /** How many of what: files below a folder, rings and event descriptors, threads of engines and of the kernel's rings. */
    static SortedMap<String, Integer> now(Path folder) throws IOException {
        SortedMap<String, Integer> held = new TreeMap<>();
        for (Path descriptor : ProcFacts.entries("fd")) {
            try {
                Path target = Files.readSymbolicLink(descriptor);
                if (target.startsWith(folder) || target.toString().startsWith("anon_inode:")) {
                    held.merge("descriptors of " + target, 1, Integer::sum);
                }
            } catch (IOException closed) {
                held.merge("closed while it was looked at", 0, Integer::sum);
            }
        }
        for (Path thread : ProcFacts.entries("task")) {
            try {
                String name = Files.readString(thread.resolve("comm")).strip();
                if (name.startsWith("millrace") || name.startsWith("iou-wrk")) {
                    held.merge("threads " + name.replaceAll("[0-9]+", "#"), 1, Integer::sum);
                }
            } catch (IOException ended) {
                held.merge("ended while it was looked at", 0, Integer::sum);
            }
        }
        return held;
    }

    /** What is there now and was not before. */
    static SortedMap<String, Integer> more(SortedMap<String, Integer> before, Path folder) throws IOException {
        SortedMap<String, Integer> more = new TreeMap<>();
        now(folder).forEach((what, count) -> {
            int extra = count - before.getOrDefault(what, 0);
            if (extra > 0) {
                more.put(what, extra);
            }
        });
        return more;
    }
}
