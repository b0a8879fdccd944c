// SPDX-License-Identifier: Apache-2.0
package dev.millrace.testkit.sim;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Optional;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The copy loop under every order, short result, errno and pool that the seeds bring. */
class CopyLoopSimulationTest {
    private static final int SEEDS = 1000;
    private static final int MANY_SEEDS = 10_000;
    /** A planted fault must be found within so many. */
    private static final int FOUND_WITHIN = 50;

    private static CopyScenario with(FaultRates rates) {
        return new CopyScenario(rates, Optional.empty());
    }

    @Test
    void putsEveryByteInItsPlaceWhateverTheOrderAndHoweverShort() {
        Seeds.run(SEEDS, with(FaultRates.HARMLESS)::run);
    }

    @Test
    void failsCleanlyAtAnyErrnoAndGivesEverythingBack() {
        Seeds.run(SEEDS, with(FaultRates.ERRORS)::run);
    }

    @Test
    @Tag("slow")
    void putsEveryByteInItsPlaceForManySeeds() {
        Seeds.run(MANY_SEEDS, with(FaultRates.HARMLESS)::run);
    }

    @Test
    @Tag("slow")
    void failsCleanlyForManySeeds() {
        Seeds.run(MANY_SEEDS, with(FaultRates.ERRORS)::run);
    }

    @ParameterizedTest
    @EnumSource(names = {"BUFFER_POOLED_EARLY", "WRONG_OFFSET_AFTER_SHORT_WRITE", "MATCHED_BY_ORDER"})
    void findsPlantedFaults(PlantedFault fault) {
        CopyScenario scenario = new CopyScenario(FaultRates.HARMLESS, Optional.of(fault));
        Optional<String> found = Seeds.firstThatFails(FOUND_WITHIN, scenario::run);
        assertThat(found).as("the first seed that finds " + fault).isPresent();
        System.out.println(fault + " is found by " + found.orElseThrow());
    }
}
