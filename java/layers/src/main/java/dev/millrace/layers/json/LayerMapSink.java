// SPDX-License-Identifier: Apache-2.0
package dev.millrace.layers.json;

import java.io.IOException;

/** Takes the layers of a map, one after the other. */
public interface LayerMapSink {
    /** A layer that is no file yet. */
    void inMemory(InMemoryLayerInfo layer) throws IOException;

    /** An image or a delta. */
    void historic(HistoricLayerInfo layer) throws IOException;

    /** A blob. */
    void blob(BlobLayerInfo layer) throws IOException;
}
