// SPDX-License-Identifier: Apache-2.0
package dev.millrace.testkit.sim;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Optional;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A file that is replaced holds the old content or the new one, whenever the power goes. */
class ReplaceSimulationTest {
    private static final int SEEDS = 1000;
    private static final int MANY_SEEDS = 10_000;
    /** A planted fault must be found within so many. */
    private static final int FOUND_WITHIN = 100;

    private static ReplaceScenario with(FaultRates rates) {
        return new ReplaceScenario(rates, Optional.empty());
    }

    @Test
    void showsTheOldContentOrTheNewOneAfterAPowerLoss() {
        Seeds.run(SEEDS, with(FaultRates.HARMLESS)::run);
    }

    @Test
    void showsTheOldContentOrTheNewOneAtAnyErrno() {
        Seeds.run(SEEDS, with(FaultRates.ERRORS)::run);
    }

    @Test
    @Tag("slow")
    void showsTheOldContentOrTheNewOneForManySeeds() {
        Seeds.run(MANY_SEEDS, with(FaultRates.HARMLESS)::run);
        Seeds.run(MANY_SEEDS, with(FaultRates.ERRORS)::run);
    }

    @ParameterizedTest
    @EnumSource(names = {"FILE_SYNC_LEFT_OUT", "FOLDER_SYNC_LEFT_OUT"})
    void findsPlantedFaults(PlantedFault fault) {
        ReplaceScenario scenario = new ReplaceScenario(FaultRates.HARMLESS, Optional.of(fault));
        Optional<String> found = Seeds.firstThatFails(FOUND_WITHIN, scenario::run);
        assertThat(found).as("the first seed that finds " + fault).isPresent();
        System.out.println(fault + " is found by " + found.orElseThrow());
    }
}
