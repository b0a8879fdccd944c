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

/** A new kind of task reads a layer while the kinds are cleared: its flag is before or after, and counts are kept. */
@JCStressTest
@Outcome(id = "[01], 1, 2", expect = Expect.ACCEPTABLE, desc = "The flag is on one side.")
@Outcome(expect = Expect.FORBIDDEN, desc = "The flag is on both sides or none, or a count was lost.")
@State
public class StatisticsFlagsStress {
    private final AccessStatistics statistics = new AccessStatistics();
    private LayerAccessStats before = statistics.snapshot();

    /** One has read it before. */
    public StatisticsFlagsStress() {
        statistics.recordAccess(AccessKind.ITER, TaskKind.COMPACTION, 1);
    }

    /** Reads. */
    @Actor
    public void reader() {
        statistics.recordAccess(AccessKind.ITER, TaskKind.EVICTION, 2);
    }

    /** Clears. */
    @Actor
    public void reset() {
        before = statistics.snapshotAndReset(StatisticsReset.JUST_TASK_KIND_FLAGS);
    }

    /** Adds up. */
    @Arbiter
    public void end(III_Result result) {
        LayerAccessStats after = statistics.snapshot();
        String label = TaskKind.EVICTION.label();
        result.r1 = before.taskKinds().contains(label) ? 1 : 0;
        boolean kept = before.taskKinds().contains(TaskKind.COMPACTION.label())
                && !after.taskKinds().contains(TaskKind.COMPACTION.label());
        result.r2 = kept ? result.r1 + (after.taskKinds().contains(label) ? 1 : 0) : -1;
        result.r3 = (int) Whole.accesses(after);
    }
}
