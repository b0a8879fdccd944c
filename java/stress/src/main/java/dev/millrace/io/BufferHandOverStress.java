// SPDX-License-Identifier: Apache-2.0
package dev.millrace.io;

import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.Expect;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.III_Result;

/** A buffer is handed to an operation while somebody closes it: one of the two comes first. */
@JCStressTest
@Outcome(id = "1, 0, 1", expect = Expect.ACCEPTABLE, desc = "In flight, and pooled only when it came back.")
@Outcome(id = "0, 1, 1", expect = Expect.ACCEPTABLE, desc = "Closed, and the hand-over was refused.")
@Outcome(expect = Expect.FORBIDDEN, desc = "Pooled in flight, lost, or pooled twice.")
@State
public class BufferHandOverStress {
    private final BufferPool pool = Pools.ofOne();
    private final OwnedBuffer buffer = pool.tryAcquire().orElseThrow();

    /** An operation begins. */
    @Actor
    public void operation(III_Result result) {
        try {
            buffer.handOver();
            result.r1 = 1;
        } catch (IllegalStateException closed) {
            result.r1 = 0;
        }
    }

    /** The holder is done with it. */
    @Actor
    public void closer() {
        buffer.close();
    }

    /** Looks, lets the operation complete, looks again. */
    @Arbiter
    public void end(III_Result result) {
        result.r2 = pool.available();
        if (result.r1 == 1) {
            buffer.giveBack();
        }
        result.r3 = pool.available();
    }
}
