// SPDX-License-Identifier: Apache-2.0
package dev.millrace.io;

import dev.millrace.io.engine.EngineLoop;
import java.util.Optional;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.Expect;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.III_Result;

/** An operation is handed in while the engine closes: it has an outcome, and no caller's place is kept. */
@JCStressTest
@Outcome(id = "1, 0, 0", expect = Expect.ACCEPTABLE, desc = "It was in time.")
@Outcome(id = "1, -125, 0", expect = Expect.ACCEPTABLE, desc = "It came too late: ECANCELED.")
@Outcome(expect = Expect.FORBIDDEN, desc = "Not one outcome.")
@State
public class LoopCloseStress {
    private final Counted operation = new Counted();
    private Optional<EngineLoop> loop = Optional.empty();

    /** Started by whoever comes first: states are also made that nobody plays with. */
    private synchronized EngineLoop loop() {
        loop = loop.or(() -> Optional.of(Loops.start("stress-close", 8)));
        return loop.get();
    }

    /** Submits. */
    @Actor
    public void submitter() {
        loop().submit(operation);
    }

    /** Closes. */
    @Actor
    public void closer() {
        loop().close();
    }

    /** Counts. */
    @Arbiter
    public void end(III_Result result) {
        result.r1 = operation.awaitOutcomes();
        result.r2 = operation.last();
        result.r3 = loop().pendingFromCallers();
    }
}
