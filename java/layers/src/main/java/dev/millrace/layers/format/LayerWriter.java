// SPDX-License-Identifier: Apache-2.0
package dev.millrace.layers.format;

import dev.millrace.io.DirectMode;
import dev.millrace.io.IoEngine;
import dev.millrace.io.IoFailure;
import dev.millrace.io.OwnedBuffer;
import dev.millrace.io.TemporaryFile;
import dev.millrace.layers.KeyRange;
import dev.millrace.layers.LayerFileName;
import dev.millrace.layers.LayerKey;
import dev.millrace.layers.LayerKind;
import dev.millrace.layers.LayerName;
import dev.millrace.layers.Lsn;
import dev.millrace.layers.TenantId;
import dev.millrace.layers.TimelineId;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Optional;

/**
 * Writes a layer file. Entries come in ascending order: an image's by key, a delta's by key and, within a key, by LSN.
 * {@link #finish} gives the file its name, durably, and never in place of another; {@link #close} without it leaves
 * nothing behind.
 *
 * <p>An entry that is out of order, double, or outside the layer's range is refused with {@link IllegalArgumentException};
 * nothing of it is written, and the writer goes on. After an {@link IOException} it can only be closed.
 *
 * <p><b>Memory</b>, whatever the size of the layer: 1 MiB, the compressor's scratch (a little more than the largest value),
 * and 26 bytes for each 8 KiB of index, at most 64 MiB. The index's leaves beyond 512 KiB wait in a second temporary file.
 * Buffers of the pool are held only while a write is in flight.
 *
 * <p>One thread at a time; blocks a platform thread, parks a virtual one.
 */
public final class LayerWriter implements AutoCloseable {
    /** Bytes of a value at most: 128 MiB. */
    public static final int MAX_VALUE_BYTES = 128 << 20;

    /** Shorter values are not worth the try. */
    private static final int LEAST_COMPRESSED = 64;

    private final IoEngine engine;
    private final Path target;
    private final TenantId tenant;
    private final TimelineId timeline;
    private final LayerName name;
    private final KeyRange keyRange;
    private final boolean image;
    private final TemporaryFile temporary;
    private final BlockOutput output;
    private final IndexBuilder index;
    private final Optional<Zstd.Compressor> compressor;

    private byte[] lastKey = new byte[0];
    private long entries;
    private long keys;
    private long valueBytes;
    private long storedBytes;
    private State state = State.OPEN;

    private enum State {
        OPEN,
        FAILED,
        FINISHED,
        CLOSED
    }

    /**
     * A layer that was written.
     *
     * @param path the file
     * @param summary what it says of itself
     */
    public record Written(Path path, LayerSummary summary) {}

    private LayerWriter(
            IoEngine engine,
            Path target,
            TenantId tenant,
            TimelineId timeline,
            LayerName name,
            TemporaryFile temporary,
            BlockOutput output,
            IndexBuilder index,
            Optional<Zstd.Compressor> compressor) {
        this.engine = engine;
        this.target = target;
        this.tenant = tenant;
        this.timeline = timeline;
        this.name = name;
        this.keyRange = LayerSummary.keysOf(name);
        this.image = name.kind() == LayerKind.IMAGE;
        this.temporary = temporary;
        this.output = output;
        this.index = index;
        this.compressor = compressor;
    }

    /**
     * Begins a layer.
     *
     * @param folder where it will be; must exist
     * @param file its name, an image's or a delta's
     * @throws UnsupportedLayerException where it shall be compressed and the library for that is not there
     * @throws IoFailure where no file can be made in the folder
     */
    public static LayerWriter create(
            IoEngine engine,
            Path folder,
            LayerFileName file,
            TenantId tenant,
            TimelineId timeline,
            Compression compression)
            throws IOException {
        LayerSummary.keysOf(file.layer()); // refuses a blob
        Path target = folder.resolve(file.toString());
        if (compression == Compression.ZSTD) {
            Zstd.check(target.toString(), "is to be compressed");
        }
        DirectMode direct = DirectMode.PREFERRED;
        boolean image = file.layer().kind() == LayerKind.IMAGE;
        TemporaryFile temporary = TemporaryFile.create(engine, folder, direct);
        boolean made = false;
        try {
            LayerWriter writer = new LayerWriter(
                    engine,
                    target,
                    tenant,
                    timeline,
                    file.layer(),
                    temporary,
                    new BlockOutput(engine, temporary.file(), 1), // block 0 comes last
                    new IndexBuilder(engine, folder, direct, image),
                    compression == Compression.ZSTD ? Optional.of(new Zstd.Compressor()) : Optional.empty());
            made = true;
            return writer;
        } finally {
            if (!made) {
                temporary.close();
            }
        }
    }

    /**
     * Adds a key's value to an image.
     *
     * @param value from its position to its limit, which do not move
     */
    public void put(LayerKey key, ByteBuffer value) throws IOException {
        if (!image) {
            throw new IllegalArgumentException("the layer " + name + " is a delta: an entry needs an LSN");
        }
        put(key, IndexKeys.of(key), value, true);
    }

    /**
     * Adds a change to a delta.
     *
     * @param value from its position to its limit, which do not move
     * @param willInit true where it needs no older one
     */
    public void put(LayerKey key, Lsn lsn, ByteBuffer value, boolean willInit) throws IOException {
        if (!(name instanceof LayerName.Delta delta)) {
            throw new IllegalArgumentException("the layer " + name + " is an image: all entries have its LSN");
        }
        if (!delta.lsns().contains(lsn)) {
            throw new IllegalArgumentException(
                    "LSN " + lsn + " of key " + key + " lies outside the LSNs of the layer " + name);
        }
        put(key, IndexKeys.of(key, lsn), value, willInit);
    }

    private void put(LayerKey key, byte[] indexKey, ByteBuffer value, boolean willInit) throws IOException {
        checkOpen();
        int length = value.remaining();
        if (!keyRange.contains(key)) {
            throw new IllegalArgumentException("key " + key + " lies outside the keys of the layer " + name);
        }
        if (length > MAX_VALUE_BYTES) {
            throw new IllegalArgumentException("the value of key " + key + " has " + length
                    + " bytes, and a layer's values have " + MAX_VALUE_BYTES + " at most");
        }
        checkOrder(indexKey);
        if (index.isFull()) {
            throw new IllegalArgumentException("the layer " + name
                    + " has as many entries as an index can be built for (" + entries + "): end it and begin another");
        }
        boolean done = false;
        try {
            store(indexKey, value, length, willInit);
            done = true;
        } finally {
            if (!done) {
                state = State.FAILED;
            }
        }
        if (entries == 0 || !Arrays.equals(lastKey, 0, LayerKey.BYTES, indexKey, 0, LayerKey.BYTES)) {
            keys++;
        }
        entries++;
        lastKey = indexKey;
    }

    private void checkOrder(byte[] key) {
        int order = entries == 0 ? -1 : Arrays.compareUnsigned(lastKey, key);
        if (order >= 0) {
            throw new IllegalArgumentException(
                    order == 0
                            ? text(key) + " comes a second time behind " + text(lastKey) + " in the layer " + name
                            : text(key) + " comes behind " + text(lastKey) + " in the layer " + name
                                    + ", whose entries are written in ascending order");
        }
    }

    private String text(byte[] key) {
        return "key " + IndexKeys.key(key) + (image ? "" : " at " + IndexKeys.lsn(key));
    }

    private void store(byte[] key, ByteBuffer value, int length, boolean willInit) throws IoFailure {
        byte[] bytes;
        int from;
        if (value.hasArray()) {
            bytes = value.array();
            from = value.arrayOffset() + value.position();
        } else {
            bytes = new byte[length];
            from = 0;
            value.get(value.position(), bytes);
        }
        int stored = length;
        boolean compressed = compressor.isPresent()
                && length >= LEAST_COMPRESSED
                && compressor.get().compress(bytes, from, length);
        if (compressed) {
            bytes = compressor.get().bytes();
            from = 0;
            stored = compressor.get().length();
        }
        long offset = output.offset();
        output.append(bytes, from, stored);
        index.add(key, offset, willInit, compressed, stored, length);
        valueBytes += length;
        storedBytes += stored;
    }

    /** Bytes of values so far, as they are stored: for who ends a layer at a size. */
    public long storedBytes() {
        return storedBytes;
    }

    /**
     * Writes index and summary, then gives the file its name: fsync of the file, rename, fsync of the folder.
     *
     * @throws IoFailure where a step fails, and where a file of that name is there, which stays as it is (EEXIST)
     */
    public Written finish() throws IOException {
        checkOpen();
        state = State.FAILED;
        IndexBuilder.Place place = index.finish(output);
        output.flush();
        LayerSummary summary = new LayerSummary(
                tenant,
                timeline,
                name,
                place.height(),
                place.root() + 1,
                place.start(),
                place.root(),
                entries,
                keys,
                valueBytes,
                storedBytes);
        try (OwnedBuffer buffer = engine.buffers().acquire()) {
            buffer.put(0, summary.encode(), 0, Blocks.SIZE);
            temporary.file().write(buffer, 0, Blocks.SIZE, 0);
        }
        temporary.file().truncate(summary.fileBytes());
        temporary.publish(target, false);
        state = State.FINISHED;
        return new Written(target, summary);
    }

    private void checkOpen() {
        if (state != State.OPEN) {
            throw new IllegalStateException("the writer of the layer " + target
                    + switch (state) {
                        case FAILED -> " has failed and can only be closed";
                        case FINISHED -> " is finished";
                        default -> " is closed";
                    });
        }
    }

    /** Ends it; without {@link #finish} nothing of the layer is left. Idempotent. */
    @Override
    public void close() {
        if (state == State.CLOSED) {
            return;
        }
        state = State.CLOSED;
        output.settle();
        index.close();
        compressor.ifPresent(Zstd.Compressor::close);
        temporary.close();
    }
}
