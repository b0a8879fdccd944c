// SPDX-License-Identifier: Apache-2.0
package dev.millrace.layers.format;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Optional;

/** A value that is read, from all the blocks it lies in. */
final class ValueFetch implements BlockSink {
    private final LayerReader reader;
    private final LayerEntry entry;
    private final byte[] stored;
    private volatile Optional<IOException> failure = Optional.empty();

    ValueFetch(LayerReader reader, LayerEntry entry) {
        this.reader = reader;
        this.entry = entry;
        this.stored = new byte[entry.storedLength()];
    }

    /** False for an empty value, which needs no block. */
    boolean needsBlocks() {
        return stored.length > 0;
    }

    @Override
    public LayerReader reader() {
        return reader;
    }

    @Override
    public long firstBlock() {
        return entry.block();
    }

    @Override
    public long lastBlock() {
        return entry.lastBlock();
    }

    @Override
    public void block(long number, ByteBuffer memory, int at) {
        long from = Math.max(entry.offset(), Blocks.offsetOf(number));
        long to = Math.min(entry.offset() + stored.length, Blocks.offsetOf(number + 1));
        memory.get(at + Blocks.indexIn(from), stored, (int) (from - entry.offset()), (int) (to - from));
    }

    @Override
    public void failed(long number, IOException cause) {
        failure = Optional.of(cause);
    }

    /** After the read: the value. */
    LayerRecord record() throws IOException {
        if (failure.isPresent()) {
            throw failure.get();
        }
        return record(reader, entry, stored);
    }

    /** The record of an entry whose stored bytes were read. */
    static LayerRecord record(LayerReader reader, LayerEntry entry, byte[] stored) throws LayerFileException {
        byte[] value = entry.compressed() ? Zstd.decompress(stored, entry, reader.path()) : stored;
        return new LayerRecord(
                entry.key(),
                entry.lsn(),
                entry.willInit(),
                ByteBuffer.wrap(value).asReadOnlyBuffer());
    }
}
