// SPDX-License-Identifier: Apache-2.0
package dev.millrace.testkit.sim;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millrace.io.AtomicFile;
import dev.millrace.io.IoFailure;
import dev.millrace.io.TemporaryFile;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;

/**
 * One small file replaced again and again, with the power going at some operation: then it holds the content of the last
 * replacement that was told to be done, or a later one that was begun, and never a mixture.
 */
final class ReplaceScenario {
    private static final int PAGE = 4096;
    private static final String FOLDER = "/d";
    private static final String NAME = "current";
    private static final int MOST_OPERATIONS = 60;
    /** Outcomes of one power loss that are looked at. */
    private static final int OUTCOMES = 4;

    private final FaultRates rates;
    private final Optional<PlantedFault> fault;

    ReplaceScenario(FaultRates rates, Optional<PlantedFault> fault) {
        this.rates = rates;
        this.fault = fault;
    }

    void run(SplittableRandom random, Trace trace) throws Exception {
        SimulatedDisk disk = new SimulatedDisk(512, 1L << 30);
        disk.makeFolders(FOLDER);
        List<byte[]> allowed = new ArrayList<>();
        byte[] first = content(random);
        disk.put(FOLDER + "/" + NAME, first);
        allowed.add(first);
        try (Simulation simulation =
                new Simulation(disk, random, trace, new Simulation.Size(2, 2 * PAGE, 8), rates, fault)) {
            // Half of the runs end well: what was told to be durable must survive a later loss, too.
            if (random.nextBoolean()) {
                simulation.driver().losePowerAt(1 + random.nextInt(MOST_OPERATIONS));
            }
            int rounds = 1 + random.nextInt(3);
            for (int i = 0; i < rounds; i++) {
                byte[] next = content(random);
                allowed.add(next);
                try {
                    AtomicFile.replace(simulation.engine(), Path.of(FOLDER, NAME), ByteBuffer.wrap(next));
                    allowed.clear();
                    allowed.add(next);
                } catch (IoFailure failure) {
                    trace.add("failed: " + failure.getMessage());
                    assertThat(rates.errors() > 0 || disk.isDead())
                            .as("an error without a cause: " + failure)
                            .isTrue();
                }
            }
        }
        if (rates.errors() == 0 && !disk.isDead()) {
            assertThat(disk.names(FOLDER)).containsExactly(NAME);
        }
        for (int i = 0; i < OUTCOMES; i++) {
            SimulatedDisk after = disk.afterPowerLoss(random.split());
            byte[] found = after.content(FOLDER + "/" + NAME).orElseThrow();
            assertThat(allowed.stream().anyMatch(one -> Arrays.equals(one, found)))
                    .as("one whole content after the power loss, and not other " + found.length + " bytes")
                    .isTrue();
            assertThat(after.names(FOLDER)).allMatch(name -> name.equals(NAME) || TemporaryFile.isTemporaryName(name));
        }
    }

    private static byte[] content(SplittableRandom random) {
        byte[] content = new byte[1 + random.nextInt(4 * PAGE)];
        random.nextBytes(content);
        return content;
    }
}
