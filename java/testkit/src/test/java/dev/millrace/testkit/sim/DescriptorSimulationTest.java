// SPDX-License-Identifier: Apache-2.0
package dev.millrace.testkit.sim;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Optional;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Files that take turns on fewer descriptors than there are files, whatever the seeds bring. */
class DescriptorSimulationTest {
    private static final int SEEDS = 300;
    private static final int MANY_SEEDS = 10_000;
    private static final int FOUND_WITHIN = 100;

    private static DescriptorScenario with(FaultRates rates, boolean names) {
        return new DescriptorScenario(rates, names, Optional.empty());
    }

    @Test
    void holdsWhatWasWrittenUnderWhateverName() {
        Seeds.run(SEEDS, with(FaultRates.HARMLESS, true)::run);
    }

    @Test
    void losesNothingThatASyncHasToldToBeDurable() {
        Seeds.run(SEEDS, with(FaultRates.HARMLESS, false)::run);
        Seeds.run(SEEDS, with(FaultRates.ERRORS, false)::run);
    }

    @Test
    @Tag("slow")
    void holdsForManySeeds() {
        Seeds.run(MANY_SEEDS, with(FaultRates.HARMLESS, true)::run);
        Seeds.run(MANY_SEEDS, with(FaultRates.HARMLESS, false)::run);
        Seeds.run(MANY_SEEDS, with(FaultRates.ERRORS, false)::run);
    }

    @Test
    void findsAPlantedSyncThatIsLeftOut() {
        DescriptorScenario scenario =
                new DescriptorScenario(FaultRates.HARMLESS, false, Optional.of(PlantedFault.FILE_SYNC_LEFT_OUT));
        assertThat(Seeds.firstThatFails(FOUND_WITHIN, scenario::run)).isPresent();
    }
}
