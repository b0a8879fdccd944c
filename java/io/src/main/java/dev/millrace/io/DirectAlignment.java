// SPDX-License-Identifier: Apache-2.0
package dev.millrace.io;

import dev.millrace.io.engine.FileStat;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.Set;

/**
 * What direct I/O on a file asks for: what statx says (Linux 6.1+), else the device's logical block, else 4096. Never a
 * trial read: reads of an empty or preallocated file pass at 512 and the write fails later.
 */
final class DirectAlignment {
    /** File systems that have nothing but the page cache: tmpfs takes O_DIRECT and ignores it, and all alignment. */
    private static final Set<String> NOT_REALLY = Set.of("tmpfs", "ramfs");
    /** Where the flag belongs to a file of another file system, which only statx can see. */
    private static final String PASSED_ON = "overlay";

    private static final int FALLBACK = 4096;

    private DirectAlignment() {}

    /** The alignment, or nothing where direct I/O does not really happen. */
    static Optional<Alignment> of(FileStat stat) {
        if (NOT_REALLY.contains(stat.fileSystem()) || stat.directOffsetAlign() == 0) {
            return Optional.empty();
        }
        if (stat.directOffsetAlign() > 0 && stat.directMemoryAlign() > 0) {
            return Optional.of(new Alignment(stat.directMemoryAlign(), stat.directOffsetAlign()));
        }
        if (stat.fileSystem().equals(PASSED_ON)) {
            return Optional.empty();
        }
        int block = logicalBlock(stat.device());
        return Optional.of(new Alignment(block, block));
    }

    /** Logical block of a device by sysfs(5); partitions have theirs one folder up. */
    private static int logicalBlock(long device) {
        long major = (device >>> 8) & 0xfff;
        long minor = (device & 0xff) | ((device >>> 12) & 0xfff00);
        String base = "/sys/dev/block/" + major + ":" + minor;
        for (String queue : new String[] {base + "/queue/", base + "/../queue/"}) {
            int size;
            try {
                String text = Files.readString(Path.of(queue + "logical_block_size"), StandardCharsets.US_ASCII);
                size = Integer.parseInt(text.trim());
            } catch (IOException | NumberFormatException notThere) {
                size = 0; // the next place, then the fallback
            }
            if (size >= 512 && Integer.bitCount(size) == 1) {
                return size;
            }
        }
        return FALLBACK;
    }
}
