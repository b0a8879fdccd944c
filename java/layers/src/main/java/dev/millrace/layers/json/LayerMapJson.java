// SPDX-License-Identifier: Apache-2.0
package dev.millrace.layers.json;

import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import dev.millrace.layers.LayerKind;
import dev.millrace.layers.LayerName;
import dev.millrace.layers.Lsn;
import dev.millrace.layers.LsnRange;
import dev.millrace.layers.stats.LayerAccessStats;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * Reads and writes layer maps. What was written is read back equal; fields that are not known are passed over, and where a
 * document does not say what it must, the error tells what, and where.
 */
public final class LayerMapJson {
    static final String IN_MEMORY = "in_memory_layers";
    static final String HISTORIC = "historic_layers";
    static final String BLOBS = "blob_layers";
    static final String KIND = "kind";
    static final String OPEN = "Open";
    static final String FROZEN = "Frozen";
    static final String FILE_NAME = "layer_file_name";
    static final String FILE_SIZE = "layer_file_size";
    static final String LSN_START = "lsn_start";
    static final String LSN_END = "lsn_end";
    static final String REMOTE = "remote";
    static final String L0 = "l0";
    static final String ACCESS_STATS = "access_stats";

    private LayerMapJson() {}

    /** Writes a whole map; the generator is flushed and stays open. */
    public static void write(JsonGenerator out, LayerMapInfo map) throws IOException {
        try (LayerMapWriter writer = new LayerMapWriter(out)) {
            map.forEach(writer);
        }
    }

    /**
     * Reads a whole map.
     *
     * @param in before or at the beginning of the object; afterwards at its end
     * @throws com.fasterxml.jackson.core.JsonParseException where it is no layer map
     */
    public static LayerMapInfo read(JsonParser in) throws IOException {
        List<InMemoryLayerInfo> inMemory = new ArrayList<>();
        List<HistoricLayerInfo> historic = new ArrayList<>();
        List<BlobLayerInfo> blobs = new ArrayList<>();
        read(in, new LayerMapSink() {
            @Override
            public void inMemory(InMemoryLayerInfo layer) {
                inMemory.add(layer);
            }

            @Override
            public void historic(HistoricLayerInfo layer) {
                historic.add(layer);
            }

            @Override
            public void blob(BlobLayerInfo layer) {
                blobs.add(layer);
            }
        });
        return new LayerMapInfo(inMemory, historic, blobs);
    }

    /**
     * Reads a map and gives its layers to a sink as they come.
     *
     * @param in before or at the beginning of the object; afterwards at its end
     * @throws com.fasterxml.jackson.core.JsonParseException where it is no layer map
     */
    public static void read(JsonParser in, LayerMapSink into) throws IOException {
        boolean[] seen = new boolean[2];
        JsonFields.readObject(in, field -> {
            switch (field) {
                case IN_MEMORY -> {
                    seen[0] = true;
                    JsonFields.readArray(in, () -> into.inMemory(readInMemory(in)));
                }
                case HISTORIC -> {
                    seen[1] = true;
                    JsonFields.readArray(in, () -> into.historic(readLayer(in).historic(in)));
                }
                case BLOBS ->
                    JsonFields.readArray(in, () -> into.blob(readLayer(in).blob(in)));
                default -> in.skipChildren();
            }
        });
        if (!seen[0] || !seen[1]) {
            throw JsonFields.missing(in, seen[0] ? HISTORIC : IN_MEMORY);
        }
    }

    private static InMemoryLayerInfo readInMemory(JsonParser in) throws IOException {
        Layer layer = readLayer(in);
        String kind = JsonFields.need(in, KIND, layer.kind);
        Lsn start = JsonFields.need(in, LSN_START, layer.lsnStart);
        return switch (kind) {
            case OPEN -> new InMemoryLayerInfo.Open(start);
            case FROZEN -> {
                Lsn end = JsonFields.need(in, LSN_END, layer.lsnEnd);
                yield new InMemoryLayerInfo.Frozen(JsonFields.parsed(in, LSN_END, () -> new LsnRange(start, end)));
            }
            default -> throw JsonFields.refused(in, KIND, "'" + kind + "' is neither Open nor Frozen");
        };
    }

    private static Layer readLayer(JsonParser in) throws IOException {
        Layer layer = new Layer();
        JsonFields.readObject(in, field -> {
            switch (field) {
                case KIND -> layer.kind = Optional.of(JsonFields.text(in, field));
                case FILE_NAME -> {
                    String name = JsonFields.text(in, field);
                    layer.name = Optional.of(JsonFields.parsed(in, field, () -> LayerName.parse(name)));
                }
                case FILE_SIZE -> layer.fileSize = OptionalLong.of(JsonFields.count(in, field));
                case LSN_START -> layer.lsnStart = Optional.of(lsn(in, field));
                case LSN_END ->
                    layer.lsnEnd =
                            in.currentToken() == JsonToken.VALUE_NULL ? Optional.empty() : Optional.of(lsn(in, field));
                case REMOTE -> layer.remote = Optional.of(JsonFields.bool(in, field));
                case L0 -> layer.l0 = JsonFields.bool(in, field);
                case ACCESS_STATS -> layer.stats = Optional.of(AccessStatsJson.read(in));
                default -> in.skipChildren();
            }
        });
        return layer;
    }

    private static Lsn lsn(JsonParser in, String field) throws IOException {
        String text = JsonFields.text(in, field);
        return JsonFields.parsed(in, field, () -> Lsn.parse(text));
    }

    /** The fields of a layer as they come, in whatever order. */
    private static final class Layer {
        private Optional<String> kind = Optional.empty();
        private Optional<LayerName> name = Optional.empty();
        private OptionalLong fileSize = OptionalLong.empty();
        private Optional<Lsn> lsnStart = Optional.empty();
        private Optional<Lsn> lsnEnd = Optional.empty();
        private Optional<Boolean> remote = Optional.empty();
        private boolean l0;
        private Optional<LayerAccessStats> stats = Optional.empty();

        HistoricLayerInfo historic(JsonParser in) throws IOException {
            LayerName known = checkedName(in, JsonFields.need(in, KIND, kind));
            Lsn start = JsonFields.need(in, LSN_START, lsnStart);
            if (known instanceof LayerName.Delta delta) {
                checkLsn(in, LSN_START, start, delta.lsns().start());
                checkLsn(
                        in,
                        LSN_END,
                        JsonFields.need(in, LSN_END, lsnEnd),
                        delta.lsns().end());
                return new HistoricLayerInfo.Delta(delta, fileSize(in), remote(in), l0, stats(in));
            }
            if (known instanceof LayerName.Image image) {
                checkLsn(in, LSN_START, start, image.lsn());
                return new HistoricLayerInfo.Image(image, fileSize(in), remote(in), stats(in));
            }
            throw JsonFields.refused(in, FILE_NAME, "'" + known + "' is a blob among layers of keys");
        }

        BlobLayerInfo blob(JsonParser in) throws IOException {
            LayerName known = checkedName(in, LayerKind.BLOB.label());
            if (known instanceof LayerName.Blob blob) {
                return new BlobLayerInfo(blob, fileSize(in), remote(in), stats(in));
            }
            throw JsonFields.refused(in, FILE_NAME, "'" + known + "' is no blob");
        }

        private LayerName checkedName(JsonParser in, String wanted) throws IOException {
            LayerName known = JsonFields.need(in, FILE_NAME, name);
            if (!known.kind().label().equals(wanted)) {
                throw JsonFields.refused(
                        in,
                        FILE_NAME,
                        "'" + known + "' is the name of " + known.kind().label() + ", not of " + wanted);
            }
            return known;
        }

        private static void checkLsn(JsonParser in, String field, Lsn said, Lsn named) throws IOException {
            if (!said.equals(named)) {
                throw JsonFields.refused(in, field, said + " is not " + named + ", which the layer's name says");
            }
        }

        private long fileSize(JsonParser in) throws IOException {
            if (fileSize.isEmpty()) {
                throw JsonFields.missing(in, FILE_SIZE);
            }
            return fileSize.getAsLong();
        }

        private boolean remote(JsonParser in) throws IOException {
            return JsonFields.need(in, REMOTE, remote);
        }

        private LayerAccessStats stats(JsonParser in) throws IOException {
            return JsonFields.need(in, ACCESS_STATS, stats);
        }
    }
}
