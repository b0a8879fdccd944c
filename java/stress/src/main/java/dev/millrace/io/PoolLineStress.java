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
import org.openjdk.jcstress.infra.results.II_Result;

/** The last buffer is given back while somebody joins the line for it. */
@JCStressTest
@Outcome(id = "1, 1", expect = Expect.ACCEPTABLE, desc = "It was given to the one in line, once.")
@Outcome(expect = Expect.FORBIDDEN, desc = "Somebody waits for ever beside a free buffer, or it has two owners.")
@State
public class PoolLineStress {
    private final BufferPool pool = Pools.ofOne();
    private final OwnedBuffer buffer = pool.tryAcquire().orElseThrow();
    private final ConcurrentLinkedQueue<Optional<OwnedBuffer>> got = new ConcurrentLinkedQueue<>();

    /** Gives back. */
    @Actor
    public void holder() {
        buffer.close();
    }

    /** Joins the line. */
    @Actor
    public void waiter() {
        pool.acquireThen(got::add);
    }

    /** Counts. */
    @Arbiter
    public void end(II_Result result) {
        result.r1 = got.size();
        got.forEach(one -> one.ifPresent(OwnedBuffer::close));
        result.r2 = pool.available();
    }
}
