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
import org.openjdk.jcstress.infra.results.IIII_Result;

/** A layer is read twice while its statistics are reset: each access is wholly in what was before, or wholly in what is after. */
@JCStressTest
@Outcome(id = "[0-2], [0-2], 2, 1", expect = Expect.ACCEPTABLE, desc = "Each access is whole, and on one side.")
@Outcome(expect = Expect.FORBIDDEN, desc = "One was lost, doubled, or is partly here and partly there.")
@State
public class StatisticsResetStress {
    private final AccessStatistics statistics = new AccessStatistics();
    private LayerAccessStats before = statistics.snapshot();

    /** Reads, and reads again. */
    @Actor
    public void reader() {
        statistics.recordAccess(AccessKind.ITER, TaskKind.COMPACTION, 1);
        statistics.recordAccess(AccessKind.DUMP, TaskKind.EVICTION, 2);
    }

    /** Resets. */
    @Actor
    public void reset() {
        before = statistics.snapshotAndReset(StatisticsReset.ALL_STATS);
    }

    /** Adds up. */
    @Arbiter
    public void end(IIII_Result result) {
        LayerAccessStats after = statistics.snapshot();
        result.r1 = (int) Whole.accesses(before);
        result.r2 = (int) Whole.accesses(after);
        result.r3 = result.r1 + result.r2;
        result.r4 = Whole.is(before) && Whole.is(after) ? 1 : 0;
    }
}
