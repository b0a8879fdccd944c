// SPDX-License-Identifier: Apache-2.0
package dev.millrace.layers.store;

import dev.millrace.io.VirtualFile;
import dev.millrace.layers.format.LayerReader;
import java.io.IOException;

/** A layer that is resident and open, and stays so until this is closed. Thread-safe. */
public final class LoadedLayer implements AutoCloseable {
    private final ResidentLayer resident;
    private final OpenFile open;

    LoadedLayer(ResidentLayer resident, OpenFile open) {
        this.resident = resident;
        this.open = open;
    }

    /** Which layer. */
    public Layer layer() {
        return resident.layer();
    }

    /** Bytes of it. */
    public long size() {
        return resident.size();
    }

    /**
     * A blob's file, open for reading; shared by all readers, and not theirs to close.
     *
     * @throws IllegalStateException where it is an image or a delta
     */
    public VirtualFile file() {
        if (open instanceof OpenFile.Blob blob) {
            return blob.file();
        }
        throw new IllegalStateException(layer() + " is no blob: use its reader");
    }

    /**
     * An image's or a delta's reader; shared by all readers, and not theirs to close.
     *
     * @throws IllegalStateException where it is a blob
     */
    public LayerReader reader() {
        if (open instanceof OpenFile.Keyed keyed) {
            return keyed.reader();
        }
        throw new IllegalStateException(layer() + " is a blob, which has no keys: use its file");
    }

    /**
     * The bytes here are not those that were written (a checksum says so): the local copy is dropped, and whoever loads the
     * layer next has it fetched anew. This one stays open. Logged and counted; once for each copy.
     */
    public void reportRotten(IOException cause) {
        reportRotten(cause, false);
    }

    /** {@code again}: it was fetched anew for that reason just before; reads hold back for a while then. */
    void reportRotten(IOException cause, boolean again) {
        layer().dropRotten(resident.residence(), cause, again);
    }

    /** Lets go. Does not block. */
    @Override
    public void close() {
        resident.close();
    }
}
