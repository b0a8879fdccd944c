// SPDX-License-Identifier: Apache-2.0
package dev.millrace.io;

import dev.millrace.io.engine.Driver;
import dev.millrace.io.engine.Errno;
import dev.millrace.io.engine.OpCode;
import dev.millrace.io.engine.Operation;
import dev.millrace.io.engine.Syscalls;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.LockSupport;

/**
 * A driver that does nothing, fast: what is staged in one turn is complete in the next, unless a cancel meets it in
 * between; and with nothing to do it sleeps until it is woken, as the kernel does.
 */
final class StressDriver implements Driver {
    private static final int STATS = 16;

    private final int slots;
    private final List<Long> staged = new ArrayList<>();
    private final List<Long> ripe = new ArrayList<>();
    private final List<long[]> answers = new ArrayList<>();
    private final List<long[]> reaped = new ArrayList<>();
    private final Thread thread = Thread.currentThread();
    private volatile boolean rung;

    /** On the engine thread. */
    StressDriver(int slots) {
        this.slots = slots;
    }

    @Override
    public String kind() {
        return "stress";
    }

    @Override
    public String binding() {
        return "none";
    }

    @Override
    public int slots() {
        return slots;
    }

    @Override
    public void stage(Operation operation, int slot, long token) {
        if (operation.code == OpCode.CANCEL) {
            boolean found = ripe.remove((Long) operation.extra) || staged.remove((Long) operation.extra);
            if (found) {
                answers.add(new long[] {operation.extra, -Errno.ECANCELED});
            }
            answers.add(new long[] {token, found ? 0 : -Errno.EALREADY});
        } else {
            staged.add(token);
        }
    }

    @Override
    public int turn(long timeoutNanos) {
        while (timeoutNanos < 0 && !rung && staged.isEmpty() && ripe.isEmpty() && answers.isEmpty()) {
            LockSupport.park(this);
        }
        rung = false;
        ripe.forEach(token -> answers.add(new long[] {token, 0}));
        ripe.clear();
        ripe.addAll(staged);
        staged.clear();
        reaped.clear();
        reaped.addAll(answers);
        answers.clear();
        return reaped.size();
    }

    @Override
    public long token(int index) {
        return reaped.get(index)[0];
    }

    @Override
    public int result(int index) {
        return (int) reaped.get(index)[1];
    }

    @Override
    public void collect(Operation operation, int slot) {
        // Nothing is produced.
    }

    @Override
    public void wake() {
        rung = true;
        LockSupport.unpark(thread);
    }

    @Override
    public void destroy() {
        // There is nothing to free.
    }

    @Override
    public Syscalls syscalls() {
        throw new UnsupportedOperationException("there are no files");
    }

    @Override
    public long[] stats() {
        return new long[STATS];
    }
}
