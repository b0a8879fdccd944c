// SPDX-License-Identifier: Apache-2.0
package dev.millrace.server.http;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.jr.ob.JSON;
import dev.millrace.layers.LayerName;
import dev.millrace.layers.TenantId;
import dev.millrace.layers.TimelineId;
import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;

/** A request, its path parsed into typed ids. */
final class Call {
    private static final JSON STRICT = JSON.std.with(JSON.Feature.FAIL_ON_DUPLICATE_MAP_KEYS);
    private static final int SHOWN = 64;

    private final Ids ids;
    private final Map<String, String> query;
    private final byte[] body;
    private final Scope granted;

    /**
     * A request.
     *
     * @param ids what the path names
     * @param query the query's parameters; of doubled ones the last
     * @param body empty for GET and DELETE, whose bodies mean nothing; not copied
     * @param granted what its token allows
     */
    Call(Ids ids, Map<String, String> query, byte[] body, Scope granted) {
        this.ids = ids;
        this.query = query;
        this.body = body;
        this.granted = granted;
    }

    /**
     * What a path names.
     *
     * @param tenant where the route has one
     * @param timeline where the route has one
     * @param layer where the route has one
     */
    record Ids(Optional<TenantId> tenant, Optional<TimelineId> timeline, Optional<LayerName> layer) {
        static final String TENANT = "tenant_id";
        static final String TIMELINE = "timeline_id";
        static final String LAYER = "layer_file_name";

        /**
         * Parses what a template's variables stand for.
         *
         * @throws ApiException 400 with the text and the reason
         */
        static Ids parse(Map<String, String> variables) throws ApiException {
            return new Ids(
                    parse(variables, TENANT, TenantId::new),
                    parse(variables, TIMELINE, TimelineId::new),
                    parse(variables, LAYER, LayerName::parse));
        }

        private static <T> Optional<T> parse(Map<String, String> variables, String name, Function<String, T> parser)
                throws ApiException {
            String text = variables.get(name);
            if (text == null) {
                return Optional.empty();
            }
            try {
                return Optional.of(parser.apply(text));
            } catch (IllegalArgumentException e) {
                throw ApiException.badRequest(name + ": " + e.getMessage());
            }
        }
    }

    /**
     * For what a call does more than others of its route.
     *
     * @throws ApiException 403 where the token does not allow it
     */
    void require(Scope needed) throws ApiException {
        Gate.require(granted, needed);
    }

    TenantId tenant() {
        return ids.tenant.orElseThrow();
    }

    TimelineId timeline() {
        return ids.timeline.orElseThrow();
    }

    LayerName layer() {
        return ids.layer.orElseThrow();
    }

    /**
     * The value of a parameter of the query.
     *
     * @throws ApiException 400 with the name where the parser refuses the value
     */
    <T> Optional<T> query(String name, Function<String, T> parser) throws ApiException {
        String text = query.get(name);
        if (text == null) {
            return Optional.empty();
        }
        try {
            return Optional.of(parser.apply(text));
        } catch (IllegalArgumentException e) {
            throw ApiException.badRequest("the query's " + name + " is '" + shown(text) + "': " + e.getMessage());
        }
    }

    /**
     * The body as an object of these fields, each of which may be missing.
     *
     * @throws ApiException 400 where it is anything else, with the name of a field that is not among these
     */
    Map<String, Object> object(String... fields) throws ApiException {
        Object value = json();
        if (!(value instanceof Map<?, ?> map)) {
            throw ApiException.badRequest("the body is no JSON object with " + String.join(", ", fields));
        }
        List<String> known = Arrays.asList(fields);
        for (Object field : map.keySet()) {
            if (!known.contains(field)) {
                throw ApiException.badRequest("the body has a field '" + shown(String.valueOf(field))
                        + "', and only these can be: " + String.join(", ", fields));
            }
        }
        @SuppressWarnings("unchecked") // keys of JSON objects are texts
        Map<String, Object> object = (Map<String, Object>) map;
        return object;
    }

    /**
     * A whole number of the body.
     *
     * @throws ApiException 400 with the name where it is missing, something else or out of bounds
     */
    long number(String field, long least, long most) throws ApiException {
        Object value = object(field).get(field);
        boolean whole = value instanceof Integer || value instanceof Long;
        if (!whole || ((Number) value).longValue() < least || ((Number) value).longValue() > most) {
            throw ApiException.badRequest("the body's " + field + " is "
                    + (value == null ? "missing" : shown(String.valueOf(value)))
                    + ", and must be a whole number from " + least + " to " + most);
        }
        return ((Number) value).longValue();
    }

    /**
     * The body as one JSON text.
     *
     * @throws ApiException 400 where it is anything else
     */
    String text() throws ApiException {
        if (json() instanceof String text) {
            return text;
        }
        throw ApiException.badRequest("the body is no JSON string");
    }

    private Object json() throws ApiException {
        if (body.length == 0) {
            throw ApiException.badRequest("the body is empty, and this call needs one");
        }
        try (JsonParser parser = STRICT.createParser(body)) {
            Object value = STRICT.anyFrom(parser);
            if (parser.nextToken() != null) {
                throw ApiException.badRequest("something follows the end of the body's JSON");
            }
            return value;
        } catch (IOException e) {
            String reason = String.valueOf(e.getMessage()).lines().findFirst().orElse("");
            throw ApiException.badRequest("the body is no JSON: " + shown(reason));
        }
    }

    /** No more of somebody's text than a line takes. */
    static String shown(String text) {
        StringBuilder line = new StringBuilder();
        text.codePoints().limit(SHOWN).forEach(c -> line.appendCodePoint(Character.isISOControl(c) ? '?' : c));
        return text.codePointCount(0, text.length()) > SHOWN ? line + "..." : line.toString();
    }
}
