// SPDX-License-Identifier: Apache-2.0
package dev.millrace.io;

import dev.millrace.io.engine.EngineLoop;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.Expect;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.III_Result;

/** A cancel that comes late finds its operation's slot taken by another, which it must not touch. */
@JCStressTest
@Outcome(id = "1, 1, 0", expect = Expect.ACCEPTABLE, desc = "The second one was left alone.")
@Outcome(expect = Expect.FORBIDDEN, desc = "The cancel hit what it did not mean, or an outcome was lost.")
@State
public class LoopReuseStress {
    /** One slot beside that for cancels: each operation takes the one of the operation before. */
    private static final EngineLoop LOOP = Loops.start("stress-reuse", 2);

    private final Counted first = new Counted();
    private final Counted second = new Counted();

    /** One after the other. */
    @Actor
    public void submitter() {
        LOOP.submit(first);
        first.awaitOutcomes();
        LOOP.submit(second);
    }

    /** Means the first. */
    @Actor
    public void canceller() {
        LOOP.cancel(first);
    }

    /** Counts. */
    @Arbiter
    public void end(III_Result result) {
        result.r1 = first.awaitOutcomes();
        result.r2 = second.awaitOutcomes();
        result.r3 = second.last();
    }
}
