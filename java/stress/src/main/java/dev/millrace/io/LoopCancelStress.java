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

/** An operation is cancelled before, while and after it is handed in. */
@JCStressTest
@Outcome(id = "1, 0", expect = Expect.ACCEPTABLE, desc = "It was faster.")
@Outcome(id = "1, -125", expect = Expect.ACCEPTABLE, desc = "It was stopped: ECANCELED.")
@Outcome(expect = Expect.FORBIDDEN, desc = "Not one outcome.")
@State
public class LoopCancelStress {
    private static final EngineLoop LOOP = Loops.start("stress-cancel", 8);

    private final Counted operation = new Counted();

    /** Submits. */
    @Actor
    public void submitter() {
        LOOP.submit(operation);
    }

    /** Thinks better of it. */
    @Actor
    public void canceller() {
        LOOP.cancel(operation);
    }

    /** Counts. */
    @Arbiter
    public void end(II_Result result) {
        result.r1 = operation.awaitOutcomes();
        result.r2 = operation.last();
    }
}
