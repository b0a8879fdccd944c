// SPDX-License-Identifier: Apache-2.0
package dev.millrace.testkit.sim;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** A file against an array, whatever order, short results, errnos and cancels the seeds bring. */
class FileSimulationTest {
    private static final int SEEDS = 1000;
    private static final int MANY_SEEDS = 10_000;

    @Test
    void holdsWhatWasWrittenHoweverShortAndInAnyOrder() {
        Seeds.run(SEEDS, new FileScenario(FaultRates.HARMLESS)::run);
    }

    @Test
    void failsCleanlyAtAnyErrnoAndStaysExactElsewhere() {
        Seeds.run(SEEDS, new FileScenario(FaultRates.ERRORS)::run);
    }

    @Test
    @Tag("slow")
    void holdsWhatWasWrittenForManySeeds() {
        Seeds.run(MANY_SEEDS, new FileScenario(FaultRates.HARMLESS)::run);
        Seeds.run(MANY_SEEDS, new FileScenario(FaultRates.ERRORS)::run);
    }
}
