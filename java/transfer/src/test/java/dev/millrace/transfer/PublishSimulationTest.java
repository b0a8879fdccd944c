// SPDX-License-Identifier: Apache-2.0
package dev.millrace.transfer;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millrace.testkit.sim.PlantedFault;
import dev.millrace.testkit.sim.Seeds;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Rule 1: whatever happens and whenever the power goes, a final name holds nothing or all. */
class PublishSimulationTest {
    private static final int SEEDS = 1000;
    private static final int MANY_SEEDS = 10_000;
    /** Seeds whose every operation is tried as the last. */
    private static final int THOROUGH_SEEDS = 15;
    /** A planted fault must be found within so many. */
    private static final int FOUND_WITHIN = 100;

    private static PublishScenario anywhere() {
        return new PublishScenario(Optional.empty(), OptionalLong.empty());
    }

    @Test
    void leavesNothingOrAllUnderAFinalName() {
        Seeds.run(SEEDS, anywhere()::run);
    }

    @Test
    @Tag("slow")
    void leavesNothingOrAllUnderAFinalNameForManySeeds() {
        Seeds.run(MANY_SEEDS, anywhere()::run);
    }

    @Test
    void leavesNothingOrAllWhicheverOperationIsTheLast() {
        Seeds.run(THOROUGH_SEEDS, (random, trace) -> {
            long seed = random.nextLong();
            PublishScenario undisturbed = new PublishScenario(Optional.empty(), OptionalLong.of(Long.MAX_VALUE / 2));
            undisturbed.run(new SplittableRandom(seed), trace);
            for (long at = 1; at <= undisturbed.performed(); at++) {
                trace.add("power loss at operation " + at);
                PublishScenario scenario = new PublishScenario(Optional.empty(), OptionalLong.of(at));
                scenario.run(new SplittableRandom(seed), trace);
            }
        });
    }

    @ParameterizedTest
    @EnumSource(PlantedFault.class)
    void findsPlantedFaults(PlantedFault fault) {
        PublishScenario scenario = new PublishScenario(Optional.of(fault), OptionalLong.empty());
        Optional<String> found = Seeds.firstThatFails(FOUND_WITHIN, scenario::run);
        assertThat(found).as("the first seed that finds " + fault).isPresent();
        System.out.println(fault + " is found by " + found.orElseThrow());
    }
}
