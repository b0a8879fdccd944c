// SPDX-License-Identifier: Apache-2.0
package dev.millrace.io;

import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.Expect;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.I_Result;

/** A race that is lost for certain: it shows that a forbidden outcome ends the run with a failure. */
@JCStressTest
@Outcome(id = "2", expect = Expect.ACCEPTABLE, desc = "Both counted.")
@Outcome(expect = Expect.FORBIDDEN, desc = "One count was lost.")
@State
public class CanaryStress {
    private int count;

    /** Counts. */
    @Actor
    public void one() {
        count++;
    }

    /** Counts, too. */
    @Actor
    public void two() {
        count++;
    }

    /** Reads. */
    @Arbiter
    public void end(I_Result result) {
        result.r1 = count;
    }
}
