// SPDX-License-Identifier: Apache-2.0
package dev.millrace.io;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;

/** RLIMIT_NOFILE, for messages. */
final class OpenFilesLimit {
    private static final String NOT_TOLD = "not told by this system";

    /** Read before descriptors are short, since reading takes one. */
    static final String TEXT = softLimit();

    private OpenFilesLimit() {}

    private static String softLimit() {
        try (Stream<String> lines = Files.lines(Path.of("/proc/self/limits"))) {
            return lines.filter(line -> line.startsWith("Max open files"))
                    .map(line -> line.replaceFirst("^Max open files\\s+(\\S+).*", "$1"))
                    .findFirst()
                    .orElse(NOT_TOLD);
        } catch (IOException | UncheckedIOException notLinux) {
            return NOT_TOLD;
        }
    }
}
