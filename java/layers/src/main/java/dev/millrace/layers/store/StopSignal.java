// SPDX-License-Identifier: Apache-2.0
package dev.millrace.layers.store;

import java.util.Optional;
import java.util.concurrent.locks.ReentrantLock;

/**
 * That what is under way, and what comes after it, is to stop, and why: said once, at any time, and heard by whatever is under
 * way then. For steps of which one runs at a time. Thread-safe.
 */
final class StopSignal {
    private final ReentrantLock lock = new ReentrantLock();
    private Optional<StoreFailure> why = Optional.empty();
    private Optional<Runnable> stopper = Optional.empty();

    /** How the step that begins is stopped: run at once where that has been asked for already. Must not block. */
    void by(Runnable how) {
        boolean late;
        lock.lock();
        try {
            stopper = Optional.of(how);
            late = why.isPresent();
        } finally {
            lock.unlock();
        }
        if (late) {
            how.run();
        }
    }

    /** Asks to stop, the first time that it is called. Does not block. */
    void stop(StoreFailure reason) {
        Optional<Runnable> how;
        lock.lock();
        try {
            if (why.isPresent()) {
                return;
            }
            why = Optional.of(reason);
            how = stopper;
        } finally {
            lock.unlock();
        }
        how.ifPresent(Runnable::run);
    }

    /** Why it was asked to stop; empty where it was not. */
    Optional<StoreFailure> why() {
        lock.lock();
        try {
            return why;
        } finally {
            lock.unlock();
        }
    }
}
