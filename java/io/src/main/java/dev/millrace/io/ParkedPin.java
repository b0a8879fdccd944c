// SPDX-License-Identifier: Apache-2.0
package dev.millrace.io;

import java.util.Optional;
import java.util.concurrent.locks.LockSupport;

/** A thread that waits for its turn: parks where it is virtual. */
final class ParkedPin implements PinWaiter {
    private final Thread caller = Thread.currentThread();
    private Optional<IoFailure> refusal = Optional.empty();
    private volatile boolean told;

    @Override
    public void pinned() {
        told = true;
        LockSupport.unpark(caller);
    }

    @Override
    public void refused(IoFailure why) {
        refusal = Optional.of(why);
        told = true;
        LockSupport.unpark(caller);
    }

    /** An interrupt does not end it, since what comes must be taken; it is kept. */
    void await() throws IoFailure {
        boolean interrupted = false;
        while (!told) {
            LockSupport.park(this);
            interrupted |= Thread.interrupted();
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
        if (refusal.isPresent()) {
            throw refusal.get();
        }
    }
}
