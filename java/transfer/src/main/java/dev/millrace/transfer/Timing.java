// SPDX-License-Identifier: Apache-2.0
package dev.millrace.transfer;

import java.time.Duration;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;

/** Time and chance, in one place so that tests and simulations can put others there. Thread-safe. */
public interface Timing {
    /** As {@link System#nanoTime}. */
    long nanoTime();

    /** Evenly from 0 to 1, without 1. */
    double random();

    /** Runs something once after a delay, on one thread shared by all: it must not block. */
    Alarm after(Duration delay, Runnable action);

    /** Runs something again and again, so long after its last run has ended. It must not block. */
    Alarm every(Duration period, Runnable action);

    /** Nothing is run any more. */
    void close();

    /** Something that is to be run. */
    interface Alarm {
        /** False where it has run, or runs now. */
        boolean cancel();
    }

    /** The machine's clock, on one daemon thread. */
    static Timing real(String threadName) {
        ScheduledThreadPoolExecutor timer = new ScheduledThreadPoolExecutor(1, runnable -> {
            Thread thread = new Thread(runnable, threadName);
            thread.setDaemon(true);
            return thread;
        });
        timer.setRemoveOnCancelPolicy(true);
        timer.setExecuteExistingDelayedTasksAfterShutdownPolicy(false);
        return new Timing() {
            @Override
            public long nanoTime() {
                return System.nanoTime();
            }

            @Override
            public double random() {
                return ThreadLocalRandom.current().nextDouble();
            }

            @Override
            public Alarm after(Duration delay, Runnable action) {
                AtomicBoolean settled = new AtomicBoolean();
                var task = timer.schedule(
                        () -> {
                            if (settled.compareAndSet(false, true)) {
                                action.run();
                            }
                        },
                        delay.toNanos(),
                        TimeUnit.NANOSECONDS);
                return () -> {
                    boolean first = settled.compareAndSet(false, true);
                    task.cancel(false);
                    return first;
                };
            }

            @Override
            public Alarm every(Duration period, Runnable action) {
                var task =
                        timer.scheduleWithFixedDelay(action, period.toNanos(), period.toNanos(), TimeUnit.NANOSECONDS);
                return () -> task.cancel(false);
            }

            @Override
            public void close() {
                timer.shutdownNow();
            }
        };
    }
}
