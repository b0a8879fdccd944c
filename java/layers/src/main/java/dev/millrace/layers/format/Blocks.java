// SPDX-License-Identifier: Apache-2.0
package dev.millrace.layers.format;

import java.nio.ByteBuffer;
import java.util.Optional;
import java.util.zip.CRC32C;

/**
 * The blocks that a layer file consists of: 8 KiB each, numbered from 0.
 *
 * <pre>
 *   0  u32  CRC-32C of bytes 4 to 8191
 *   4  u32  number of the block
 *   8       content
 * </pre>
 *
 * All numbers of the format are big-endian, so that keys compare as their bytes.
 */
final class Blocks {
    /** Bytes of a block. */
    static final int SIZE = 8192;
    /** Bytes of checksum and number. */
    static final int HEADER = 8;
    /** Bytes of content. */
    static final int CONTENT = SIZE - HEADER;
    /** The most blocks of a file: what a number has room for. */
    static final long MOST = 1L << 32;

    private static final int CHECKED_FROM = 4;

    private Blocks() {}

    /** Puts number and checksum into a block that begins at an index. */
    static void seal(byte[] bytes, int at, long number) {
        ByteBuffer block = ByteBuffer.wrap(bytes, at, SIZE);
        block.putInt(at + CHECKED_FROM, (int) number);
        block.putInt(at, checksum(block, at));
    }

    /** What is wrong with a block that should have a number; empty where nothing is. */
    static Optional<String> defect(ByteBuffer memory, int at, long number) {
        ByteBuffer big = memory.duplicate();
        int written = big.getInt(at);
        int computed = checksum(big, at);
        if (written != computed) {
            return Optional.of(
                    String.format("it says that its CRC-32C is %08x and its content has %08x", written, computed));
        }
        long found = Integer.toUnsignedLong(big.getInt(at + CHECKED_FROM));
        if (found != number) {
            return Optional.of(String.format("block %d lies there, with a good CRC-32C of %08x", found, computed));
        }
        return Optional.empty();
    }

    private static int checksum(ByteBuffer memory, int at) {
        CRC32C crc = new CRC32C();
        crc.update(memory.slice(at + CHECKED_FROM, SIZE - CHECKED_FROM));
        return (int) crc.getValue();
    }

    // ------------------------------------------------------------------ values, whose bytes pass block headers by

    /** The block that the byte at an offset lies in. Offsets count content only, from the beginning of block 0. */
    static long blockOf(long offset) {
        return offset / CONTENT;
    }

    /** Where in its block the byte at an offset lies. */
    static int indexIn(long offset) {
        return HEADER + (int) (offset % CONTENT);
    }

    /** The offset of a block's first byte of content. */
    static long offsetOf(long block) {
        return block * CONTENT;
    }
}
