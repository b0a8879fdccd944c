// SPDX-License-Identifier: Apache-2.0
package dev.millrace.io;

/**
 * What direct I/O on a file asks for. The two differ: ext4 on 4096-byte sectors wants offsets in multiples of 4096 and
 * memory in multiples of 512.
 *
 * @param memory alignment of memory, in bytes; a power of two
 * @param offset alignment of offsets and lengths, in bytes; a power of two
 */
public record Alignment(int memory, int offset) {
    /** Nothing asked. */
    public static final Alignment NONE = new Alignment(1, 1);

    /** Checks that both are powers of two. */
    public Alignment {
        if (Integer.bitCount(memory) != 1 || Integer.bitCount(offset) != 1 || memory < 1 || offset < 1) {
            throw new IllegalArgumentException("alignments are powers of two: memory " + memory + ", offset " + offset);
        }
    }

    /** The next multiple of {@link #offset} at or above a length. */
    public long roundUp(long length) {
        return (length + offset - 1) & -(long) offset;
    }

    /** The last multiple of {@link #offset} at or below a length. */
    public long roundDown(long length) {
        return length & -(long) offset;
    }

    /**
     * True for {@link #NONE}. Not by {@link #equals}: what compares records is kept by the JDK with this class, and would
     * keep a dropped class loader.
     */
    boolean isNone() {
        return memory == 1 && offset == 1;
    }
}
