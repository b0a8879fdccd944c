// SPDX-License-Identifier: Apache-2.0
package dev.millrace.transfer;

import java.io.IOException;
import java.time.Duration;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * A store did not do what one request asked: what happened, in the store's own words where it had some. The message is a
 * sentence that names object and store.
 */
public final class SourceFailure extends IOException {
    private static final long serialVersionUID = 1L;

    /** What kind of failure. */
    public enum Kind {
        /** No connection, or one that broke: refused, reset, closed before the answer was whole, unknown host. */
        CONNECTION,
        /** A time limit of the source passed (connecting, taking a connection from the pool). */
        TIMEOUT,
        /** The store answered with an error: see {@link #status} and {@link #code}. */
        ANSWER,
        /** The store sends to a place that credentials must not go to, or in a circle. */
        REDIRECT,
        /** There are no credentials, or they cannot be read. */
        CREDENTIALS,
        /** The answer or the request makes no sense; another try will not mend it. */
        INVALID,
        /** {@link Fetch#cancel} was called. */
        CANCELLED,
        /** The source is closed. */
        CLOSED
    }

    private final Kind kind;
    private final int status;
    private final String code;
    private final transient Optional<Duration> retryAfter;
    private final transient OptionalLong totalLength;
    private final boolean reusedConnection;

    private SourceFailure(Builder builder) {
        super(builder.message, builder.cause.orElse(null));
        kind = builder.kind;
        status = builder.status;
        code = builder.code;
        retryAfter = builder.retryAfter;
        totalLength = builder.totalLength;
        reusedConnection = builder.reusedConnection;
    }

    /** Begins a failure. The message is a sentence that names the object and the store. */
    public static Builder of(Kind kind, String message) {
        return new Builder(kind, message);
    }

    /** What kind of failure. */
    public Kind kind() {
        return kind;
    }

    /** HTTP status of an {@link Kind#ANSWER}, else 0. */
    public int status() {
        return status;
    }

    /** The store's error code, such as {@code NoSuchKey}; empty where it gave none. */
    public String code() {
        return code;
    }

    /** How long the store asks to be left alone. */
    public Optional<Duration> retryAfter() {
        return retryAfter;
    }

    /** Bytes of the whole object, where a 416 named them. */
    public OptionalLong totalLength() {
        return totalLength;
    }

    /**
     * True where a connection of earlier requests broke before one byte of the answer: the store may have closed it while
     * it was idle, which says nothing about the store.
     */
    public boolean reusedConnection() {
        return reusedConnection;
    }

    /** Collects what is known of a failure. */
    public static final class Builder {
        private final Kind kind;
        private final String message;
        private int status;
        private String code = "";
        private Optional<Duration> retryAfter = Optional.empty();
        private OptionalLong totalLength = OptionalLong.empty();
        private boolean reusedConnection;
        private Optional<Throwable> cause = Optional.empty();

        private Builder(Kind kind, String message) {
            this.kind = kind;
            this.message = message;
        }

        /** The store's answer: HTTP status and error code (empty for none). */
        public Builder answer(int httpStatus, String errorCode) {
            status = httpStatus;
            code = errorCode;
            return this;
        }

        /** How long the store asks to be left alone. */
        public Builder retryAfter(Optional<Duration> time) {
            retryAfter = time;
            return this;
        }

        /** Bytes of the whole object. */
        public Builder totalLength(OptionalLong bytes) {
            totalLength = bytes;
            return this;
        }

        /** It was a connection of earlier requests that broke before the answer began. */
        public Builder reusedConnection(boolean reused) {
            reusedConnection = reused;
            return this;
        }

        /** What lies below. */
        public Builder cause(Throwable throwable) {
            cause = Optional.of(throwable);
            return this;
        }

        /** The failure. */
        public SourceFailure build() {
            return new SourceFailure(this);
        }
    }
}
