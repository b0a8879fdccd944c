// SPDX-License-Identifier: Apache-2.0
package dev.millrace.layers.stats;

import dev.millrace.layers.AccessKind;
import dev.millrace.layers.TaskKind;
import java.util.List;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.Expect;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.II_Result;

/** Somebody looks at statistics while a layer is read: each access that he sees is one that was recorded, whole and in order. */
@JCStressTest
@Outcome(id = "1, [0-3]", expect = Expect.ACCEPTABLE, desc = "He saw the first so many.")
@Outcome(expect = Expect.FORBIDDEN, desc = "He saw what never was, or not in order.")
@State
public class StatisticsSnapshotStress {
    private static final List<LayerAccess> RECORDED = List.of(
            new LayerAccess(1, TaskKind.COMPACTION.label(), AccessKind.ITER),
            new LayerAccess(2, TaskKind.EVICTION.label(), AccessKind.DUMP),
            new LayerAccess(3, TaskKind.MGMT_REQUEST.label(), AccessKind.KEY_ITER));

    private final AccessStatistics statistics = new AccessStatistics();
    private LayerAccessStats seen = statistics.snapshot();

    /** Reads. */
    @Actor
    public void reader() {
        statistics.recordAccess(AccessKind.ITER, TaskKind.COMPACTION, 1);
        statistics.recordAccess(AccessKind.DUMP, TaskKind.EVICTION, 2);
        statistics.recordAccess(AccessKind.KEY_ITER, TaskKind.MGMT_REQUEST, 3);
    }

    /** Looks. */
    @Actor
    public void look() {
        seen = statistics.snapshot();
    }

    /** Compares. */
    @Arbiter
    public void end(II_Result result) {
        List<LayerAccess> history = seen.accesses().toList();
        boolean first = seen.first().isEmpty() || seen.first().get().equals(RECORDED.get(0));
        result.r1 = first && history.equals(RECORDED.subList(0, history.size())) ? 1 : 0;
        result.r2 = history.size();
    }
}
