// SPDX-License-Identifier: Apache-2.0
package dev.millrace.server.http;

import com.fasterxml.jackson.jr.ob.JSON;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import org.eclipse.jetty.http.HttpHeader;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.util.Callback;

/** What a request is answered with. */
sealed interface Answer {
    /** The media type of JSON. */
    String JSON_TYPE = "application/json";

    /** A short answer. */
    final class Whole implements Answer {
        private final int status;
        private final String contentType;
        private final byte[] body;

        /**
         * An answer.
         *
         * @param contentType of the body; empty where there is none
         * @param body all of it, which is not copied
         */
        Whole(int status, String contentType, byte[] body) {
            this.status = status;
            this.contentType = contentType;
            this.body = body;
        }

        /** Sends it. */
        void send(Response response, Callback callback) {
            response.setStatus(status);
            if (!contentType.isEmpty()) {
                response.getHeaders().put(HttpHeader.CONTENT_TYPE, contentType);
                response.getHeaders().put(HttpHeader.CONTENT_LENGTH, body.length);
            }
            response.write(true, ByteBuffer.wrap(body), callback);
        }
    }

    /**
     * A long answer with status 200, written as it is made.
     *
     * @param contentType of the body
     * @param body writes it
     */
    record Streamed(String contentType, Body body) implements Answer {}

    /** Writes a body. */
    @FunctionalInterface
    interface Body {
        /** Writes all of it, blocking while the client is slower; does not close the stream. */
        void writeTo(OutputStream out) throws IOException;
    }

    /** JSON with status 200. */
    static Answer ok(Object value) {
        return json(200, value);
    }

    /** JSON of maps, lists, texts, numbers and truth values. */
    static Whole json(int status, Object value) {
        try {
            return new Whole(
                    status,
                    JSON_TYPE,
                    JSON.std.with(JSON.Feature.WRITE_NULL_PROPERTIES).asBytes(value));
        } catch (IOException e) {
            throw new IllegalStateException("maps, lists, texts and numbers cannot be written as JSON", e);
        }
    }

    /** JSON's {@code null}, which is how clients know that a setting was taken. */
    static Answer nothing() {
        return new Whole(200, JSON_TYPE, "null".getBytes(StandardCharsets.UTF_8));
    }

    /** A status that has no body. */
    static Whole empty(int status) {
        return new Whole(status, "", new byte[0]);
    }

    /** A failure, as all are told. */
    static Whole failure(int status, String sentence) {
        // Halves of characters, which a request may have, are no UTF-8: they become question marks.
        String clean = new String(sentence.getBytes(StandardCharsets.UTF_8), StandardCharsets.UTF_8);
        return json(status, Map.of("msg", clean));
    }
}
