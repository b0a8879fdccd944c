// SPDX-License-Identifier: Apache-2.0
package dev.millrace.server.http;

import com.fasterxml.jackson.jr.ob.JSON;
import com.github.curiousoddman.rgxgen.RgxGen;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;

/**
 * Requests made from an OpenAPI document: some as it says, some nearly so, some not at all. The same seed makes the same
 * requests.
 */
public final class RandomRequests {
    private static final List<String> METHODS = List.of("GET", "PUT", "POST", "DELETE", "HEAD", "OPTIONS", "PATCH");
    private static final List<String> NASTY = List.of(
            "..",
            ".",
            "~",
            "-",
            "%",
            "..%2f..%2f",
            "\u0000",
            "a/b",
            "a b",
            "é",
            "\uD83D\uDE00",
            "\uFFFD",
            "null",
            "{tenant_id}",
            "x".repeat(2000),
            "__",
            "-00000001",
            "'\"<>",
            ";a=b",
            "0".repeat(36),
            "\r\nX: y");
    private static final List<String> BODIES = List.of(
            "",
            "null",
            "[]",
            "{}",
            "0",
            "\"\"",
            "{\"a\":",
            "{\"a\":1,\"a\":2}",
            "\"\\ud800\"",
            "\u0000",
            "[".repeat(3000),
            "{\"evict_bytes\":1e400}",
            "{\"evict_bytes\":\"1\"}",
            "{\"max_concurrent_downloads\":0}",
            "nul",
            "\"x",
            "{\"\":{}}");
    private static final List<Object> NUMBERS =
            List.of(-1, 0, 1, 2, 7, 1000, 1001, Integer.MAX_VALUE, Long.MAX_VALUE, Long.MIN_VALUE, 1.5, "1", true);

    private final List<OpenApi.Operation> operations;
    private final Map<String, List<String>> known;
    private final Random random;

    /**
     * A request.
     *
     * @param method of HTTP
     * @param target path and query, encoded
     * @param body may be empty
     * @param operation that it is, as the document says; empty where method or path is another
     */
    public record Request(String method, String target, String body, Optional<OpenApi.Operation> operation) {}

    /**
     * Requests of a seed.
     *
     * @param known values of parameters of paths that there really are, by name
     */
    public RandomRequests(OpenApi document, Map<String, List<String>> known, long seed) {
        operations = document.operations();
        this.known = known;
        random = new Random(seed);
    }

    private <T> T oneOf(List<T> all) {
        return all.get(random.nextInt(all.size()));
    }

    private boolean once(int in) {
        return random.nextInt(in) == 0;
    }

    public Request next() {
        if (once(25)) {
            return new Request(
                    oneOf(METHODS),
                    "/" + encoded(text(Map.of())) + "/" + encoded(text(Map.of())),
                    body(Optional.empty()),
                    Optional.empty());
        }
        OpenApi.Operation operation = oneOf(operations);
        String path = operation.path();
        StringBuilder query = new StringBuilder();
        for (OpenApi.Parameter parameter : operation.parameters()) {
            if (parameter.in().equals("path")) {
                path = path.replace("{" + parameter.name() + "}", encoded(pathValue(parameter)));
            } else if (random.nextBoolean()) {
                append(query, parameter.name(), text(parameter.schema()));
            }
        }
        if (once(8)) {
            append(query, text(Map.of()), text(Map.of()));
        }
        if (once(6)) {
            path += "/";
        }
        boolean other = once(15);
        String method = other ? oneOf(METHODS) : operation.method();
        return new Request(
                method, path + query, body(operation.body()), other ? Optional.empty() : Optional.of(operation));
    }

    private static void append(StringBuilder query, String name, String value) {
        query.append(query.isEmpty() ? '?' : '&')
                .append(encoded(name))
                .append('=')
                .append(encoded(value));
    }

    private static String encoded(String text) {
        return URLEncoder.encode(text, StandardCharsets.UTF_8).replace("+", "%20");
    }

    private String pathValue(OpenApi.Parameter parameter) {
        List<String> real = known.getOrDefault(parameter.name(), List.of());
        return real.isEmpty() || once(4) ? text(parameter.schema()) : oneOf(real);
    }

    /** A text as a schema says, or not. */
    private String text(Map<String, Object> schema) {
        if (once(6)) {
            return oneOf(NASTY);
        }
        if (schema.get("enum") instanceof List<?> values && !once(5)) {
            return String.valueOf(oneOf(values));
        }
        String pattern = schema.get("pattern") instanceof String given ? given : "[ -~]{0,20}";
        RgxGen generator = RgxGen.parse(pattern);
        return once(4) ? generator.generateNotMatching(random) : generator.generate(random);
    }

    private String body(Optional<Map<String, Object>> schema) {
        if (once(200)) {
            return "\"" + "x".repeat(Router.MAX_BODY) + "\"";
        }
        if (schema.isEmpty() ? !once(10) : once(6)) {
            return schema.isEmpty() ? "" : oneOf(BODIES);
        }
        try {
            String json = JSON.std.asString(schema.isEmpty() ? oneOf(BODIES) : value(schema.get()));
            return once(12) ? json.substring(0, random.nextInt(json.length() + 1)) : json;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private Object value(Map<String, Object> schema) {
        if (once(12)) {
            return oneOf(List.of(1, "x", List.of(), Map.of("a", List.of(1)), false));
        }
        return switch (String.valueOf(schema.get("type"))) {
            case "object" -> object(schema);
            case "integer" -> once(3) ? oneOf(NUMBERS) : (Object) (1 + random.nextInt(1000));
            case "string" -> text(schema);
            default -> new ArrayList<>();
        };
    }

    private Map<String, Object> object(Map<String, Object> schema) {
        Map<String, Object> object = new LinkedHashMap<>();
        OpenApi.object(schema.get("properties")).forEach((name, inner) -> {
            if (!once(10)) {
                object.put(name, value(OpenApi.object(inner)));
            }
        });
        if (once(8)) {
            object.put(text(Map.of()), 1);
        }
        return object;
    }
}
