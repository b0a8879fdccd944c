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
import org.openjdk.jcstress.infra.results.III_Result;

/** One access takes as long as another reader needs to go all around the history: it never hides a newer one. */
@JCStressTest
@Outcome(id = "16, 3, 1", expect = Expect.ACCEPTABLE, desc = "The history has the last sixteen, in order.")
@Outcome(expect = Expect.FORBIDDEN, desc = "An older access is where a newer one should be.")
@State
public class StatisticsLapStress {
    private static final int LAP = 18;

    private final AccessStatistics statistics = new AccessStatistics();

    /** Reads once. */
    @Actor
    public void one() {
        statistics.recordAccess(AccessKind.DUMP, TaskKind.EVICTION, 1000);
    }

    /** Reads more often than there are places. */
    @Actor
    public void many() {
        for (int i = 0; i < LAP; i++) {
            statistics.recordAccess(AccessKind.ITER, TaskKind.COMPACTION, i);
        }
    }

    /** Looks for gaps. */
    @Arbiter
    public void end(III_Result result) {
        HistoryBuffer<LayerAccess> history = statistics.snapshot().accesses();
        result.r1 = history.size();
        result.r2 = (int) history.dropCount();
        List<Long> ofMany = history.toList().stream()
                .filter(access -> access.accessKind() == AccessKind.ITER)
                .map(LayerAccess::whenMillis)
                .toList();
        boolean gapless = true;
        for (int i = 0; i < ofMany.size(); i++) {
            gapless &= ofMany.get(i) == LAP - ofMany.size() + i;
        }
        result.r3 = gapless ? 1 : 0;
    }
}
