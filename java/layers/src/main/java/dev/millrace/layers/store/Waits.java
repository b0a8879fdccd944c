// SPDX-License-Identifier: Apache-2.0
package dev.millrace.layers.store;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;

/** Futures that a thread waits for. */
final class Waits {
    private Waits() {}

    /** Blocks until a future is done; throws what it failed with. */
    static <T> T forIo(CompletableFuture<T> future) throws IOException {
        try {
            return future.get();
        } catch (ExecutionException e) {
            Throwable cause = cause(e);
            if (cause instanceof IOException io) {
                throw io;
            }
            if (cause instanceof RuntimeException runtime) {
                throw runtime;
            }
            throw new IOException("An error in Millrace itself, which is worth a report: " + cause, cause);
        } catch (CancellationException e) {
            throw new StoreFailure.ShuttingDown("what was waited for was cancelled");
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw (InterruptedIOException) new InterruptedIOException("waiting was interrupted").initCause(e);
        }
    }

    /**
     * Blocks until something has ended, also where the thread is interrupted meanwhile, which it is afterwards, too: whoever
     * gives up in the middle of an end leaves behind what nobody ends any more.
     */
    static void forEnds(List<CompletableFuture<Void>> ends) {
        CompletableFuture.allOf(ends.toArray(CompletableFuture[]::new)).join();
    }

    /** Through the wrappers of futures. */
    static Throwable cause(Throwable thrown) {
        Throwable at = thrown;
        while ((at instanceof CompletionException || at instanceof ExecutionException) && at.getCause() != null) {
            at = at.getCause();
        }
        return at;
    }
}
