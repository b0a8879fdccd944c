// SPDX-License-Identifier: Apache-2.0
package dev.millrace.transfer;

import java.util.Optional;
import java.util.concurrent.CompletableFuture;

/**
 * A store of objects and one way to fetch from it. It asks once and reports; whether to ask again is for others to
 * decide. Thread-safe.
 */
public interface ObjectSource extends AutoCloseable {
    /** The store, for people: in log lines and errors. */
    String name();

    /**
     * Sends a GET (signed now) and returns at once. Never throws what the listener should hear.
     *
     * @param listener may be called before this returns
     */
    Fetch get(FetchRequest request, FetchListener listener);

    /** Sends a HEAD; the future fails with {@link SourceFailure}. Completed on a thread of the source: do not block it. */
    CompletableFuture<ObjectHead> head(FetchRequest request);

    /** HEAD of the newest version of an object. */
    default CompletableFuture<ObjectHead> head(ObjectId object) {
        return head(FetchRequest.of(object));
    }

    /**
     * One page of the objects whose key begins with a prefix. Blocks until the store has answered.
     *
     * @param prefix of keys, exact; empty for all
     * @param token {@link ListPage#nextToken} of the page before; empty for the first
     * @throws SourceFailure where the store cannot or will not answer, or the answer makes no sense
     */
    ListPage list(String bucket, String prefix, Optional<String> token) throws SourceFailure;

    /** Ends what is under way with {@link SourceFailure.Kind#CLOSED} and frees what the source owns. Idempotent. */
    @Override
    void close();
}
