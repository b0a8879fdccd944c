// SPDX-License-Identifier: Apache-2.0
package dev.millrace.benchmarks;

import dev.millrace.io.IoEngine;
import dev.millrace.io.engine.EngineCounters;
import java.util.Map;

/** What an engine of ours counted in a round. */
final class EngineFigures {
    private final IoEngine engine;
    private final EngineCounters before;

    private EngineFigures(IoEngine engine) {
        this.engine = engine;
        this.before = engine.counters();
    }

    static EngineFigures begin(IoEngine engine) {
        return new EngineFigures(engine);
    }

    /** The figures since. */
    Figures of(SyncedFiles.Done done, boolean direct, Map<String, Long> verified, int retries) {
        EngineCounters after = engine.counters();
        long turns = after.turns() - before.turns();
        return new Figures(
                done.objects(),
                done.failed(),
                done.bytes(),
                done.spent(),
                engine.kind().label(),
                engine.status().binding(),
                direct,
                engine.status().hugePages(),
                after.fixed() - before.fixed(),
                after.plain() - before.plain(),
                turns == 0 ? 0 : (after.submitted() - before.submitted()) / (double) turns,
                after.kernelWorkers(),
                verified,
                retries);
    }
}
