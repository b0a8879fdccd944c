// SPDX-License-Identifier: Apache-2.0
package dev.millrace.layers.json;

import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import dev.millrace.layers.AccessKind;
import dev.millrace.layers.stats.HistoryBuffer;
import dev.millrace.layers.stats.LayerAccess;
import dev.millrace.layers.stats.LayerAccessStats;
import dev.millrace.layers.stats.ResidenceEvent;
import dev.millrace.layers.stats.ResidenceReason;
import dev.millrace.layers.stats.ResidenceStatus;
import java.io.IOException;
import java.util.EnumMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;

/**
 * The statistics of a layer, the object {@code access_stats}. Read is also the older form, which ends before
 * {@code access_time}; fields that are empty are not written.
 */
public final class AccessStatsJson {
    private static final String COUNTS = "access_count_by_access_kind";
    private static final String FLAGS = "task_kind_access_flag";
    private static final String FIRST = "first";
    private static final String ACCESSES = "accesses_history";
    private static final String RESIDENCE = "residence_events_history";
    private static final String ACCESS_TIME = "access_time";
    private static final String RESIDENCE_TIME = "residence_time";
    private static final String VISIBLE = "visible";
    private static final String WHEN = "when_millis_since_epoch";
    private static final String TASK_KIND = "task_kind";
    private static final String ACCESS_KIND = "access_kind";
    private static final String TIMESTAMP = "timestamp_millis_since_epoch";
    private static final String STATUS = "status";
    private static final String REASON = "reason";

    private AccessStatsJson() {}

    /** Writes statistics as an object. */
    public static void write(JsonGenerator out, LayerAccessStats stats) throws IOException {
        out.writeStartObject();
        out.writeObjectFieldStart(COUNTS);
        for (Map.Entry<AccessKind, Long> count : stats.accessCounts().entrySet()) {
            out.writeNumberField(count.getKey().label(), count.getValue());
        }
        out.writeEndObject();
        out.writeArrayFieldStart(FLAGS);
        for (String kind : stats.taskKinds()) {
            out.writeString(kind);
        }
        out.writeEndArray();
        out.writeFieldName(FIRST);
        if (stats.first().isPresent()) {
            writeAccess(out, stats.first().get());
        } else {
            out.writeNull();
        }
        out.writeFieldName(ACCESSES);
        HistoryBufferJson.write(out, stats.accesses(), AccessStatsJson::writeAccess);
        out.writeFieldName(RESIDENCE);
        HistoryBufferJson.write(out, stats.residenceEvents(), AccessStatsJson::writeResidence);
        writeTime(out, ACCESS_TIME, stats.accessTime());
        writeTime(out, RESIDENCE_TIME, stats.residenceTime());
        if (stats.visible().isPresent()) {
            out.writeBooleanField(VISIBLE, stats.visible().get());
        }
        out.writeEndObject();
    }

    private static void writeTime(JsonGenerator out, String field, OptionalLong millis) throws IOException {
        if (millis.isPresent()) {
            out.writeNumberField(field, millis.getAsLong());
        }
    }

    private static void writeAccess(JsonGenerator out, LayerAccess access) throws IOException {
        out.writeStartObject();
        out.writeNumberField(WHEN, access.whenMillis());
        out.writeStringField(TASK_KIND, access.taskKind());
        out.writeStringField(ACCESS_KIND, access.accessKind().label());
        out.writeEndObject();
    }

    private static void writeResidence(JsonGenerator out, ResidenceEvent event) throws IOException {
        out.writeStartObject();
        out.writeNumberField(TIMESTAMP, event.timestampMillis());
        out.writeStringField(STATUS, event.status().label());
        out.writeStringField(REASON, event.reason().label());
        out.writeEndObject();
    }

    /**
     * Reads statistics.
     *
     * @param in before or at the beginning of the object; afterwards at its end
     * @throws com.fasterxml.jackson.core.JsonParseException where they are none; the message says what, and where
     */
    public static LayerAccessStats read(JsonParser in) throws IOException {
        Fields fields = new Fields();
        JsonFields.readObject(in, field -> {
            switch (field) {
                case COUNTS -> fields.counts = Optional.of(readCounts(in));
                case FLAGS -> fields.flags = Optional.of(readFlags(in));
                case FIRST ->
                    fields.first =
                            in.currentToken() == JsonToken.VALUE_NULL ? Optional.empty() : Optional.of(readAccess(in));
                case ACCESSES ->
                    fields.accesses = Optional.of(
                            HistoryBufferJson.read(in, LayerAccessStats.HISTORY, AccessStatsJson::readAccess));
                case RESIDENCE ->
                    fields.residence = Optional.of(
                            HistoryBufferJson.read(in, LayerAccessStats.HISTORY, AccessStatsJson::readResidence));
                case ACCESS_TIME -> fields.accessTime = OptionalLong.of(JsonFields.count(in, field));
                case RESIDENCE_TIME -> fields.residenceTime = OptionalLong.of(JsonFields.count(in, field));
                case VISIBLE -> fields.visible = Optional.of(JsonFields.bool(in, field));
                default -> in.skipChildren();
            }
        });
        return new LayerAccessStats(
                JsonFields.need(in, COUNTS, fields.counts),
                JsonFields.need(in, FLAGS, fields.flags),
                fields.first,
                JsonFields.need(in, ACCESSES, fields.accesses),
                JsonFields.need(in, RESIDENCE, fields.residence),
                fields.accessTime,
                fields.residenceTime,
                fields.visible);
    }

    private static Map<AccessKind, Long> readCounts(JsonParser in) throws IOException {
        Map<AccessKind, Long> counts = new EnumMap<>(AccessKind.class);
        JsonFields.readObject(in, field -> counts.put(accessKind(in, COUNTS, field), JsonFields.count(in, field)));
        for (AccessKind kind : AccessKind.values()) {
            JsonFields.need(in, kind.label(), Optional.ofNullable(counts.get(kind)));
        }
        return counts;
    }

    private static AccessKind accessKind(JsonParser in, String field, String text) throws IOException {
        return JsonFields.labelled(in, field, text, AccessKind.values(), AccessKind::label);
    }

    private static Set<String> readFlags(JsonParser in) throws IOException {
        Set<String> flags = new LinkedHashSet<>();
        JsonFields.readArray(in, () -> flags.add(JsonFields.text(in, FLAGS)));
        return flags;
    }

    private static LayerAccess readAccess(JsonParser in) throws IOException {
        Fields fields = readEntry(in);
        return new LayerAccess(
                JsonFields.need(in, WHEN, fields.when),
                JsonFields.need(in, TASK_KIND, fields.taskKind),
                JsonFields.need(in, ACCESS_KIND, fields.accessKind));
    }

    private static ResidenceEvent readResidence(JsonParser in) throws IOException {
        Fields fields = readEntry(in);
        return new ResidenceEvent(
                JsonFields.need(in, TIMESTAMP, fields.when),
                JsonFields.need(in, STATUS, fields.status),
                JsonFields.need(in, REASON, fields.reason));
    }

    private static Fields readEntry(JsonParser in) throws IOException {
        Fields fields = new Fields();
        JsonFields.readObject(in, field -> {
            switch (field) {
                case WHEN, TIMESTAMP -> fields.when = Optional.of(JsonFields.count(in, field));
                case TASK_KIND -> fields.taskKind = Optional.of(JsonFields.text(in, field));
                case ACCESS_KIND -> fields.accessKind = Optional.of(accessKind(in, field, JsonFields.text(in, field)));
                case STATUS ->
                    fields.status = Optional.of(JsonFields.labelled(
                            in, field, JsonFields.text(in, field), ResidenceStatus.values(), ResidenceStatus::label));
                case REASON ->
                    fields.reason = Optional.of(JsonFields.labelled(
                            in, field, JsonFields.text(in, field), ResidenceReason.values(), ResidenceReason::label));
                default -> in.skipChildren();
            }
        });
        return fields;
    }

    /** Fields as they come, in whatever order. */
    private static final class Fields {
        private Optional<Map<AccessKind, Long>> counts = Optional.empty();
        private Optional<Set<String>> flags = Optional.empty();
        private Optional<LayerAccess> first = Optional.empty();
        private Optional<HistoryBuffer<LayerAccess>> accesses = Optional.empty();
        private Optional<HistoryBuffer<ResidenceEvent>> residence = Optional.empty();
        private OptionalLong accessTime = OptionalLong.empty();
        private OptionalLong residenceTime = OptionalLong.empty();
        private Optional<Boolean> visible = Optional.empty();
        private Optional<Long> when = Optional.empty();
        private Optional<String> taskKind = Optional.empty();
        private Optional<AccessKind> accessKind = Optional.empty();
        private Optional<ResidenceStatus> status = Optional.empty();
        private Optional<ResidenceReason> reason = Optional.empty();
    }
}
