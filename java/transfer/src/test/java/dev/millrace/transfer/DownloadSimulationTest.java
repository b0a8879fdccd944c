// SPDX-License-Identifier: Apache-2.0
package dev.millrace.transfer;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millrace.testkit.sim.PlantedFault;
import dev.millrace.testkit.sim.Seeds;
import dev.millrace.testkit.sim.Trace;
import java.nio.file.Path;
import java.util.Optional;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Whole downloads through every trouble of store, engine and disk that the seeds bring; minutes of retries cost nothing. */
@Timeout(value = 300, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class DownloadSimulationTest {
    private static final int SEEDS = 1000;
    private static final int MANY_SEEDS = 10_000;
    /** A planted fault must be found within so many. */
    private static final int FOUND_WITHIN = 100;

    @TempDir
    Path folder;

    private DownloadScenario scenario(Optional<PlantedFault> fault) {
        return new DownloadScenario(folder, fault);
    }

    @Test
    void succeedsThroughTroublesOfTheStoreAndLeavesNothingOrAll() {
        Seeds.run(SEEDS, scenario(Optional.empty())::run);
    }

    @Test
    @Tag("slow")
    void succeedsForManySeeds() {
        Seeds.run(MANY_SEEDS, scenario(Optional.empty())::run);
    }

    @Test
    void doesTheSameForTheSameSeed() throws Exception {
        for (long seed = 0; seed < 20; seed++) {
            Trace first = new Trace();
            Trace second = new Trace();
            scenario(Optional.empty()).run(new SplittableRandom(seed), first);
            scenario(Optional.empty()).run(new SplittableRandom(seed), second);
            assertThat(second).hasToString(first.toString());
        }
    }

    @ParameterizedTest
    @EnumSource(PlantedFault.class)
    void findsPlantedFaults(PlantedFault fault) {
        Optional<String> found = Seeds.firstThatFails(FOUND_WITHIN, scenario(Optional.of(fault))::run);
        assertThat(found).as("the first seed that finds " + fault).isPresent();
        System.out.println(fault + " is found by " + found.orElseThrow());
    }
}
