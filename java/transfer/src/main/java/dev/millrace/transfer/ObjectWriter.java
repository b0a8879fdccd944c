// SPDX-License-Identifier: Apache-2.0
package dev.millrace.transfer;

import java.util.Optional;
import java.util.concurrent.CompletableFuture;

/**
 * A store of objects and one way to put one there. It asks once and reports; whether to ask again is for others to
 * decide. Thread-safe.
 */
public interface ObjectWriter {
    /** The store, for people: in log lines and errors. */
    String name();

    /**
     * Puts an object, whole or not at all: a reader finds what was there before, or all of this. Completed on a thread of
     * the store: do not block it.
     *
     * @return the new object's ETag as sent, quotes included, where the store gives one; fails with {@link SourceFailure},
     *     which has status 412 where {@link PutRequest#condition} does not hold (409 where another put of the same name
     *     is under way)
     */
    CompletableFuture<Optional<String>> put(PutRequest request);
}
