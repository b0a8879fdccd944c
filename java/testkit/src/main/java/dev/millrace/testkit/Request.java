// SPDX-License-Identifier: Apache-2.0
package dev.millrace.testkit;

import java.time.Instant;
import java.util.Optional;

/**
 * A request as a {@link FaultyServer} saw it.
 *
 * @param nth its number among all requests that the server saw, from 1
 * @param connection the number of the connection it came on, from 1
 * @param at when its head was complete
 * @param method such as {@code GET}
 * @param path the path as sent, still percent-encoded
 * @param query what follows the question mark, as sent; empty if nothing does
 * @param headers as sent
 */
public record Request(
        long nth, long connection, Instant at, String method, String path, String query, Headers headers) {

    /** The path decoded exactly once. */
    public String decodedPath() {
        return Percent.decode(path, false);
    }

    /** The decoded value of a query parameter; empty text where it has no value. */
    public Optional<String> parameter(String name) {
        for (String pair : query.split("&", -1)) {
            int equals = pair.indexOf('=');
            String key = equals < 0 ? pair : pair.substring(0, equals);
            if (!pair.isEmpty() && Percent.decode(key, true).equals(name)) {
                return Optional.of(equals < 0 ? "" : Percent.decode(pair.substring(equals + 1), true));
            }
        }
        return Optional.empty();
    }

    /** The value of a header. */
    public Optional<String> header(String name) {
        return headers.first(name);
    }

    /** Whether it is a GET. */
    public boolean isGet() {
        return method.equals("GET");
    }

    /** Whether it is a HEAD. */
    public boolean isHead() {
        return method.equals("HEAD");
    }

    /** Whether it lists a bucket, whichever version of listing it asks for. */
    public boolean isList() {
        return isGet()
                && (parameter("list-type").isPresent()
                        || parameter("prefix").isPresent()
                        || path.indexOf('/', 1) < 0
                        || path.indexOf('/', 1) == path.length() - 1);
    }

    String target() {
        return query.isEmpty() ? path : path + "?" + query;
    }

    Request withPath(String other) {
        return new Request(nth, connection, at, method, other, query, headers);
    }

    Request withQuery(String other) {
        return new Request(nth, connection, at, method, path, other, headers);
    }

    Request withHeaders(Headers other) {
        return new Request(nth, connection, at, method, path, query, other);
    }
}
