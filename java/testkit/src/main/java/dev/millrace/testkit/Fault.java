// SPDX-License-Identifier: Apache-2.0
package dev.millrace.testkit;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;

/**
 * What goes wrong with one exchange between a client and a {@link FaultyServer}. Faults are values; those of one
 * exchange act together, in the order of the exchange and not of the list: before the head, on the request that is
 * answered, on the answer's head, on its body, on its timing and end. Offsets count bytes of the body as this answer
 * would have sent it, from 0; a fault at an offset that the body does not reach does not happen.
 */
public sealed interface Fault {

    /** Nothing goes wrong. */
    record None() implements Fault {}

    /** Several at once. */
    record All(List<Fault> faults) implements Fault {
        public All {
            faults = List.copyOf(faults);
        }
    }

    // ------------------------------------------------------------ instead of an answer

    /** The connection is reset (RST) when the request's head has been read; nothing is answered. */
    record ResetBeforeHead() implements Fault {}

    /** The connection is closed (FIN) when the request's head has been read; nothing is answered. */
    record CloseBeforeHead() implements Fault {}

    /** The answer's first byte comes that much later. */
    record StallBeforeHead(Duration pause) implements Fault {}

    /**
     * A canned answer; nothing is forwarded. Its Content-Length is the body's; for another, add {@link ReplaceHeaders}.
     *
     * @param status such as 503
     * @param headers of the answer
     * @param body sent as UTF-8; a HEAD gets none
     */
    record Respond(int status, Headers headers, String body) implements Fault {}

    // ------------------------------------------------------------ another request is answered than was made

    /** The Range header is ignored: the answer is 200 with the whole object. */
    record IgnoreRange() implements Fault {}

    /** Another range is answered than was asked for; without {@code last}, to the end. Offsets are inclusive. */
    record OtherRange(long first, OptionalLong last) implements Fault {}

    /** The range asked for is answered that many bytes further on (or back, if negative). */
    record ShiftRange(long by) implements Fault {}

    /** If-Match is ignored. */
    record DropIfMatch() implements Fault {}

    /** The query parameter {@code partNumber} is ignored. */
    record IgnorePartNumber() implements Fault {}

    /** Another object is answered; the path is percent-encoded and begins with the bucket's slash. */
    record OtherObject(String path) implements Fault {}

    // ------------------------------------------------------------ another head

    /** Another status line. */
    record ReplaceStatus(int status) implements Fault {}

    /**
     * Headers of the answer set and removed, framing headers too: a Content-Length that lies is sent as it is, and the
     * connection is closed after the body.
     */
    record ReplaceHeaders(Headers set, List<String> remove) implements Fault {
        public ReplaceHeaders {
            remove = List.copyOf(remove);
        }
    }

    /** The body is sent in chunks of exactly that size, and no length is announced. At most 16 MiB. */
    record ChunkedBody(int chunkBytes) implements Fault {
        public ChunkedBody {
            requirePositive(chunkBytes, "A chunk");
            if (chunkBytes > 16 << 20) {
                throw new IllegalArgumentException("A chunk has at most 16 MiB, not " + chunkBytes + " bytes.");
            }
        }
    }

    /** The body has neither a length nor chunks: it ends when the connection does. */
    record UnframedBody() implements Fault {}

    // ------------------------------------------------------------ another body

    /** An S3 error document of exactly the body's length in place of the body; status and headers stay. */
    record ErrorBody(String code) implements Fault {}

    /** All bits of one byte are turned over. */
    record CorruptByte(long at) implements Fault {}

    /** Body and Content-Length both end there: an answer that is consistent, and too short. */
    record Truncate(long length) implements Fault {}

    /** So many bytes more are sent after the body's end; the connection stays open. */
    record ExtraBytes(long count) implements Fault {
        public ExtraBytes {
            requirePositive(count, "What is too much");
        }
    }

    // ------------------------------------------------------------ timing and end

    /** A pause before the byte at that offset; at the body's length, before its framing ends. */
    record StallAfter(long bytes, Duration pause) implements Fault {}

    /** A pause like that of {@link StallAfter}, until {@link FaultyServer#release} lets the exchange go on. */
    record HoldAfter(long bytes) implements Fault {}

    /** The body comes in pieces of that many bytes, each followed by a pause. */
    record Trickle(int bytes, Duration interval) implements Fault {
        public Trickle {
            requirePositive(bytes, "A trickled piece");
        }
    }

    /**
     * The connection is reset (RST) after so many bytes of the body. The bytes get a moment to reach the client; one
     * that reads slowly may still lose some of them.
     */
    record ResetAfter(long bytes) implements Fault {}

    /** The connection is closed (FIN) after so many bytes of the body. */
    record CloseAfter(long bytes) implements Fault {}

    /** The connection is reset (RST) right after the last byte. */
    record ResetAfterBody() implements Fault {}

    /** The connection is closed (FIN) after the answer, which did not say so. */
    record CloseIdle() implements Fault {}

    // ------------------------------------------------------------ the usual ones by name

    /** Several at once. */
    static Fault all(Fault... faults) {
        return new All(List.of(faults));
    }

    /** A canned S3 error document. */
    static Fault error(int status, String code) {
        return error(status, code, Headers.none());
    }

    /** A canned S3 error document with headers of one's own. */
    static Fault error(int status, String code, Headers headers) {
        return new Respond(
                status,
                Headers.of("Content-Type", "application/xml").with(headers),
                S3Xml.error(code, S3Xml.say(code)));
    }

    /** 503 {@code SlowDown}. */
    static Fault slowDown() {
        return error(503, "SlowDown");
    }

    /** 429 with a Retry-After in whole seconds. */
    static Fault tooManyRequests(Duration retryAfter) {
        return error(429, "TooManyRequests", Headers.of("Retry-After", Long.toString(retryAfter.toSeconds())));
    }

    /** 404 {@code NoSuchKey}. */
    static Fault noSuchKey() {
        return error(404, "NoSuchKey");
    }

    /** 403 with a code of one's choice, such as {@code AccessDenied} or {@code ExpiredToken}. */
    static Fault forbidden(String code) {
        return error(403, code);
    }

    /** 412 {@code PreconditionFailed}. */
    static Fault preconditionFailed() {
        return error(412, "PreconditionFailed");
    }

    /** The connection is reset before one byte of the body. */
    static Fault resetAfterHead() {
        return new ResetAfter(0);
    }

    /** Sets one header of the answer. */
    static Fault setHeader(String name, String value) {
        return new ReplaceHeaders(Headers.of(name, value), List.of());
    }

    /** Removes headers of the answer. */
    static Fault removeHeaders(String... names) {
        return new ReplaceHeaders(Headers.none(), List.of(names));
    }

    /** These faults one by one: no {@link All} among them. */
    static List<Fault> flatten(List<Fault> faults) {
        List<Fault> flat = new ArrayList<>();
        for (Fault fault : faults) {
            if (fault instanceof All all) {
                flat.addAll(flatten(all.faults()));
            } else {
                flat.add(fault);
            }
        }
        return flat;
    }

    private static void requirePositive(long bytes, String what) {
        if (bytes <= 0) {
            throw new IllegalArgumentException(what + " has at least one byte, not " + bytes + ".");
        }
    }
}
