// SPDX-License-Identifier: Apache-2.0
package dev.millrace.server.http;

import java.io.IOException;
import java.util.Optional;

/** What failures are in HTTP. */
final class Failures {
    /** Asks a store. */
    @FunctionalInterface
    interface Question<T> {
        /** What it said. */
        T ask() throws ApiException, IOException;
    }

    /** The answer to a question, its failure in HTTP's words. */
    <T> T translated(Question<T> question) throws ApiException {
        try {
            return question.ask();
        } catch (IOException e) {
            throw of(e);
        }
    }

    /** The answer to a failure. */
    ApiException of(Throwable problem) {
        if (problem instanceof ApiException known) {
            return known;
        }
        return new ApiException(
                500,
                "something failed that should not: " + problem.getClass().getSimpleName()
                        + "; the server's log has the details",
                Optional.empty(),
                problem);
    }
}
