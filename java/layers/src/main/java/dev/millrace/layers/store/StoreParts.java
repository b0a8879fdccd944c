// SPDX-License-Identifier: Apache-2.0
package dev.millrace.layers.store;

import dev.millrace.io.FatalIoException;
import dev.millrace.io.IoEngine;
import dev.millrace.io.OperationFailedException;
import dev.millrace.io.engine.Errno;
import dev.millrace.layers.format.LayerReaders;
import dev.millrace.transfer.Timing;
import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.time.InstantSource;
import java.util.concurrent.Executor;

/**
 * What all layers of a store use together.
 *
 * @param workers run steps that block on the local disk or the store; at most a few tasks for each layer are queued
 * @param wallClock moments of statistics
 * @param meanwhile what a thread does that waits for the store
 * @param evictable the layers that could go
 */
record StoreParts(
        LayerStoreConfig config,
        IoEngine engine,
        LayerReaders readers,
        RemoteStore remote,
        Timing timing,
        InstantSource wallClock,
        Executor workers,
        Waits.Meanwhile meanwhile,
        StoreCounters counters,
        DiskBudget budget,
        EvictionQueue<Layer> evictable) {
    /** Tells the handler of fatal failures where it is one. */
    StoreFailure localFailure(String what, IOException e) {
        String sentence = what + ": " + e.getMessage();
        if (isFatal(e)) {
            config.fatalHandler().accept(e);
            return new StoreFailure.FatalLocal(sentence, e);
        }
        return new StoreFailure.LocalFileUnusable(sentence, e);
    }

    /** As it is for downloads, whether the engine says so or the JDK, by which folders are looked through. */
    static boolean isFatal(IOException e) {
        if (e instanceof FatalIoException || e instanceof AccessDeniedException) {
            return true;
        }
        return e instanceof OperationFailedException failed
                && (failed.errno() == Errno.EIO || failed.errno() == Errno.EROFS || failed.errno() == Errno.EACCES);
    }
}
