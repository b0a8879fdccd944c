// SPDX-License-Identifier: Apache-2.0
package dev.millrace.server.http;

import com.fasterxml.jackson.jr.ob.JSON;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/** The OpenAPI document, as a client reads it. */
public final class OpenApi {
    private static final String SCHEMA = "schema";

    private final Map<String, Object> document;

    private OpenApi(Map<String, Object> document) {
        this.document = document;
    }

    /**
     * A call.
     *
     * @param id its name
     * @param method of HTTP
     * @param path the template
     * @param parameters of path and query
     * @param body the schema of the body, where it has one
     * @param statuses that it may be answered with
     */
    public record Operation(
            String id,
            String method,
            String path,
            List<Parameter> parameters,
            Optional<Map<String, Object>> body,
            Set<Integer> statuses) {
        public String call() {
            return method + " " + path;
        }
    }

    /**
     * A parameter.
     *
     * @param name its name
     * @param in path or query
     * @param schema what it can be
     * @param example one that it can be
     */
    public record Parameter(String name, String in, Map<String, Object> schema, Optional<String> example) {}

    /** As it lies in the jar. */
    public static OpenApi served() {
        try (InputStream in = ServerCalls.class.getResourceAsStream("openapi.json")) {
            return parse(new String(in.readAllBytes(), StandardCharsets.UTF_8));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    public static OpenApi parse(String text) throws IOException {
        return new OpenApi(JSON.std.mapFrom(text));
    }

    @SuppressWarnings("unchecked") // JSON objects are maps by texts
    public static Map<String, Object> object(Object value) {
        return value == null ? Map.of() : (Map<String, Object>) value;
    }

    public List<Operation> operations() {
        List<Operation> all = new ArrayList<>();
        object(document.get("paths"))
                .forEach((path, methods) ->
                        object(methods).forEach((method, value) -> all.add(operation(path, method, object(value)))));
        return all;
    }

    private static Operation operation(String path, String method, Map<String, Object> operation) {
        List<Parameter> parameters = new ArrayList<>();
        if (operation.get("parameters") instanceof List<?> list) {
            for (Object entry : list) {
                Map<String, Object> parameter = object(entry);
                parameters.add(new Parameter(
                        (String) parameter.get("name"),
                        (String) parameter.get("in"),
                        object(parameter.get(SCHEMA)),
                        Optional.ofNullable((String) parameter.get("example"))));
            }
        }
        Map<String, Object> content =
                object(object(operation.get("requestBody")).get("content"));
        Optional<Map<String, Object>> body = content.isEmpty()
                ? Optional.empty()
                : Optional.of(object(object(content.get(Answer.JSON_TYPE)).get(SCHEMA)));
        Set<Integer> statuses = new TreeSet<>();
        object(operation.get("responses")).keySet().forEach(status -> statuses.add(Integer.valueOf(status)));
        return new Operation(
                String.valueOf(operation.get("operationId")),
                method.toUpperCase(Locale.ROOT),
                path,
                parameters,
                body,
                statuses);
    }

    /** References to what is not there. */
    public List<String> danglingReferences() {
        List<String> dangling = new ArrayList<>();
        collect(document, dangling);
        return dangling;
    }

    private void collect(Object value, List<String> dangling) {
        if (value instanceof Map<?, ?> map) {
            if (map.get("$ref") instanceof String reference && !isThere(reference)) {
                dangling.add(reference);
            }
            map.values().forEach(inner -> collect(inner, dangling));
        } else if (value instanceof List<?> list) {
            list.forEach(inner -> collect(inner, dangling));
        }
    }

    private boolean isThere(String reference) {
        Object at = document;
        for (String step : List.of(reference.substring("#/".length()).split("/", -1))) {
            at = at instanceof Map<?, ?> map ? map.get(step) : null;
        }
        return at != null;
    }
}
