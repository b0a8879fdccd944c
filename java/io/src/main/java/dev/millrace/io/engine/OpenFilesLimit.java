// SPDX-License-Identifier: Apache-2.0
package dev.millrace.io.engine;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.stream.Stream;

/** RLIMIT_NOFILE of this process, the soft one, as proc(5) tells it. Reading takes a descriptor. */
public final class OpenFilesLimit {
    private static final String NAME = "Max open files";

    private OpenFilesLimit() {}

    /** For messages; says so where the system does not tell. */
    public static String text() {
        return read().orElse("not told by this system");
    }

    /** How many descriptors the process may have open; empty where that has no bound, or the system does not tell. */
    public static OptionalLong descriptors() {
        Optional<String> number = read().filter(text -> text.matches("\\d{1,18}"));
        return number.isPresent() ? OptionalLong.of(Long.parseLong(number.get())) : OptionalLong.empty();
    }

    private static Optional<String> read() {
        try (Stream<String> lines = Files.lines(Path.of("/proc/self/limits"))) {
            return lines.filter(line -> line.startsWith(NAME))
                    .map(line -> line.substring(NAME.length()).strip().split(" +", 2)[0])
                    .findFirst();
        } catch (IOException | UncheckedIOException notLinux) {
            return Optional.empty();
        }
    }
}
