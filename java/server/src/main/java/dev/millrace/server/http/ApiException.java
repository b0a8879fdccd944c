// SPDX-License-Identifier: Apache-2.0
package dev.millrace.server.http;

import java.time.Duration;
import java.util.Optional;

/** What a request is answered with instead of what it asked for: a status and a sentence. */
public final class ApiException extends Exception {
    private static final long serialVersionUID = 1L;

    /** When asking again may help where nobody knows better. */
    static final Duration SOON = Duration.ofSeconds(1);

    private final int status;
    private final transient Optional<Duration> retryAfter;

    /**
     * An answer of failure.
     *
     * @param status of HTTP, from 400 on
     * @param sentence what failed, on what, and what to do
     * @param retryAfter when asking again may help; empty: nobody knows
     */
    public ApiException(int status, String sentence, Optional<Duration> retryAfter) {
        super(sentence);
        this.status = status;
        this.retryAfter = retryAfter;
    }

    /** The same with what it came from, which is logged and not sent. */
    public ApiException(int status, String sentence, Optional<Duration> retryAfter, Throwable cause) {
        super(sentence, cause);
        this.status = status;
        this.retryAfter = retryAfter;
    }

    /** The request is wrong, and would be at any other time. */
    public static ApiException badRequest(String sentence) {
        return new ApiException(400, sentence, Optional.empty());
    }

    /** There is no such thing. */
    public static ApiException notFound(String sentence) {
        return new ApiException(404, sentence, Optional.empty());
    }

    /** It is not possible in the state things are in. */
    public static ApiException conflict(String sentence) {
        return new ApiException(409, sentence, Optional.empty());
    }

    /** Not now, and soon perhaps. */
    public static ApiException unavailable(String sentence) {
        return new ApiException(503, sentence, Optional.of(SOON));
    }

    /** The status of HTTP. */
    public int status() {
        return status;
    }

    /** When asking again may help. */
    public Optional<Duration> retryAfter() {
        return retryAfter;
    }
}
