// SPDX-License-Identifier: Apache-2.0
package dev.millrace.transfer;

import dev.millrace.testkit.sim.VirtualClock;
import java.time.Duration;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicBoolean;

/** Time and chance of a simulation: minutes of retries take no time, and the same in each run of a seed. */
final class SimulatedTiming implements Timing {
    private final VirtualClock clock;
    private final SplittableRandom random;
    private final AtomicBoolean closed = new AtomicBoolean();

    SimulatedTiming(VirtualClock clock, SplittableRandom random) {
        this.clock = clock;
        this.random = random;
    }

    @Override
    public long nanoTime() {
        return clock.nanoTime();
    }

    @Override
    public double random() {
        return random.nextDouble();
    }

    @Override
    public Alarm after(Duration delay, Runnable action) {
        VirtualClock.Alarm alarm = clock.after(delay.toNanos(), () -> {
            if (!closed.get()) {
                action.run();
            }
        });
        return alarm::cancel;
    }

    @Override
    public Alarm every(Duration period, Runnable action) {
        AtomicBoolean cancelled = new AtomicBoolean();
        again(period, action, cancelled);
        return () -> !cancelled.getAndSet(true);
    }

    private void again(Duration period, Runnable action, AtomicBoolean cancelled) {
        clock.after(period.toNanos(), () -> {
            if (!cancelled.get() && !closed.get()) {
                action.run();
                again(period, action, cancelled);
            }
        });
    }

    @Override
    public void close() {
        closed.set(true);
    }
}
