// SPDX-License-Identifier: Apache-2.0
package dev.millrace.server.http;

import dev.millrace.layers.store.StoreFailure;
import java.io.IOException;
import java.time.Duration;
import java.util.Optional;

/** What failures are in HTTP. */
final class Failures {
    private Failures() {}

    /** Asks a store. */
    @FunctionalInterface
    interface Question<T> {
        /** What it said. */
        T ask() throws ApiException, IOException;
    }

    /** The answer to a question, its failure in HTTP's words. */
    static <T> T translated(Question<T> question) throws ApiException {
        try {
            return question.ask();
        } catch (IOException e) {
            throw of(e);
        }
    }

    /** The answer to a failure. */
    static ApiException of(Throwable problem) {
        if (problem instanceof ApiException known) {
            return known;
        }
        if (problem instanceof StoreFailure failure) {
            int status = status(failure);
            if (status != 500) {
                return new ApiException(status, sentence(failure), retryAfter(failure), failure);
            }
        }
        return new ApiException(
                500,
                "something failed that should not: " + problem.getClass().getSimpleName()
                        + "; the server's log has the details",
                Optional.empty(),
                problem);
    }

    /** Clients tell a server that ends from one that is busy by these words. */
    private static String sentence(StoreFailure failure) {
        return failure instanceof StoreFailure.ShuttingDown
                ? "shutting down: " + failure.getMessage()
                : failure.getMessage();
    }

    private static int status(StoreFailure failure) {
        if (failure instanceof StoreFailure.NotFound || failure instanceof StoreFailure.NoIndex) {
            return 404;
        }
        if (failure instanceof StoreFailure.WrongState
                || failure instanceof StoreFailure.IndexConflict
                || failure instanceof StoreFailure.DownloadRequired) {
            return 409;
        }
        if (failure instanceof StoreFailure.RemoteFailed
                || failure instanceof StoreFailure.DownloadFailed
                || failure instanceof StoreFailure.BackingOff
                || failure instanceof StoreFailure.MissingInStore
                || failure instanceof StoreFailure.IndexUnreadable) {
            return 502;
        }
        if (failure instanceof StoreFailure.ShuttingDown
                || failure instanceof StoreFailure.TooManyWaiting
                || failure instanceof StoreFailure.TimedOut) {
            return 503;
        }
        return failure instanceof StoreFailure.NoSpace ? 507 : 500;
    }

    private static Optional<Duration> retryAfter(StoreFailure failure) {
        if (failure instanceof StoreFailure.BackingOff waiting) {
            return Optional.of(waiting.timeLeft());
        }
        return status(failure) == 503 ? Optional.of(ApiException.SOON) : Optional.empty();
    }
}
