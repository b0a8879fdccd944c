// SPDX-License-Identifier: Apache-2.0
package dev.millrace.layers.format;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Optional;

/**
 * Goes through the entries of a layer in order, without their values, which are not read. Memory: a quarter of a MiB. One
 * thread at a time; blocks a platform thread, parks a virtual one.
 */
public final class EntryCursor implements AutoCloseable {
    private final LayerReader reader;
    private final BlockStream leaves;
    private long block;
    private Optional<IndexNode> leaf = Optional.empty();
    private int index;
    private long seen;

    EntryCursor(LayerReader reader) {
        this.reader = reader;
        this.block = reader.summary().indexStart() - 1;
        // Leaves come first; the number of entries says when they end.
        this.leaves = new BlockStream(
                reader, reader.summary().indexStart(), reader.summary().indexRoot() + 1);
    }

    /**
     * The next entry; empty behind the last.
     *
     * @throws IOException where a block of the index cannot be had; the cursor is of no use then
     */
    public Optional<LayerEntry> next() throws IOException {
        LayerSummary summary = reader.summary();
        while (seen < summary.entries()) {
            if (leaf.isPresent() && index < leaf.get().count()) {
                seen++;
                return Optional.of(leaf.get().entry(reader.path(), summary, block, index++));
            }
            block++;
            index = 0;
            leaf = Optional.empty();
            Optional<ByteBuffer> bytes = leaves.next();
            if (bytes.isEmpty()) {
                throw CorruptLayerException.of(
                        reader.path(), 0, "it promises " + summary.entries() + " entries, and the index has " + seen);
            }
            byte[] copy = new byte[Blocks.SIZE];
            bytes.get().get(copy);
            leaf = Optional.of(IndexNode.decode(reader.path(), summary, block, 0, copy));
        }
        return Optional.empty();
    }

    /** Waits for reads that are under way. Idempotent. */
    @Override
    public void close() {
        leaves.close();
    }
}
