// SPDX-License-Identifier: Apache-2.0
package dev.millrace.layers.store;

import static dev.millrace.layers.store.StoreRig.GENERATION;
import static dev.millrace.layers.store.StoreRig.TENANT;
import static dev.millrace.layers.store.StoreRig.TIMELINE;
import static org.assertj.core.api.Assertions.assertThat;

import dev.millrace.io.EngineKind;
import dev.millrace.layers.LayerFileName;
import dev.millrace.layers.format.Compression;
import dev.millrace.layers.format.GeneratedData;
import dev.millrace.layers.format.LayerWriter;
import dev.millrace.testkit.sim.PlantedFault;
import dev.millrace.testkit.sim.Seeds;
import dev.millrace.testkit.sim.Trace;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.SplittableRandom;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** {@link StoreScenario} for many seeds; {@code -Dseed=} runs one alone. */
@Timeout(value = 600, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class StoreSimulationTest {
    private static final int SEEDS = 40;
    private static final int MANY_SEEDS = 1_000;
    /** A planted fault must be found within so many. */
    private static final int FOUND_WITHIN = 100;

    @TempDir
    Path folder;

    private static byte[] image = new byte[0];
    private int runs;

    @BeforeAll
    static void writeImage(@TempDir Path place) throws IOException {
        try (LayerWriter writer = LayerWriter.create(
                Combination.engine(EngineKind.BLOCKING),
                place,
                LayerFileName.of(StoreScenario.IMAGE, GENERATION),
                TENANT,
                TIMELINE,
                Compression.NONE)) {
            for (int i = 0; i < StoreScenario.keys(); i++) {
                writer.put(GeneratedData.key(i), StoreScenario.value(i));
            }
            image = Files.readAllBytes(writer.finish().path());
        }
    }

    /** In a folder of its own: a run that failed has its lock for ever. */
    private void run(Optional<PlantedFault> fault, SplittableRandom random, Trace trace) throws Exception {
        new StoreScenario(folder.resolve("run-" + runs++), image, fault).run(random, trace);
    }

    @Test
    void findsWhatWasWrittenAndLeavesNothingBehind() {
        Seeds.run(SEEDS, (random, trace) -> run(Optional.empty(), random, trace));
    }

    @Test
    @Tag("slow")
    void findsWhatWasWrittenForManySeeds() {
        Seeds.run(MANY_SEEDS, (random, trace) -> run(Optional.empty(), random, trace));
    }

    @Test
    void doesTheSameForTheSameSeed() throws Exception {
        for (long seed = 0; seed < 10; seed++) {
            Trace first = new Trace();
            Trace second = new Trace();
            run(Optional.empty(), new SplittableRandom(seed), first);
            run(Optional.empty(), new SplittableRandom(seed), second);
            assertThat(withoutFolder(second)).isEqualTo(withoutFolder(first));
        }
    }

    private static String withoutFolder(Trace trace) {
        return trace.toString().replaceAll("/run-[0-9]+/", "/run/");
    }

    /** That a folder's fsync is left out shows nowhere: a layer whose name a crash has taken is fetched anew. */
    @ParameterizedTest
    @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "FOLDER_SYNC_LEFT_OUT")
    void findsPlantedFaults(PlantedFault fault) {
        Optional<String> found =
                Seeds.firstThatFails(FOUND_WITHIN, (random, trace) -> run(Optional.of(fault), random, trace));
        assertThat(found).as("the first seed that finds " + fault).isPresent();
        System.out.println(fault + " is found by " + found.orElseThrow());
    }
}
