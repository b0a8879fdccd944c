// SPDX-License-Identifier: Apache-2.0
package dev.millrace.layers.store;

import dev.millrace.testkit.sim.VirtualClock;
import dev.millrace.transfer.Timing;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

/** Time that passes only when a test says so, and no chance in it. What repeats does so when told, too. */
final class ManualTiming implements Timing {
    private final VirtualClock clock;
    private final List<Runnable> repeated = new CopyOnWriteArrayList<>();

    ManualTiming() {
        this(new VirtualClock());
    }

    /** Over a clock that a simulation moves. */
    ManualTiming(VirtualClock clock) {
        this.clock = clock;
    }

    @Override
    public long nanoTime() {
        return clock.nanoTime();
    }

    @Override
    public double random() {
        return 0.5;
    }

    @Override
    public Alarm after(Duration delay, Runnable action) {
        VirtualClock.Alarm alarm = clock.after(delay.toNanos(), action);
        return alarm::cancel;
    }

    @Override
    public Alarm every(Duration period, Runnable action) {
        repeated.add(action);
        return () -> repeated.remove(action);
    }

    @Override
    public void close() {
        // nothing runs by itself
    }

    /** Runs once what is to be run again and again. */
    void tick() {
        repeated.forEach(Runnable::run);
    }

    /** Runs what is due within so much time, and moves it on. */
    void pass(Duration time) {
        long end = clock.nanoTime() + time.toNanos();
        while (clock.nextTimer().orElse(Long.MAX_VALUE) <= end) {
            clock.runNextTimer();
        }
        clock.advanceTo(end);
    }
}
