// SPDX-License-Identifier: Apache-2.0
package dev.millrace.io;

import java.util.Optional;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.Expect;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.III_Result;

/** The engine closes while the last buffer comes back to one in line: he is told, and memory is freed once, at the end. */
@JCStressTest
@Outcome(id = "1, 1, 1", expect = Expect.ACCEPTABLE, desc = "He was told once, and memory was freed once.")
@Outcome(expect = Expect.FORBIDDEN, desc = "Nobody told him, or memory was kept, or freed under his hands.")
@State
public class PoolCloseStress {
    private final AtomicInteger releases = new AtomicInteger();
    private final BufferPool pool = Pools.ofOne(releases::incrementAndGet);
    private final OwnedBuffer buffer = pool.tryAcquire().orElseThrow();
    private final ConcurrentLinkedQueue<Optional<OwnedBuffer>> told = new ConcurrentLinkedQueue<>();

    /** One is in line from the start. */
    public PoolCloseStress() {
        pool.acquireThen(told::add);
    }

    /** Gives back. */
    @Actor
    public void holder() {
        buffer.close();
    }

    /** Closes. */
    @Actor
    public void closer() {
        pool.close();
        pool.release();
    }

    /** Counts. */
    @Arbiter
    public void end(III_Result result) {
        result.r1 = told.size();
        boolean early = told.stream().anyMatch(Optional::isPresent) && releases.get() > 0;
        told.forEach(one -> one.ifPresent(OwnedBuffer::close));
        result.r2 = early ? -1 : releases.get();
        result.r3 = pool.available();
    }
}
