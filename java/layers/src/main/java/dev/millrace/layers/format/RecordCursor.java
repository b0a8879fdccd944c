// SPDX-License-Identifier: Apache-2.0
package dev.millrace.layers.format;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Optional;

/**
 * Goes through the entries of a layer in order, with their values. Memory: half a MiB and one value. One thread at a time;
 * blocks a platform thread, parks a virtual one.
 */
public final class RecordCursor implements AutoCloseable {
    private final LayerReader reader;
    private final EntryCursor entries;
    private final BlockStream values;
    /** What comes next of the values, counted as entries do. */
    private long offset = Blocks.offsetOf(1);

    private ByteBuffer block = ByteBuffer.allocate(0);

    RecordCursor(LayerReader reader) {
        this.reader = reader;
        this.entries = new EntryCursor(reader);
        this.values = new BlockStream(reader, 1, reader.summary().indexStart());
    }

    /**
     * The next record; empty behind the last.
     *
     * @throws IOException where a block cannot be had; the cursor is of no use then
     */
    public Optional<LayerRecord> next() throws IOException {
        Optional<LayerEntry> next = entries.next();
        if (next.isEmpty()) {
            return Optional.empty();
        }
        LayerEntry entry = next.get();
        if (entry.offset() != offset) {
            throw CorruptLayerException.of(
                    reader.path(),
                    entry.block(),
                    "values lie in the order of their entries, and that of key " + entry.key() + " at " + entry.lsn()
                            + " lies at " + entry.offset() + " and not at " + offset);
        }
        byte[] stored = new byte[entry.storedLength()];
        int got = 0;
        while (got < stored.length) {
            if (!block.hasRemaining()) {
                block = values.next()
                        .orElseThrow(() -> CorruptLayerException.of(
                                reader.path(), entry.lastBlock(), "the index begins before the values end"))
                        .position(Blocks.HEADER);
            }
            int part = Math.min(block.remaining(), stored.length - got);
            block.get(stored, got, part);
            got += part;
        }
        offset += stored.length;
        return Optional.of(ValueFetch.record(reader, entry, stored));
    }

    /** Waits for reads that are under way. Idempotent. */
    @Override
    public void close() {
        values.close();
        entries.close();
    }
}
