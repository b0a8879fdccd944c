// SPDX-License-Identifier: Apache-2.0
package dev.millrace.testkit.sim;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millrace.io.engine.EngineLoop;
import dev.millrace.io.engine.Errno;
import dev.millrace.io.engine.OpCode;
import dev.millrace.io.engine.Operation;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Each operation has one outcome: more of them than slots, cancelled at any time and often, submitted anew, closed on. */
class EngineSimulationTest {
    private static final int SEEDS = 1000;
    private static final int MANY_SEEDS = 10_000;
    private static final int MOST_OPERATIONS = 60;
    private static final long HOUR = 3_600_000_000_000L;
    private static final FaultRates INTERRUPTED = new FaultRates(0, 0, 150, 200);

    @Test
    void givesEachOperationOneOutcomeWhoeverCancelsWhatAndWhen() {
        Seeds.run(SEEDS, EngineSimulationTest::cancels);
    }

    @Test
    @Tag("slow")
    void givesEachOperationOneOutcomeForManySeeds() {
        Seeds.run(MANY_SEEDS, EngineSimulationTest::cancels);
    }

    private static final class Counted extends Operation {
        private final EngineLoop loop;
        private final int again;
        private int submitted;
        private int outcomes;
        private int last;
        private boolean asked;

        /** @param again how often the handler submits it anew */
        Counted(EngineLoop loop, int code, int again) {
            this.loop = loop;
            this.again = again;
            this.code = code;
            this.offset = HOUR;
        }

        void submit() {
            submitted++;
            loop.submit(this);
        }

        @Override
        protected void completed(int result) {
            outcomes++;
            last = result;
            if (outcomes <= again && !isCancelRequested() && !loop.isClosing()) {
                submit();
            }
        }
    }

    static void cancels(SplittableRandom random, Trace trace) {
        SimulatedDisk disk = new SimulatedDisk(512, 1L << 20);
        List<Counted> all = new ArrayList<>();
        boolean closedEarly = random.nextInt(3) == 0;
        Simulation.Size size = new Simulation.Size(1, 4096, 8);
        try (Simulation simulation = new Simulation(disk, random, trace, size, INTERRUPTED, Optional.empty())) {
            EngineLoop loop = simulation.engine().loop();
            int count = 1 + random.nextInt(MOST_OPERATIONS);
            for (int i = 0; i < count; i++) {
                int code = random.nextInt(5) == 0 ? OpCode.TIMEOUT : OpCode.NOP;
                Counted operation = new Counted(loop, code, code == OpCode.NOP ? random.nextInt(3) : 0);
                all.add(operation);
                if (random.nextInt(10) == 0) {
                    // Before it was submitted there is nothing to stop; one that is still on its way would stop it.
                    simulation.driver().together(() -> loop.cancel(operation));
                }
                simulation.driver().together(() -> {
                    operation.submit();
                    while (random.nextInt(3) == 0) {
                        Counted target = all.get(random.nextInt(all.size()));
                        target.asked = true;
                        loop.cancel(target);
                    }
                });
                while (random.nextInt(3) == 0) {
                    simulation.step();
                }
            }
            if (closedEarly) {
                simulation.engine().close();
            } else {
                simulation.settle();
            }
        }
        for (Counted operation : all) {
            assertThat(operation.isPending()).isFalse();
            assertThat(operation.outcomes).as("outcomes").isEqualTo(operation.submitted);
            int usual = operation.code == OpCode.NOP ? 0 : -Errno.ETIME;
            boolean mayBeCancelled = operation.asked || closedEarly;
            assertThat(operation.last).isIn(usual, mayBeCancelled ? -Errno.ECANCELED : usual);
        }
    }
}
