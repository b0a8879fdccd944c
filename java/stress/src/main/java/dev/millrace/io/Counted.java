// SPDX-License-Identifier: Apache-2.0
package dev.millrace.io;

import dev.millrace.io.engine.OpCode;
import dev.millrace.io.engine.Operation;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/** An operation that counts its outcomes. */
final class Counted extends Operation {
    /** Long enough for any scheduler: what has not come by then was lost. */
    private static final long LOST_NANOS = TimeUnit.SECONDS.toNanos(10);

    private final AtomicInteger outcomes = new AtomicInteger();
    private volatile int last;

    Counted() {
        reset(OpCode.NOP);
    }

    @Override
    protected void completed(int result) {
        last = result;
        outcomes.incrementAndGet();
    }

    /** Waits for an outcome; then how many there were. */
    int awaitOutcomes() {
        long begin = System.nanoTime();
        while (outcomes.get() == 0 && System.nanoTime() - begin < LOST_NANOS) {
            Thread.onSpinWait();
        }
        return outcomes.get();
    }

    int last() {
        return last;
    }
}
