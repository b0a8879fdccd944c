// SPDX-License-Identifier: Apache-2.0
package dev.millrace.benchmarks.soak;

import dev.millrace.benchmarks.soak.Counts.Kind;
import dev.millrace.testkit.sim.CopyScenario;
import dev.millrace.testkit.sim.FaultRates;
import dev.millrace.testkit.sim.FileScenario;
import dev.millrace.testkit.sim.Seeds;
import dev.millrace.testkit.sim.Trace;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.function.BooleanSupplier;

/** Files and copy loops on the simulated engine, seed after seed, with the faults that no healthy disk shows. */
final class Simulations {
    private static final List<Seeds.Scenario> SCENARIOS = List.of(
            new FileScenario(FaultRates.ERRORS, Optional.empty())::run,
            new FileScenario(FaultRates.HARMLESS, Optional.empty())::run,
            new CopyScenario(FaultRates.ERRORS, Optional.empty())::run);

    private Simulations() {}

    /** Runs from a first seed on until told to stop, or until one fails. */
    static void run(long firstSeed, BooleanSupplier stop, Counts counts, Failures failures) {
        for (long seed = firstSeed; !stop.getAsBoolean() && failures.none(); seed++) {
            Trace trace = new Trace();
            int which = Math.floorMod(seed, SCENARIOS.size());
            try {
                SCENARIOS.get(which).run(new SplittableRandom(seed), trace);
            } catch (Throwable e) {
                failures.add("simulated engine, seed " + seed + ", scenario " + which + "\n" + trace, e);
            }
            counts.add(Kind.SIMULATED_SEEDS);
            counts.add(Kind.SIMULATED_FAULTS, trace.faults());
            counts.add(Kind.SIMULATED_POWER_LOSSES, trace.powerLosses());
        }
    }
}
