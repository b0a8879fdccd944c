// SPDX-License-Identifier: Apache-2.0
package dev.millrace.io;

import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.Expect;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.II_Result;

/** A buffer in flight is closed by its holder while the operation gives it back. */
@JCStressTest
@Outcome(id = "1, 0", expect = Expect.ACCEPTABLE, desc = "It is in the pool, once.")
@Outcome(expect = Expect.FORBIDDEN, desc = "It was lost, pooled twice, or dropped.")
@State
public class BufferCloseInFlightStress {
    private final BufferPool pool = Pools.ofOne();
    private final OwnedBuffer buffer = pool.tryAcquire().orElseThrow();

    /** In flight from the start. */
    public BufferCloseInFlightStress() {
        buffer.handOver();
    }

    /** The holder is done with it. */
    @Actor
    public void holder() {
        buffer.close();
    }

    /** The operation completes. */
    @Actor
    public void operation() {
        buffer.giveBack();
    }

    /** Counts. */
    @Arbiter
    public void end(II_Result result) {
        result.r1 = pool.available();
        result.r2 = (int) pool.droppedLeases();
    }
}
