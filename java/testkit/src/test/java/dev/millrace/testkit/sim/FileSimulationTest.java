// SPDX-License-Identifier: Apache-2.0
package dev.millrace.testkit.sim;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Optional;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A file against an array, whatever order, short results, errnos and cancels the seeds bring. */
class FileSimulationTest {
    private static final int SEEDS = 1000;
    private static final int MANY_SEEDS = 10_000;
    /** A planted fault must be found within so many. */
    private static final int FOUND_WITHIN = 100;

    private static FileScenario with(FaultRates rates) {
        return new FileScenario(rates, Optional.empty());
    }

    @Test
    void holdsWhatWasWrittenHoweverShortAndInAnyOrder() {
        Seeds.run(SEEDS, with(FaultRates.HARMLESS)::run);
    }

    @Test
    void failsCleanlyAtAnyErrnoAndStaysExactElsewhere() {
        Seeds.run(SEEDS, with(FaultRates.ERRORS)::run);
    }

    @Test
    @Tag("slow")
    void holdsWhatWasWrittenForManySeeds() {
        Seeds.run(MANY_SEEDS, with(FaultRates.HARMLESS)::run);
        Seeds.run(MANY_SEEDS, with(FaultRates.ERRORS)::run);
    }

    @ParameterizedTest
    @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "FOLDER_SYNC_LEFT_OUT")
    void findsPlantedFaults(PlantedFault fault) {
        FileScenario scenario = new FileScenario(FaultRates.HARMLESS, Optional.of(fault));
        Optional<String> found = Seeds.firstThatFails(FOUND_WITHIN, scenario::run);
        assertThat(found).as("the first seed that finds " + fault).isPresent();
        System.out.println(fault + " is found by " + found.orElseThrow());
    }
}
