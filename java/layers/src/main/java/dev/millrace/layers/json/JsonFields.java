// SPDX-License-Identifier: Apache-2.0
package dev.millrace.layers.json;

import com.fasterxml.jackson.core.JsonParseException;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import java.io.IOException;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.Supplier;

/** Walks through objects and arrays of a stream, and says what is wrong with a field, and where. */
final class JsonFields {
    private JsonFields() {}

    /** Reads the value of a field, at whose first token the parser is; leaves it at the last. */
    interface FieldReader {
        void read(String field) throws IOException;
    }

    /** Reads an element of an array, at whose first token the parser is; leaves it at the last. */
    interface ElementReader {
        void read() throws IOException;
    }

    /** Reads an object whose beginning is the parser's current token, or the next one where it has none yet. */
    static void readObject(JsonParser in, FieldReader reader) throws IOException {
        JsonToken token = in.hasCurrentToken() ? in.currentToken() : in.nextToken();
        if (token != JsonToken.START_OBJECT) {
            throw new JsonParseException(in, "an object is wanted" + at(in) + ", not " + shown(in));
        }
        while (in.nextToken() != JsonToken.END_OBJECT) {
            String field = in.currentName();
            in.nextToken();
            reader.read(field);
        }
    }

    /** Reads an array whose beginning is the parser's current token. */
    static void readArray(JsonParser in, ElementReader reader) throws IOException {
        if (in.currentToken() != JsonToken.START_ARRAY) {
            throw new JsonParseException(in, "an array is wanted" + at(in) + ", not " + shown(in));
        }
        while (in.nextToken() != JsonToken.END_ARRAY) {
            reader.read();
        }
    }

    static String text(JsonParser in, String field) throws IOException {
        if (in.currentToken() != JsonToken.VALUE_STRING) {
            throw refused(in, field, shown(in) + " is no text");
        }
        return in.getText();
    }

    static boolean bool(JsonParser in, String field) throws IOException {
        JsonToken token = in.currentToken();
        if (token != JsonToken.VALUE_TRUE && token != JsonToken.VALUE_FALSE) {
            throw refused(in, field, shown(in) + " is neither true nor false");
        }
        return token == JsonToken.VALUE_TRUE;
    }

    /** A whole number from 0 to the greatest long. */
    static long count(JsonParser in, String field) throws IOException {
        if (in.currentToken() != JsonToken.VALUE_NUMBER_INT) {
            throw refused(in, field, shown(in) + " is no whole number");
        }
        long value = in.getLongValue();
        if (value < 0) {
            throw refused(in, field, value + " is less than 0");
        }
        return value;
    }

    /** The one of some constants that is called so. */
    static <T> T labelled(JsonParser in, String field, String text, T[] constants, Function<T, String> label)
            throws IOException {
        for (T constant : constants) {
            if (label.apply(constant).equals(text)) {
                return constant;
            }
        }
        throw refused(in, field, "'" + text + "' is none of the values it can have");
    }

    /** What parses to a value, or the reason why it does not. */
    static <T> T parsed(JsonParser in, String field, Supplier<T> parse) throws IOException {
        try {
            return parse.get();
        } catch (IllegalArgumentException e) {
            throw refused(in, field, e.getMessage());
        }
    }

    static <T> T need(JsonParser in, String field, Optional<T> value) throws IOException {
        if (value.isEmpty()) {
            throw missing(in, field);
        }
        return value.get();
    }

    static JsonParseException missing(JsonParser in, String field) {
        return new JsonParseException(in, "the field '" + field + "' is missing" + at(in));
    }

    static JsonParseException refused(JsonParser in, String field, String reason) {
        return new JsonParseException(in, "the field '" + field + "'" + at(in) + " cannot be: " + reason);
    }

    private static String at(JsonParser in) {
        String pointer = in.getParsingContext().pathAsPointer().toString();
        return pointer.isEmpty() ? "" : " at " + pointer;
    }

    private static String shown(JsonParser in) throws IOException {
        JsonToken token = in.currentToken();
        if (token == null) {
            return "the end";
        }
        return token.isStructStart() || token.isStructEnd() ? token.asString() : "'" + in.getText() + "'";
    }
}
