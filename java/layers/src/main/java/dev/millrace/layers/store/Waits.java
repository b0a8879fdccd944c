// SPDX-License-Identifier: Apache-2.0
package dev.millrace.layers.store;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;

/** Futures that a thread waits for. */
final class Waits {
    /** What the thread does meanwhile. */
    interface Meanwhile {
        /** It only waits. */
        Meanwhile NOTHING = future -> {};

        /** Returns when the future is done, or for the thread to wait for the rest. */
        void until(CompletableFuture<?> future);
    }

    private Waits() {}

    /** Blocks until a future is done; throws what it failed with. */
    static <T> T forIo(CompletableFuture<T> future, Meanwhile meanwhile) throws IOException {
        meanwhile.until(future);
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

    /** Blocks until a future is done, however it ends; an interrupt is kept for later. */
    static void uninterruptibly(CompletableFuture<?> future, Meanwhile meanwhile) {
        meanwhile.until(future);
        boolean interrupted = false;
        while (!future.isDone()) {
            try {
                future.get();
            } catch (InterruptedException e) {
                interrupted = true;
            } catch (ExecutionException | CancellationException over) {
                break;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
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
