// SPDX-License-Identifier: Apache-2.0
package dev.millrace.io;

import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.Expect;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.II_Result;

/** A buffer is closed by two at once. */
@JCStressTest
@Outcome(id = "1, 0", expect = Expect.ACCEPTABLE, desc = "It is in the pool, once.")
@Outcome(expect = Expect.FORBIDDEN, desc = "It was lost, pooled twice, or dropped.")
@State
public class BufferTwoClosersStress {
    private final BufferPool pool = Pools.ofOne();
    private final OwnedBuffer buffer = pool.tryAcquire().orElseThrow();

    /** Closes. */
    @Actor
    public void one() {
        buffer.close();
    }

    /** Closes, too. */
    @Actor
    public void two() {
        buffer.close();
    }

    /** Counts. */
    @Arbiter
    public void end(II_Result result) {
        result.r1 = pool.available();
        result.r2 = (int) pool.droppedLeases();
    }
}
