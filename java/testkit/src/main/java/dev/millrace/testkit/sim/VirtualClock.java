// SPDX-License-Identifier: Apache-2.0
package dev.millrace.testkit.sim;

import java.util.Comparator;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.PriorityQueue;
import java.util.concurrent.atomic.AtomicBoolean;

/** Time that passes only when it is moved: who waits for something is there at once. Thread-safe. */
public final class VirtualClock {
    private record Timer(long due, long number, Runnable action, AtomicBoolean settled) {}

    private final PriorityQueue<Timer> timers =
            new PriorityQueue<>(Comparator.comparingLong(Timer::due).thenComparingLong(Timer::number));
    private long now = 1;
    private long number;

    /** Something that is to be run. */
    public interface Alarm {
        /** False where it has run, or runs now. */
        boolean cancel();
    }

    /** Nanoseconds since the beginning. */
    public synchronized long nanoTime() {
        return now;
    }

    /** Moves time forward; never back. */
    public synchronized void advanceTo(long nanos) {
        now = Math.max(now, nanos);
    }

    /** Runs something when so much time has passed. */
    public synchronized Alarm after(long nanos, Runnable action) {
        Timer timer = new Timer(now + Math.max(0, nanos), number++, action, new AtomicBoolean());
        timers.add(timer);
        return () -> timer.settled().compareAndSet(false, true);
    }

    /** When the next timer goes off; empty where there is none. */
    public synchronized OptionalLong nextTimer() {
        while (!timers.isEmpty() && timers.peek().settled().get()) {
            timers.poll();
        }
        return timers.isEmpty()
                ? OptionalLong.empty()
                : OptionalLong.of(timers.peek().due());
    }

    /** Moves time to the next timer and runs it; false where there is none. */
    public boolean runNextTimer() {
        Optional<Timer> next = takeNext();
        if (next.isPresent() && next.get().settled().compareAndSet(false, true)) {
            next.get().action().run();
        }
        return next.isPresent();
    }

    private synchronized Optional<Timer> takeNext() {
        if (nextTimer().isEmpty()) {
            return Optional.empty();
        }
        Timer timer = timers.poll();
        now = Math.max(now, timer.due());
        return Optional.of(timer);
    }
}
