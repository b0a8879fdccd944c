// SPDX-License-Identifier: Apache-2.0
package dev.millrace.io;

import java.util.Optional;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.Expect;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.III_Result;

/** Somebody leaves the line while his buffer is on its way. */
@JCStressTest
@Outcome(id = "1, 0, 1", expect = Expect.ACCEPTABLE, desc = "He left, and got nothing.")
@Outcome(id = "0, 1, 1", expect = Expect.ACCEPTABLE, desc = "It was on its way, and he got it.")
@Outcome(expect = Expect.FORBIDDEN, desc = "The buffer was lost, or has two owners.")
@State
public class PoolLeaveLineStress {
    private final BufferPool pool = Pools.ofOne();
    private final OwnedBuffer buffer = pool.tryAcquire().orElseThrow();
    private final ConcurrentLinkedQueue<Optional<OwnedBuffer>> got = new ConcurrentLinkedQueue<>();
    private final BufferPool.Waiter waiter = pool.acquireThen(got::add);

    /** Gives back. */
    @Actor
    public void holder() {
        buffer.close();
    }

    /** Leaves. */
    @Actor
    public void leaver(III_Result result) {
        result.r1 = waiter.cancel() ? 1 : 0;
    }

    /** Counts. */
    @Arbiter
    public void end(III_Result result) {
        result.r2 = got.size();
        got.forEach(one -> one.ifPresent(OwnedBuffer::close));
        result.r3 = pool.available();
    }
}
