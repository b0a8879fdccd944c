// SPDX-License-Identifier: Apache-2.0
package dev.millrace.layers.store;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.StreamReadFeature;
import dev.millrace.layers.Generation;
import dev.millrace.layers.LayerName;
import dev.millrace.layers.Lsn;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/**
 * Writes and reads the document {@code index_part.json}: {@code {"version":1,"layer_metadata":{"<name>":{"file_size":n,
 * "generation":n,"checksum":"crc32c:…"}},"disk_consistent_lsn":"0/0"}}. Names in the document carry no generation, or any.
 *
 * <p>Before version 1 there is version 0, or none said, where files have no generation. Fields that are not known are
 * passed over: they are others' notes. A newer version is refused, since nobody knows what it means to leave out.
 */
final class IndexPartJson {
    private static final JsonFactory JSON = JsonFactory.builder()
            .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
            .streamReadConstraints(StreamReadConstraints.builder()
                    .maxNestingDepth(32)
                    .maxStringLength(64 << 10)
                    .maxDocumentLength(RemoteStore.MAX_INDEX_BYTES)
                    .build())
            .build();

    private IndexPartJson() {}

    /** The document, in UTF-8. */
    static byte[] write(IndexPart index) {
        ByteArrayOutputStream bytes =
                new ByteArrayOutputStream(256 + 200 * index.layers().size());
        try (JsonGenerator to = JSON.createGenerator(bytes)) {
            to.writeStartObject();
            to.writeNumberField("version", IndexPart.VERSION);
            to.writeObjectFieldStart("layer_metadata");
            for (Map.Entry<LayerName, LayerFile> layer : index.layers().entrySet()) {
                LayerFile file = layer.getValue();
                to.writeObjectFieldStart(layer.getKey().toString());
                to.writeNumberField("file_size", file.size());
                if (file.generation().isPresent()) {
                    to.writeNumberField(
                            "generation",
                            Integer.toUnsignedLong(file.generation().get().number()));
                }
                if (file.checksum().isPresent()) {
                    to.writeStringField("checksum", file.checksum().get());
                }
                to.writeEndObject();
            }
            to.writeEndObject();
            to.writeStringField("disk_consistent_lsn", index.diskConsistentLsn().toString());
            to.writeEndObject();
        } catch (IOException e) {
            throw new IllegalStateException("writing to memory failed", e);
        }
        return bytes.toByteArray();
    }

    /**
     * What a document says.
     *
     * @param where the document, for people
     * @throws StoreFailure.IndexUnreadable with the document and the reason
     */
    static IndexPart parse(byte[] document, String where) throws StoreFailure.IndexUnreadable {
        try (JsonParser from = JSON.createParser(document)) {
            return new Reading(from).index();
        } catch (JsonProcessingException e) {
            String at = e.getLocation() == null
                    ? ""
                    : " (line " + e.getLocation().getLineNr() + ", column "
                            + e.getLocation().getColumnNr() + ")";
            throw new StoreFailure.IndexUnreadable(
                    where + " is no index of layers: " + firstLine(e.getOriginalMessage()) + at, e);
        } catch (IOException | IllegalArgumentException e) {
            throw new StoreFailure.IndexUnreadable(
                    where + " is no index of layers: " + firstLine(String.valueOf(e.getMessage())), e);
        }
    }

    private static String firstLine(String text) {
        int end = text.indexOf('\n');
        return end < 0 ? text : text.substring(0, end);
    }

    /** One document being read. */
    private static final class Reading {
        private final JsonParser from;

        Reading(JsonParser from) {
            this.from = from;
        }

        IndexPart index() throws IOException {
            Optional<Map<LayerName, LayerFile>> layers = Optional.empty();
            Optional<Lsn> lsn = Optional.empty();
            long version = 0;
            expect(from.nextToken(), JsonToken.START_OBJECT, "the document");
            while (next() == JsonToken.FIELD_NAME) {
                String field = from.currentName();
                next();
                switch (field) {
                    case "version" -> version = number("version", Integer.MAX_VALUE);
                    case "layer_metadata" -> layers = Optional.of(layers());
                    case "disk_consistent_lsn" -> lsn = Optional.of(Lsn.parse(text("disk_consistent_lsn")));
                    default -> from.skipChildren();
                }
                if (version > IndexPart.VERSION) {
                    throw new IllegalArgumentException("its version is " + version + ", and " + IndexPart.VERSION
                            + " is the newest that this program knows; run a newer one");
                }
            }
            if (from.nextToken() != null) {
                throw new IllegalArgumentException("something follows the end of the document");
            }
            if (layers.isEmpty() || lsn.isEmpty()) {
                throw new IllegalArgumentException(
                        "it lacks " + (layers.isEmpty() ? "layer_metadata" : "disk_consistent_lsn"));
            }
            return new IndexPart(layers.get(), lsn.get());
        }

        /** The end of the bytes is never the end of an object. */
        private JsonToken next() throws IOException {
            JsonToken token = from.nextToken();
            if (token == null) {
                throw new IllegalArgumentException("it is cut short");
            }
            return token;
        }

        private Map<LayerName, LayerFile> layers() throws IOException {
            Map<LayerName, LayerFile> layers = new LinkedHashMap<>();
            expect(from.currentToken(), JsonToken.START_OBJECT, "layer_metadata");
            while (next() == JsonToken.FIELD_NAME) {
                String name = from.currentName();
                LayerName layer = LayerName.parse(name);
                next();
                LayerFile file;
                try {
                    file = file();
                } catch (IllegalArgumentException e) {
                    throw new IllegalArgumentException("layer " + name + ": " + e.getMessage(), e);
                }
                if (layers.put(layer, file) != null) {
                    throw new IllegalArgumentException("the layer " + layer + " is there twice");
                }
            }
            return layers;
        }

        private LayerFile file() throws IOException {
            long size = -1;
            Optional<Generation> generation = Optional.empty();
            Optional<String> checksum = Optional.empty();
            expect(from.currentToken(), JsonToken.START_OBJECT, "what is said of it");
            while (next() == JsonToken.FIELD_NAME) {
                String field = from.currentName();
                next();
                switch (field) {
                    case "file_size" -> size = number("file_size", LayerFile.MAX_SIZE);
                    case "generation" ->
                        generation = Optional.of(new Generation((int) number("generation", 0xffff_ffffL)));
                    case "checksum" -> checksum = Optional.of(text("checksum"));
                    default -> from.skipChildren();
                }
            }
            if (size < 0) {
                throw new IllegalArgumentException("it lacks file_size");
            }
            return new LayerFile(size, generation, checksum);
        }

        private long number(String field, long most) throws IOException {
            if (from.currentToken() != JsonToken.VALUE_NUMBER_INT) {
                throw new IllegalArgumentException(field + " is no whole number");
            }
            var value = from.getBigIntegerValue();
            if (value.signum() < 0 || value.bitLength() > 62 || value.longValue() > most) {
                throw new IllegalArgumentException(field + " is " + value + "; 0 to " + most + " are possible");
            }
            return value.longValue();
        }

        private String text(String field) throws IOException {
            expect(from.currentToken(), JsonToken.VALUE_STRING, field);
            return from.getText();
        }

        private static void expect(JsonToken found, JsonToken wanted, String what) {
            if (found == null) {
                throw new IllegalArgumentException("it is cut short");
            }
            if (found != wanted) {
                String kind = wanted == JsonToken.START_OBJECT ? "no object" : "no text";
                throw new IllegalArgumentException(what + " is " + kind);
            }
        }
    }
}
