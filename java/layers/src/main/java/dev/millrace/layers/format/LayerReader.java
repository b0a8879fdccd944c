// SPDX-License-Identifier: Apache-2.0
package dev.millrace.layers.format;

import dev.millrace.io.DirectMode;
import dev.millrace.io.IoFailure;
import dev.millrace.io.OpenOptions;
import dev.millrace.io.VirtualFile;
import dev.millrace.layers.LayerKey;
import dev.millrace.layers.LayerName;
import dev.millrace.layers.Lsn;
import dev.millrace.layers.LsnRange;
import dev.millrace.layers.TenantId;
import dev.millrace.layers.TimelineId;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.List;

/**
 * An open layer file. Every block is checked when it is read. Any number of threads may read at once; {@link #close} waits for
 * reads of the file that are under way, and later ones fail.
 *
 * <p>Opening reads two blocks, the summary and the index's root. A point search then reads no more than the other levels of
 * the index, as far as they are not cached, and the blocks of the value.
 */
public final class LayerReader implements AutoCloseable {
    private final LayerReaders readers;
    private final VirtualFile file;
    private final LayerSummary summary;
    private volatile boolean closed;

    private LayerReader(LayerReaders readers, VirtualFile file, LayerSummary summary) {
        this.readers = readers;
        this.file = file;
        this.summary = summary;
    }

    /**
     * Opens a layer of which it is known what it must be.
     *
     * @throws LayerMismatchException where the file is another layer's
     * @throws UnsupportedLayerException where it is no layer, or of another version of the format
     * @throws CorruptLayerException where it is damaged or cut short
     * @throws IoFailure where it cannot be read
     */
    public static LayerReader open(
            LayerReaders readers, Path path, LayerName name, TenantId tenant, TimelineId timeline) throws IOException {
        LayerReader reader = open(readers, path);
        try {
            reader.summary.expect(reader.path(), name, tenant, timeline);
            return reader;
        } catch (LayerMismatchException e) {
            reader.close();
            throw e;
        }
    }

    /** Opens a layer as what it says it is: for tools. Throws as {@link #open} does. */
    public static LayerReader open(LayerReaders readers, Path path) throws IOException {
        VirtualFile file = openFile(readers, path);
        boolean opened = false;
        try {
            LayerReader reader = new LayerReader(readers, file, readSummary(file));
            NodeFetch root = new NodeFetch(reader, reader.summary.indexRoot(), reader.summary.height() - 1);
            BlockReads.run(List.of(root));
            root.node();
            root.deliver();
            opened = true;
            return reader;
        } finally {
            if (!opened) {
                file.close();
            }
        }
    }

    private static VirtualFile openFile(LayerReaders readers, Path path) throws IoFailure {
        VirtualFile file =
                VirtualFile.open(readers.engine(), path, OpenOptions.reading().withDirect(DirectMode.PREFERRED));
        if (file.alignment().offset() <= Blocks.SIZE) {
            return file;
        }
        file.close(); // direct I/O in larger pieces than ours
        return VirtualFile.open(readers.engine(), path, OpenOptions.reading());
    }

    private static LayerSummary readSummary(VirtualFile file) throws IOException {
        long size = file.stat().size();
        ByteBuffer block = ByteBuffer.allocate(Blocks.SIZE);
        int got = file.read(block, 0);
        if (got < Blocks.SIZE) {
            throw LayerSummary.notALayer(
                    file.path(),
                    "it has " + size + " bytes, and a layer has two blocks of " + Blocks.SIZE + " at least");
        }
        return LayerSummary.decode(file.path(), block, size);
    }

    /** What the layer says of itself. */
    public LayerSummary summary() {
        return summary;
    }

    /** The file. */
    public String path() {
        return file.path();
    }

    LayerReaders readers() {
        return readers;
    }

    VirtualFile file() {
        return file;
    }

    boolean isClosed() {
        return closed;
    }

    // ------------------------------------------------------------------ reading

    /**
     * The records of a key in a range of versions, the newest first, up to and with the first that needs no older one; of an
     * image the key's value. None where there is none. For more than one key, {@link BatchReader}.
     */
    public List<LayerRecord> read(LayerKey key, LsnRange lsns) throws IOException {
        return BatchReader.read(List.of(new Lookup(this, key, lsns))).get(0).records();
    }

    /** Of an image the value of a key, of a delta as much as {@link #read(LayerKey, LsnRange)} of all versions. */
    public List<LayerRecord> read(LayerKey key) throws IOException {
        return read(key, new LsnRange(Lsn.ZERO, Lsn.MAX));
    }

    /** Goes through all entries without their values, in order, reading ahead. To be closed. */
    public EntryCursor entries() {
        return new EntryCursor(this);
    }

    /** Goes through all entries with their values, in order, reading ahead. To be closed. */
    public RecordCursor records() {
        return new RecordCursor(this);
    }

    /** Closes the file when reads of it have ended, and forgets what is cached of it. Idempotent. */
    @Override
    public void close() throws IoFailure {
        closed = true;
        readers.cache().forget(this);
        file.close();
    }
}
