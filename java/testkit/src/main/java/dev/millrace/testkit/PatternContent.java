// SPDX-License-Identifier: Apache-2.0
package dev.millrace.testkit;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * Pseudo-random bytes that depend on the seed and the offset alone, so that any part of an object of any size is made
 * without memory and checked without a copy. Two contents of one seed agree as far as both reach; two of different
 * seeds differ almost everywhere. Each aligned word of eight bytes is SplitMix64 of its index, little-endian.
 *
 * @param seed what tells one content from another
 * @param length the length in bytes
 */
public record PatternContent(long seed, long length) implements Content {
    public PatternContent {
        if (length < 0) {
            throw new IllegalArgumentException("A content cannot have " + length + " bytes.");
        }
    }

    @Override
    public void fill(long offset, ByteBuffer into) {
        Content.checkRange(offset, into.remaining(), length);
        ByteOrder order = into.order();
        into.order(ByteOrder.LITTLE_ENDIAN);
        long at = offset;
        while (into.hasRemaining() && (at & 7) != 0) {
            into.put(byteAt(at++));
        }
        long word = at >>> 3;
        while (into.remaining() >= Long.BYTES) {
            into.putLong(word(word++));
        }
        at = word << 3;
        while (into.hasRemaining()) {
            into.put(byteAt(at++));
        }
        into.order(order);
    }

    private byte byteAt(long at) {
        return (byte) (word(at >>> 3) >>> ((at & 7) << 3));
    }

    private long word(long index) {
        long z = (seed ^ 0x6A09E667F3BCC909L) * 0xD1342543DE82EF95L + index * 0x9E3779B97F4A7C15L;
        z = (z ^ (z >>> 30)) * 0xBF58476D1CE4E5B9L;
        z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;
        return z ^ (z >>> 31);
    }
}
