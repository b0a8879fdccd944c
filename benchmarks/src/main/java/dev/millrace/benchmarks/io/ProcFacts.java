// SPDX-License-Identifier: Apache-2.0
package dev.millrace.benchmarks.io;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/** What the kernel says of this process, whatever a library says of itself. Linux. */
public final class ProcFacts {
    private static final Path SELF = Path.of("/proc/self");
    private static final int O_DIRECT = System.getProperty("os.arch").equals("aarch64") ? 0200000 : 040000;

    private ProcFacts() {}

    /**
     * Whether the descriptors open on a file pass the page cache by.
     *
     * @throws IOException where there is none, or they differ
     */
    static boolean isDirect(Path file) throws IOException {
        List<Boolean> found = new ArrayList<>();
        Path real = file.toRealPath();
        for (Path descriptor : entries("fd")) {
            try {
                if (Files.readSymbolicLink(descriptor).equals(real)) {
                    found.add((flags(descriptor.getFileName().toString()) & O_DIRECT) != 0);
                }
            } catch (IOException closed) {
                // While it was looked at: it is not one of the file's.
            }
        }
        if (found.isEmpty() || found.contains(!found.get(0))) {
            throw new IOException("descriptors of " + file + " with and without O_DIRECT: " + found);
        }
        return found.get(0);
    }

    private static int flags(String descriptor) throws IOException {
        try (Stream<String> lines = Files.lines(SELF.resolve("fdinfo").resolve(descriptor))) {
            return lines.filter(line -> line.startsWith("flags:"))
                    .mapToInt(line -> Integer.parseInt(line.substring(6).strip(), 8))
                    .findFirst()
                    .orElse(0);
        }
    }

    /** Threads of this process whose names begin so; names are cut at 15 characters. */
    static long threads(String prefix) throws IOException {
        long count = 0;
        for (Path task : entries("task")) {
            try {
                count += Files.readString(task.resolve("comm")).startsWith(prefix) ? 1 : 0;
            } catch (IOException ended) {
                // While it was looked at.
            }
        }
        return count;
    }

    /** What lies in a folder of {@code /proc/self} now; each may be gone when it is looked at. */
    public static List<Path> entries(String folder) throws IOException {
        List<Path> all = new ArrayList<>();
        try (DirectoryStream<Path> stream = Files.newDirectoryStream(SELF.resolve(folder))) {
            stream.forEach(all::add);
        }
        return all;
    }
}
