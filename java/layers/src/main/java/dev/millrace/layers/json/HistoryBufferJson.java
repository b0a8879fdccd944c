// SPDX-License-Identifier: Apache-2.0
package dev.millrace.layers.json;

import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonParser;
import dev.millrace.layers.stats.HistoryBuffer;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Histories as {@code {"buffer":[oldest … newest],"buffer_size":n,"drop_count":n}}. */
public final class HistoryBufferJson {
    private static final String BUFFER = "buffer";
    private static final String BUFFER_SIZE = "buffer_size";
    private static final String DROP_COUNT = "drop_count";

    private HistoryBufferJson() {}

    /**
     * Writes an entry.
     *
     * @param <T> entries
     */
    @FunctionalInterface
    public interface EntryWriter<T> {
        /** As one value. */
        void write(JsonGenerator out, T entry) throws IOException;
    }

    /**
     * Reads an entry.
     *
     * @param <T> entries
     */
    @FunctionalInterface
    public interface EntryReader<T> {
        /** From the value at whose first token the parser is; leaves it at the last. */
        T read(JsonParser in) throws IOException;
    }

    /** Writes a history as an object. */
    public static <T> void write(JsonGenerator out, HistoryBuffer<T> history, EntryWriter<? super T> entries)
            throws IOException {
        out.writeStartObject();
        out.writeArrayFieldStart(BUFFER);
        for (T entry : history) {
            entries.write(out, entry);
        }
        out.writeEndArray();
        out.writeNumberField(BUFFER_SIZE, history.capacity());
        out.writeNumberField(DROP_COUNT, history.dropCount());
        out.writeEndObject();
    }

    /**
     * Reads a history.
     *
     * @param in before or at the beginning of the object; afterwards at its end
     * @param capacity what {@code buffer_size} must be
     * @throws com.fasterxml.jackson.core.JsonParseException where a field is missing, the size is another one, or there are
     *     more entries than that
     */
    public static <T> HistoryBuffer<T> read(JsonParser in, int capacity, EntryReader<? extends T> entries)
            throws IOException {
        Fields<T> fields = new Fields<>();
        JsonFields.readObject(in, field -> {
            switch (field) {
                case BUFFER -> fields.buffer = Optional.of(readEntries(in, capacity, entries));
                case BUFFER_SIZE -> fields.size = Optional.of(JsonFields.count(in, field));
                case DROP_COUNT -> fields.dropped = Optional.of(JsonFields.count(in, field));
                default -> in.skipChildren();
            }
        });
        List<T> buffer = JsonFields.need(in, BUFFER, fields.buffer);
        long size = JsonFields.need(in, BUFFER_SIZE, fields.size);
        if (size != capacity) {
            throw JsonFields.refused(in, BUFFER_SIZE, size + " is not " + capacity + ", which this history has");
        }
        return HistoryBuffer.of(capacity, buffer, JsonFields.need(in, DROP_COUNT, fields.dropped));
    }

    private static <T> List<T> readEntries(JsonParser in, int capacity, EntryReader<? extends T> entries)
            throws IOException {
        List<T> read = new ArrayList<>();
        JsonFields.readArray(in, () -> {
            if (read.size() == capacity) {
                throw JsonFields.refused(in, BUFFER, "it has more entries than the " + capacity + " it can have");
            }
            read.add(entries.read(in));
        });
        return read;
    }

    private static final class Fields<T> {
        private Optional<List<T>> buffer = Optional.empty();
        private Optional<Long> size = Optional.empty();
        private Optional<Long> dropped = Optional.empty();
    }
}
