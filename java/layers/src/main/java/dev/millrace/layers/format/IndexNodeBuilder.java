// SPDX-License-Identifier: Apache-2.0
package dev.millrace.layers.format;

import java.nio.ByteBuffer;
import java.util.Arrays;

/** Packs entries that come in ascending order into a node until it is full. */
final class IndexNodeBuilder {
    private final int level;
    private final int keyBytes;
    private final int valueBytes;
    /** Whole keys and values; the prefix is known when the node is full. */
    private final byte[] entries;

    private int count;
    private int prefixBytes;

    IndexNodeBuilder(int level, int keyBytes) {
        this.level = level;
        this.keyBytes = keyBytes;
        this.valueBytes = IndexNode.valueBytes(level);
        // Different keys have at least a byte that is not of the prefix.
        this.entries = new byte[(keyBytes + valueBytes) * (Blocks.SIZE / (valueBytes + 1))];
    }

    boolean isEmpty() {
        return count == 0;
    }

    /** True where one more entry fits. */
    boolean fits(byte[] key) {
        int prefix = prefixWith(key);
        return (count + 1) * (keyBytes - prefix + valueBytes) <= Blocks.SIZE - IndexNode.PREFIX_AT - prefix;
    }

    private int prefixWith(byte[] key) {
        if (count == 0) {
            return keyBytes;
        }
        int mismatch = Arrays.mismatch(entries, 0, keyBytes, key, 0, keyBytes);
        return Math.min(prefixBytes, mismatch < 0 ? keyBytes : mismatch);
    }

    /** Adds an entry that fits; {@code value} is of the level's size. */
    void add(byte[] key, ByteBuffer value) {
        prefixBytes = prefixWith(key);
        int at = count * (keyBytes + valueBytes);
        System.arraycopy(key, 0, entries, at, keyBytes);
        value.get(value.position(), entries, at + keyBytes, valueBytes);
        count++;
    }

    /** The first key. */
    byte[] firstKey() {
        return Arrays.copyOf(entries, keyBytes);
    }

    /** The node as a block that is not sealed yet; empties this. */
    byte[] take() {
        ByteBuffer block = ByteBuffer.allocate(Blocks.SIZE);
        int prefix = count == 0 ? 0 : prefixBytes;
        block.put(IndexNode.LEVEL_AT, (byte) level).put(IndexNode.KEY_BYTES_AT, (byte) keyBytes);
        block.putShort(IndexNode.COUNT_AT, (short) count).put(IndexNode.PREFIX_BYTES_AT, (byte) prefix);
        block.position(IndexNode.PREFIX_AT);
        block.put(entries, 0, prefix);
        for (int i = 0; i < count; i++) {
            int at = i * (keyBytes + valueBytes);
            block.put(entries, at + prefix, keyBytes - prefix + valueBytes);
        }
        count = 0;
        return block.array();
    }
}
