// SPDX-License-Identifier: Apache-2.0
package dev.millrace.testkit;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * The headers of a message in the order and the spelling of the wire; names are compared without regard to case.
 * Immutable: each change gives another set.
 *
 * @param entries one entry for each header line
 */
public record Headers(List<Header> entries) {
    private static final Headers NONE = new Headers(List.of());

    /**
     * One header line.
     *
     * @param name as spelled
     * @param value without the white space around it
     */
    public record Header(String name, String value) {}

    public Headers {
        entries = List.copyOf(entries);
    }

    /** No headers. */
    public static Headers none() {
        return NONE;
    }

    /** Headers from names and values in turn, such as {@code of("ETag", "\"1\"", "Content-Length", "3")}. */
    public static Headers of(String... namesAndValues) {
        if (namesAndValues.length % 2 != 0) {
            throw new IllegalArgumentException("Names and values of headers come in pairs.");
        }
        List<Header> entries = new ArrayList<>();
        for (int i = 0; i < namesAndValues.length; i += 2) {
            entries.add(new Header(namesAndValues[i], namesAndValues[i + 1]));
        }
        return new Headers(entries);
    }

    /** The first value under a name. */
    public Optional<String> first(String name) {
        return entries.stream()
                .filter(h -> h.name().equalsIgnoreCase(name))
                .map(Header::value)
                .findFirst();
    }

    /** All values under a name. */
    public List<String> all(String name) {
        return entries.stream()
                .filter(h -> h.name().equalsIgnoreCase(name))
                .map(Header::value)
                .toList();
    }

    /** Whether a header of that name is there. */
    public boolean has(String name) {
        return first(name).isPresent();
    }

    /** Whether a header of that name holds the value in a comma-separated list; case does not matter. */
    boolean lists(String name, String token) {
        for (String value : all(name)) {
            for (String part : value.split(",", -1)) {
                if (part.strip().equalsIgnoreCase(token)) {
                    return true;
                }
            }
        }
        return false;
    }

    /** These headers with the value in place of all others of its name. */
    public Headers with(String name, String value) {
        return without(name).plus(name, value);
    }

    /** These headers with all of the others in place of those of the same names. */
    public Headers with(Headers others) {
        Headers result = this;
        for (Header other : others.entries) {
            result = result.without(other.name());
        }
        List<Header> entries = new ArrayList<>(result.entries);
        entries.addAll(others.entries);
        return new Headers(entries);
    }

    /** These headers and one more line at the end. */
    public Headers plus(String name, String value) {
        List<Header> more = new ArrayList<>(entries);
        more.add(new Header(name, value));
        return new Headers(more);
    }

    /** These headers without any of that name. */
    public Headers without(String name) {
        return has(name)
                ? new Headers(entries.stream()
                        .filter(h -> !h.name().equalsIgnoreCase(name))
                        .toList())
                : this;
    }
}
