// SPDX-License-Identifier: Apache-2.0
package dev.millrace.testkit.sim;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.millrace.io.IoFailure;
import dev.millrace.io.OpenOptions;
import dev.millrace.io.OwnedBuffer;
import dev.millrace.io.VirtualFile;
import dev.millrace.io.engine.Errno;
import dev.millrace.io.engine.OpCode;
import dev.millrace.io.engine.Operation;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/** The simulation itself: one seed, one run; what is left behind is told; time passes without waiting. */
class SimulationTest {
    private static final int RUNS = 50;
    private static final Simulation.Size SMALL = new Simulation.Size(2, 4096, 8);

    private static Simulation simulation() {
        SimulatedDisk disk = new SimulatedDisk(512, 1L << 30);
        disk.makeFolders("/d");
        return new Simulation(disk, new SplittableRandom(1), new Trace(), SMALL, FaultRates.NONE, Optional.empty());
    }

    @Test
    void doesTheSameForTheSameSeed() throws Exception {
        CopyScenario copies = new CopyScenario(FaultRates.ERRORS, Optional.empty());
        FileScenario files = new FileScenario(FaultRates.ERRORS, Optional.empty());
        for (Seeds.Scenario scenario : List.<Seeds.Scenario>of(
                copies::run, files::run, PoolSimulationTest::churn, EngineSimulationTest::cancels)) {
            for (long seed = 0; seed < RUNS; seed++) {
                Trace first = new Trace();
                Trace second = new Trace();
                scenario.run(new SplittableRandom(seed), first);
                scenario.run(new SplittableRandom(seed), second);
                assertThat(second).hasToString(first.toString());
            }
        }
    }

    @Test
    void tellsWhatWasLeftBehind() throws IoFailure {
        Simulation simulation = simulation();
        OwnedBuffer buffer = simulation.engine().buffers().acquire();
        VirtualFile file = VirtualFile.open(simulation.engine(), Path.of("/d/file"), OpenOptions.creating());
        assertThatThrownBy(simulation::close)
                .isInstanceOf(AssertionError.class)
                .hasMessageContaining("buffers in the pool: 1 instead of 2")
                .hasMessageContaining("descriptors open: 1 instead of 0");
        file.close();
        buffer.close();
    }

    @Test
    void waitsForNothing() {
        int[] outcome = new int[1];
        try (Simulation simulation = simulation()) {
            long hour = 3_600_000_000_000L;
            long before = simulation.clock().nanoTime();
            Operation timeout = new Operation() {
                @Override
                protected void completed(int result) {
                    outcome[0] = result;
                }
            };
            timeout.code = OpCode.TIMEOUT;
            timeout.offset = hour;
            simulation.engine().loop().submit(timeout);
            simulation.runUntil("the end of an hour", () -> !timeout.isPending());
            assertThat(simulation.clock().nanoTime() - before).isEqualTo(hour);
        }
        assertThat(outcome[0]).isEqualTo(-Errno.ETIME);
    }

    @Test
    void failsEverythingAfterAPowerLossAndStillClosesDescriptors() throws IoFailure {
        try (Simulation simulation = simulation()) {
            VirtualFile file = VirtualFile.open(simulation.engine(), Path.of("/d/file"), OpenOptions.creating());
            simulation.driver().losePower();
            assertThatThrownBy(file::sync).isInstanceOf(IoFailure.class);
            assertThatThrownBy(() -> simulation.engine().rename(Path.of("/d/file"), Path.of("/d/b"), false))
                    .isInstanceOf(IoFailure.class);
            file.close();
        }
    }
}
