// SPDX-License-Identifier: Apache-2.0
package dev.millrace.layers.format;

import dev.millrace.layers.LayerName;
import dev.millrace.layers.Lsn;
import java.nio.ByteBuffer;
import java.util.Arrays;

/**
 * A node of the index, one block. Behind the block's header:
 *
 * <pre>
 *    8  u8   level, 0 for a leaf
 *    9  u8   bytes of a key: 18 in an image, 26 in a delta
 *   10  u16  entries
 *   12  u8   bytes of the prefix that all keys of the node have in common
 *   13       zeros
 *   16       the prefix, then the entries in ascending order, then zeros
 * </pre>
 *
 * An entry is the rest of its key and, in a leaf, the value's offset (6 bytes), flags (u8: 1 will-init, 2 compressed),
 * stored length and length (u32 each); above the leaves the block of the node (u32) whose first key that is.
 */
final class IndexNode {
    static final int LEVEL_AT = 8;
    static final int KEY_BYTES_AT = 9;
    static final int COUNT_AT = 10;
    static final int PREFIX_BYTES_AT = 12;
    static final int PREFIX_AT = 16;
    static final int LEAF_VALUE = 15;
    static final int CHILD = 4;
    static final int WILL_INIT = 1;
    static final int COMPRESSED = 2;

    private final byte[] bytes;
    private final ByteBuffer memory;
    private final int level;
    private final int keyBytes;
    private final int count;
    private final int prefixBytes;
    private final int stride;

    private IndexNode(byte[] bytes, int level, int keyBytes, int count, int prefixBytes) {
        this.bytes = bytes;
        this.memory = ByteBuffer.wrap(bytes);
        this.level = level;
        this.keyBytes = keyBytes;
        this.count = count;
        this.prefixBytes = prefixBytes;
        this.stride = keyBytes - prefixBytes + valueBytes(level);
    }

    static int valueBytes(int level) {
        return level == 0 ? LEAF_VALUE : CHILD;
    }

    /**
     * Takes a block that has passed its checksum.
     *
     * @param level that it must have
     */
    static IndexNode decode(String path, LayerSummary summary, long block, int level, byte[] bytes)
            throws CorruptLayerException {
        ByteBuffer memory = ByteBuffer.wrap(bytes);
        int keyBytes = memory.get(KEY_BYTES_AT);
        int prefix = memory.get(PREFIX_BYTES_AT);
        int count = Short.toUnsignedInt(memory.getShort(COUNT_AT));
        if (memory.get(LEVEL_AT) != level || keyBytes != IndexKeys.bytes(summary.isImage())) {
            throw CorruptLayerException.of(
                    path,
                    block,
                    "it is no node of level " + level + " with keys of " + IndexKeys.bytes(summary.isImage())
                            + " bytes, which the index needs there");
        }
        int room = Blocks.SIZE - PREFIX_AT - prefix;
        boolean empty = count == 0;
        if (prefix < 0
                || prefix > keyBytes
                || count * (keyBytes - prefix + valueBytes(level)) > room
                || (empty && summary.entries() != 0)) {
            throw CorruptLayerException.of(
                    path, block, "a node of " + count + " entries with a prefix of " + prefix + " bytes cannot be");
        }
        return new IndexNode(bytes, level, keyBytes, count, prefix);
    }

    int count() {
        return count;
    }

    int level() {
        return level;
    }

    /** Bytes of the block that are in use. */
    int usedBytes() {
        return PREFIX_AT + prefixBytes + count * stride;
    }

    /** The entry with the greatest key below the bound, or -1. */
    int lastBelow(byte[] bound) {
        int prefix = Arrays.compareUnsigned(bound, 0, prefixBytes, bytes, PREFIX_AT, PREFIX_AT + prefixBytes);
        if (prefix != 0) {
            return prefix < 0 ? -1 : count - 1;
        }
        int low = 0;
        int high = count;
        while (low < high) {
            int middle = (low + high) >>> 1;
            int at = at(middle);
            int order = Arrays.compareUnsigned(bytes, at, at + keyBytes - prefixBytes, bound, prefixBytes, keyBytes);
            if (order < 0) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        return low - 1;
    }

    byte[] key(int index) {
        byte[] key = new byte[keyBytes];
        System.arraycopy(bytes, PREFIX_AT, key, 0, prefixBytes);
        System.arraycopy(bytes, at(index), key, prefixBytes, keyBytes - prefixBytes);
        return key;
    }

    /** The block of a node below. */
    long child(int index) {
        return Integer.toUnsignedLong(memory.getInt(valueAt(index)));
    }

    /** An entry of a leaf, whose place is checked. */
    LayerEntry entry(String path, LayerSummary summary, long block, int index) throws CorruptLayerException {
        byte[] key = key(index);
        int at = valueAt(index);
        long offset = memory.getLong(at - 2) & 0xffff_ffff_ffffL;
        int flags = bytes[at + 6];
        int stored = memory.getInt(at + 7);
        int length = memory.getInt(at + 11);
        boolean compressed = (flags & COMPRESSED) != 0;
        Lsn lsn = summary.name() instanceof LayerName.Image image ? image.lsn() : IndexKeys.lsn(key);
        LayerEntry entry =
                new LayerEntry(IndexKeys.key(key), lsn, (flags & WILL_INIT) != 0, compressed, offset, stored, length);
        if ((flags & ~(WILL_INIT | COMPRESSED)) != 0
                || stored < 0
                || length < 0
                || length > LayerWriter.MAX_VALUE_BYTES
                || (compressed ? stored >= length : stored != length)
                || offset < Blocks.CONTENT
                || offset + stored > Blocks.CONTENT + summary.storedBytes()) {
            throw CorruptLayerException.of(path, block, "its entry " + index + " says what cannot be: " + entry);
        }
        return entry;
    }

    private int at(int index) {
        return PREFIX_AT + prefixBytes + index * stride;
    }

    private int valueAt(int index) {
        return at(index) + keyBytes - prefixBytes;
    }
}
