// SPDX-License-Identifier: Apache-2.0
package dev.millrace.layers.stats;

import dev.millrace.layers.AccessKind;
import dev.millrace.layers.TaskKind;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.Expect;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.III_Result;

/** Two read a layer that nobody has read: one of them is first, and both are there. */
@JCStressTest
@Outcome(
        id = "2, 1, 9",
        expect = Expect.ACCEPTABLE,
        desc = "One is first, both are there, eviction sees the later one.")
@Outcome(expect = Expect.FORBIDDEN, desc = "One was lost, or the history does not agree with the first.")
@State
public class StatisticsFirstStress {
    private final AccessStatistics statistics = new AccessStatistics();

    /** Reads. */
    @Actor
    public void one() {
        statistics.recordAccess(AccessKind.ITER, TaskKind.COMPACTION, 9);
    }

    /** Reads, too. */
    @Actor
    public void two() {
        statistics.recordAccess(AccessKind.ITER, TaskKind.EVICTION, 8);
    }

    /** Compares. */
    @Arbiter
    public void end(III_Result result) {
        LayerAccessStats end = statistics.snapshot();
        result.r1 = (int) Whole.accesses(end);
        result.r2 = Whole.is(end) ? 1 : 0;
        result.r3 = (int) statistics.lastAccessMillis().orElse(0);
    }
}
