// SPDX-License-Identifier: Apache-2.0
package dev.millrace.io;

import dev.millrace.io.engine.OpCode;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.Expect;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.III_Result;

/**
 * An operation begins while the engine is switched: it runs on one of the two, never on one that is closed, and the one
 * before ends.
 */
@JCStressTest
@Outcome(id = "1, 0, 0", expect = Expect.ACCEPTABLE, desc = "It was done once, and the lane before is gone.")
@Outcome(expect = Expect.FORBIDDEN, desc = "It was refused or done twice, or the lane before stayed.")
@State
public class LoopSwitchStress {
    private static final long LOST_NANOS = TimeUnit.SECONDS.toNanos(10);

    private final Handed operation = new Handed();
    private Optional<Lanes> lanes = Optional.empty();

    private static final class Handed extends LaneOperation {
        private final AtomicInteger outcomes = new AtomicInteger();
        private volatile int last;

        Handed() {
            reset(OpCode.NOP);
        }

        @Override
        void finished(int result) {
            last = result;
            outcomes.incrementAndGet();
        }
    }

    /** Started by whoever comes first: states are also made that nobody plays with. */
    private synchronized Lanes lanes() {
        lanes = lanes.or(() -> Optional.of(
                new Lanes(Pools.memory(() -> {}), lane(EngineKind.IO_URING), 1, (kind, besideOthers) -> lane(kind))));
        return lanes.get();
    }

    private static Lanes.Started lane(EngineKind kind) {
        return new Lanes.Started(kind, List.of(new Lane(kind, Loops.start("stress-lane", 8))), List.of());
    }

    /** Begins. */
    @Actor
    public void submitter() {
        operation.submitTo(lanes().seat(0));
    }

    /** Switches. */
    @Actor
    public void switcher() {
        try {
            lanes().switchTo(EngineKind.EPOLL);
        } catch (EngineUnavailableException e) {
            throw new AssertionError(e);
        }
    }

    /** Counts. */
    @Arbiter
    public void end(III_Result result) {
        long begin = System.nanoTime();
        while ((operation.outcomes.get() == 0 || lanes().snapshot().size() > 1)
                && System.nanoTime() - begin < LOST_NANOS) {
            Thread.onSpinWait();
        }
        result.r1 = operation.outcomes.get();
        result.r2 = operation.last;
        result.r3 = lanes().snapshot().size() - 1;
        lanes().close();
    }
}
