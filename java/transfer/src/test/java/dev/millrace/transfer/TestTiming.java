// SPDX-License-Identifier: Apache-2.0
package dev.millrace.transfer;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

/** The machine's clock, with sleeps cut to a fiftieth and remembered, and no chance in it. */
final class TestTiming implements Timing {
    private static final int FASTER = 50;

    private final Timing real = Timing.real("test-timer");
    private final List<Duration> sleeps = new CopyOnWriteArrayList<>();

    @Override
    public long nanoTime() {
        return real.nanoTime();
    }

    @Override
    public double random() {
        return 0.999;
    }

    @Override
    public Alarm after(Duration delay, Runnable action) {
        sleeps.add(delay);
        return real.after(delay.dividedBy(FASTER), action);
    }

    @Override
    public Alarm every(Duration period, Runnable action) {
        return real.every(period, action);
    }

    @Override
    public void close() {
        real.close();
    }

    List<Duration> sleeps() {
        return List.copyOf(sleeps);
    }
}
