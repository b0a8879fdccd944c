// SPDX-License-Identifier: Apache-2.0
package dev.millrace.layers.format;

import dev.millrace.io.DirectMode;
import dev.millrace.io.IoEngine;
import dev.millrace.io.IoFailure;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Arrays;

/**
 * Builds the index from the leaves up while values are written.
 *
 * <p><b>Memory.</b> One node, the first 512 KiB of leaves, and the first key of each leaf: 26 bytes for 8 KiB of leaves, at
 * most 64 MiB, which is enough for half a billion entries.
 */
final class IndexBuilder implements AutoCloseable {
    private static final int MOST_KEY_BYTES = 64 << 20;

    private final int keyBytes;
    private final LeafSpill leaves;
    private final IndexNodeBuilder leaf;
    private final FirstKeys firstKeys = new FirstKeys();
    private final ByteBuffer value = ByteBuffer.allocate(Long.BYTES + IndexNode.LEAF_VALUE);

    private static final class FirstKeys extends ByteArrayOutputStream {
        void add(byte[] key) {
            write(key, 0, key.length);
        }

        byte[] at(int index, int keyBytes) {
            return Arrays.copyOfRange(buf, index * keyBytes, (index + 1) * keyBytes);
        }
    }

    /** Where the index has come to lie. */
    record Place(long start, long root, int height) {}

    IndexBuilder(IoEngine engine, Path folder, DirectMode direct, boolean image) {
        this.keyBytes = IndexKeys.bytes(image);
        this.leaves = new LeafSpill(engine, folder, direct);
        this.leaf = new IndexNodeBuilder(0, keyBytes);
    }

    /** True where no more entries can be had. */
    boolean isFull() {
        return firstKeys.size() + keyBytes > MOST_KEY_BYTES;
    }

    /** Adds an entry, whose key is above all before. */
    void add(byte[] key, long offset, boolean willInit, boolean compressed, int stored, int length) throws IoFailure {
        if (!leaf.fits(key)) {
            endLeaf();
        }
        int flags = (willInit ? IndexNode.WILL_INIT : 0) | (compressed ? IndexNode.COMPRESSED : 0);
        value.clear().putLong(offset).put((byte) flags).putInt(stored).putInt(length);
        leaf.add(key, value.position(Short.BYTES)); // the lower six bytes of the offset
    }

    private void endLeaf() throws IoFailure {
        firstKeys.add(leaf.firstKey());
        leaves.add(leaf.take());
    }

    /** Writes leaves, then level above level up to one node. */
    Place finish(BlockOutput target) throws IoFailure, CorruptLayerException {
        if (!leaf.isEmpty() || leaves.count() == 0) {
            endLeaf();
        }
        target.endBlock();
        long start = target.block();
        leaves.moveTo(target);
        FirstKeys below = firstKeys;
        long belowStart = start;
        int level = 0;
        while (below.size() > keyBytes) {
            level++;
            long levelStart = target.block();
            below = writeLevel(target, level, below, belowStart);
            belowStart = levelStart;
        }
        return new Place(start, target.block() - 1, level + 1);
    }

    private FirstKeys writeLevel(BlockOutput target, int level, FirstKeys below, long belowStart) throws IoFailure {
        FirstKeys keys = new FirstKeys();
        IndexNodeBuilder node = new IndexNodeBuilder(level, keyBytes);
        ByteBuffer child = ByteBuffer.allocate(IndexNode.CHILD);
        for (int i = 0; i < below.size() / keyBytes; i++) {
            byte[] key = below.at(i, keyBytes);
            if (!node.fits(key)) {
                keys.add(node.firstKey());
                target.appendBlock(node.take());
            }
            node.add(key, child.clear().putInt((int) (belowStart + i)).flip());
        }
        keys.add(node.firstKey());
        target.appendBlock(node.take());
        return keys;
    }

    @Override
    public void close() {
        leaves.close();
    }
}
