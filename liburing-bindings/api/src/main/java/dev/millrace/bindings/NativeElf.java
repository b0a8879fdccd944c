// SPDX-License-Identifier: Apache-2.0
package dev.millrace.bindings;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/**
 * Judges a library by its ELF header before the system's loader sees it, which says little of a library for another
 * processor and maps a truncated one whose first touch then ends the JVM with SIGBUS. Safe for any thread.
 */
final class NativeElf {
    /** Bytes that hold the header and all program headers of any library that a linker makes. */
    private static final int START = 64 * 1024;

    private static final int HEADER = 64;
    private static final int MAGIC = 0x7f454c46;
    private static final int WIDE = 2;
    private static final int LITTLE = 1;
    private static final int SHARED = 3;
    private static final int PROGRAM_HEADER = 56;

    private NativeElf() {}

    /** Why a file is no library for the platform, as the end of a sentence that begins with its name. */
    static Optional<String> fault(Path library, NativePlatform platform) {
        try (InputStream in = Files.newInputStream(library)) {
            return fault(in.readNBytes(START), Files.size(library), platform);
        } catch (IOException e) {
            return Optional.of("cannot be read: " + NativeFolder.reason(e));
        }
    }

    /** The same of a library in memory. */
    static Optional<String> fault(byte[] library, NativePlatform platform) {
        return fault(library, library.length, platform);
    }

    private static Optional<String> fault(byte[] start, long size, NativePlatform platform) {
        ByteBuffer elf = ByteBuffer.wrap(start);
        if (start.length < HEADER || elf.getInt(0) != MAGIC) {
            return Optional.of("is no shared library but " + size + " bytes of something else");
        }
        elf.order(ByteOrder.LITTLE_ENDIAN);
        int machine = elf.getShort(18) & 0xffff;
        if (elf.get(4) != WIDE || elf.get(5) != LITTLE || machine != platform.machine()) {
            return Optional.of("is a library for another processor (ELF class " + elf.get(4) + ", machine " + machine
                    + ") and this is " + platform.classifier());
        }
        if ((elf.getShort(16) & 0xffff) != SHARED) {
            return Optional.of("is an ELF file but no shared library");
        }
        return end(elf) > size
                ? Optional.of("is corrupt: its header promises more than its " + size + " bytes")
                : Optional.empty();
    }

    /** First byte behind everything that the headers speak of; more than any size where they make no sense. */
    private static long end(ByteBuffer elf) {
        long programs = elf.getLong(32);
        int programLength = elf.getShort(54) & 0xffff;
        int programCount = elf.getShort(56) & 0xffff;
        long sections = elf.getLong(40);
        long sectionBytes = (elf.getShort(58) & 0xffffL) * (elf.getShort(60) & 0xffffL);
        long end = Math.max(HEADER, sum(sections, sectionBytes));
        if (programCount == 0) {
            return end;
        }
        if (programLength < PROGRAM_HEADER || sum(programs, (long) programLength * programCount) > elf.limit()) {
            return Long.MAX_VALUE;
        }
        for (int i = 0; i < programCount; i++) {
            int header = (int) programs + i * programLength;
            end = Math.max(end, sum(elf.getLong(header + 8), elf.getLong(header + 32)));
        }
        return end;
    }

    private static long sum(long offset, long length) {
        return offset < 0 || length < 0 || offset + length < 0 ? Long.MAX_VALUE : offset + length;
    }
}
