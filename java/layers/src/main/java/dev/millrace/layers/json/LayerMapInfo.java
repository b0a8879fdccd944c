// SPDX-License-Identifier: Apache-2.0
package dev.millrace.layers.json;

import java.io.IOException;
import java.util.List;

/**
 * A whole layer map, for those who want it in memory.
 *
 * @param inMemoryLayers layers that are no files yet
 * @param historicLayers images and deltas
 * @param blobLayers blobs
 */
public record LayerMapInfo(
        List<InMemoryLayerInfo> inMemoryLayers,
        List<HistoricLayerInfo> historicLayers,
        List<BlobLayerInfo> blobLayers) {
    /** Copies what it is given. */
    public LayerMapInfo {
        inMemoryLayers = List.copyOf(inMemoryLayers);
        historicLayers = List.copyOf(historicLayers);
        blobLayers = List.copyOf(blobLayers);
    }

    /** Gives a sink all layers, in the order in which a document has them. */
    public void forEach(LayerMapSink sink) throws IOException {
        for (InMemoryLayerInfo layer : inMemoryLayers) {
            sink.inMemory(layer);
        }
        for (HistoricLayerInfo layer : historicLayers) {
            sink.historic(layer);
        }
        for (BlobLayerInfo layer : blobLayers) {
            sink.blob(layer);
        }
    }
}
