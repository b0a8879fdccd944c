// SPDX-License-Identifier: Apache-2.0
package dev.millrace.io;

import dev.millrace.io.engine.EngineLoop;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.Expect;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.II_Result;

/** Two callers hand in while the engine thread is about to sleep: no wake-up is lost. */
@JCStressTest
@Outcome(id = "1, 1", expect = Expect.ACCEPTABLE, desc = "Each is complete, once.")
@Outcome(expect = Expect.FORBIDDEN, desc = "One was lost, or completed twice.")
@State
public class LoopInboxStress {
    private static final EngineLoop LOOP = Loops.start("stress-inbox", 8);

    private final Counted first = new Counted();
    private final Counted second = new Counted();

    /** Submits. */
    @Actor
    public void one() {
        LOOP.submit(first);
    }

    /** Submits, too. */
    @Actor
    public void two() {
        LOOP.submit(second);
    }

    /** Counts. */
    @Arbiter
    public void end(II_Result result) {
        result.r1 = first.awaitOutcomes();
        result.r2 = second.awaitOutcomes();
    }
}
