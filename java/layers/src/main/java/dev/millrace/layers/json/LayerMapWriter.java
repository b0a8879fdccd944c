// SPDX-License-Identifier: Apache-2.0
package dev.millrace.layers.json;

import com.fasterxml.jackson.core.JsonGenerator;
import dev.millrace.layers.LayerName;
import dev.millrace.layers.LsnRange;
import dev.millrace.layers.stats.LayerAccessStats;
import java.io.Closeable;
import java.io.IOException;

/**
 * Writes a layer map as one JSON object, layer by layer. It is given first the layers in memory, then images and deltas, then
 * blobs; {@link #close} ends the object and flushes the generator, which stays open and its owner's. For one thread.
 */
public final class LayerMapWriter implements LayerMapSink, Closeable {
    private enum Part {
        IN_MEMORY(LayerMapJson.IN_MEMORY),
        HISTORIC(LayerMapJson.HISTORIC),
        BLOBS(LayerMapJson.BLOBS);

        private final String field;

        Part(String field) {
            this.field = field;
        }
    }

    private final JsonGenerator out;
    private Part part = Part.IN_MEMORY;
    private boolean closed;

    /** Begins the object. */
    public LayerMapWriter(JsonGenerator out) throws IOException {
        this.out = out;
        out.writeStartObject();
        out.writeArrayFieldStart(part.field);
    }

    /** Ends the parts before, where they are open still. */
    private void enter(Part wanted) throws IOException {
        if (closed || part.compareTo(wanted) > 0) {
            throw new IllegalStateException("a layer of " + wanted.field + " came after "
                    + (closed ? "the end" : part.field) + " of the document");
        }
        for (Part next : Part.values()) {
            if (next.compareTo(part) > 0 && next.compareTo(wanted) <= 0) {
                out.writeEndArray();
                out.writeArrayFieldStart(next.field);
            }
        }
        part = wanted;
    }

    @Override
    public void inMemory(InMemoryLayerInfo layer) throws IOException {
        enter(Part.IN_MEMORY);
        out.writeStartObject();
        if (layer instanceof InMemoryLayerInfo.Frozen frozen) {
            out.writeStringField(LayerMapJson.KIND, LayerMapJson.FROZEN);
            writeLsns(frozen.lsns());
        } else if (layer instanceof InMemoryLayerInfo.Open open) {
            out.writeStringField(LayerMapJson.KIND, LayerMapJson.OPEN);
            out.writeStringField(LayerMapJson.LSN_START, open.lsnStart().toString());
        }
        out.writeEndObject();
    }

    @Override
    public void historic(HistoricLayerInfo layer) throws IOException {
        enter(Part.HISTORIC);
        out.writeStartObject();
        out.writeStringField(LayerMapJson.KIND, layer.name().kind().label());
        writeFile(layer.name(), layer.fileSize());
        if (layer instanceof HistoricLayerInfo.Delta delta) {
            writeLsns(delta.name().lsns());
            out.writeBooleanField(LayerMapJson.REMOTE, layer.remote());
            out.writeBooleanField(LayerMapJson.L0, delta.l0());
        } else if (layer instanceof HistoricLayerInfo.Image image) {
            out.writeStringField(LayerMapJson.LSN_START, image.name().lsn().toString());
            out.writeBooleanField(LayerMapJson.REMOTE, layer.remote());
        }
        writeStats(layer.accessStats());
        out.writeEndObject();
    }

    @Override
    public void blob(BlobLayerInfo layer) throws IOException {
        enter(Part.BLOBS);
        out.writeStartObject();
        writeFile(layer.name(), layer.fileSize());
        out.writeBooleanField(LayerMapJson.REMOTE, layer.remote());
        writeStats(layer.accessStats());
        out.writeEndObject();
    }

    private void writeFile(LayerName name, long size) throws IOException {
        out.writeStringField(LayerMapJson.FILE_NAME, name.toString());
        out.writeNumberField(LayerMapJson.FILE_SIZE, size);
    }

    private void writeLsns(LsnRange lsns) throws IOException {
        out.writeStringField(LayerMapJson.LSN_START, lsns.start().toString());
        out.writeStringField(LayerMapJson.LSN_END, lsns.end().toString());
    }

    private void writeStats(LayerAccessStats stats) throws IOException {
        out.writeFieldName(LayerMapJson.ACCESS_STATS);
        AccessStatsJson.write(out, stats);
    }

    @Override
    public void close() throws IOException {
        if (!closed) {
            enter(Part.BLOBS);
            closed = true;
            out.writeEndArray();
            out.writeEndObject();
            out.flush();
        }
    }
}
