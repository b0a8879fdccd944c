// SPDX-License-Identifier: Apache-2.0
package dev.millrace.layers.store;

import dev.millrace.io.IoFailure;
import dev.millrace.io.VirtualFile;
import dev.millrace.layers.format.LayerReader;

/** A layer's file, open for reading. */
sealed interface OpenFile {
    /** A blob's, whose format is somebody else's. */
    record Blob(VirtualFile file) implements OpenFile {
        @Override
        public void close() throws IoFailure {
            file.close();
        }
    }

    /** An image's or a delta's. */
    record Keyed(LayerReader reader) implements OpenFile {
        @Override
        public void close() throws IoFailure {
            reader.close();
        }
    }

    /** Waits for reads that are under way. */
    void close() throws IoFailure;
}
