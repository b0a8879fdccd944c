// SPDX-License-Identifier: Apache-2.0
package dev.millrace.io.engine;

import dev.millrace.io.engine.Syscalls.StatResult;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Function;

/**
 * A driver whose outcomes a test decides. The script answers an operation when it is staged, or leaves it in flight until
 * the test completes it, in any order, with any result, as often as it likes. Below lie real files, so that a script can
 * carry out a part of a write and answer a short count.
 */
public final class ScriptedDriver implements Driver {
    /** An operation in flight. */
    public record Flight(Operation operation, int slot, long token) {
        public int code() {
            return operation.code;
        }
    }

    private record Answer(long token, int result) {}

    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();
    private final ArrayDeque<Answer> answers = new ArrayDeque<>();
    private final Map<Long, Flight> inFlight = new ConcurrentHashMap<>();
    private final List<Answer> reaped = new ArrayList<>();
    private final List<Integer> stagedPerTurn = new ArrayList<>();
    private final AtomicInteger turns = new AtomicInteger();
    private final AtomicInteger callsAfterDestroy = new AtomicInteger();
    private final AtomicInteger mostInFlight = new AtomicInteger();
    private final CountDownLatch destroyed = new CountDownLatch(1);
    private final JavaSyscalls files;
    private final int slots;
    private volatile Function<Flight, OptionalInt> script;
    private volatile Syscalls syscalls;
    private volatile Function<PoolMemory, Registration> registrations = memory -> Registration.NONE;
    private final AtomicInteger unregistered = new AtomicInteger();
    private volatile boolean cancelsWork = true;
    private volatile int turnError;
    private volatile long overflows;
    private volatile Optional<RuntimeException> atDestroy = Optional.empty();
    private volatile boolean heldByItsThread;
    private volatile Optional<Thread> heldBy = Optional.empty();
    private boolean rung;
    private int stagedNow;

    /** Leaves everything in flight. */
    public ScriptedDriver(int slots) {
        this(slots, flight -> OptionalInt.empty());
    }

    /** Answers by a script, on the engine thread; empty leaves the operation in flight. */
    public ScriptedDriver(int slots, Function<Flight, OptionalInt> script) {
        this(slots, script, new JavaSyscalls());
    }

    /** The same over files that other drivers share. */
    public ScriptedDriver(int slots, Function<Flight, OptionalInt> script, JavaSyscalls files) {
        this.slots = slots;
        this.script = script;
        this.files = files;
        this.syscalls = files;
    }

    // ------------------------------------------------------------------ the test's side

    public void script(Function<Flight, OptionalInt> next) {
        script = next;
    }

    public void syscalls(Syscalls other) {
        syscalls = other;
    }

    /** From now on cancelling is answered -EALREADY and stops nothing. */
    public void refuseCancels() {
        cancelsWork = false;
    }

    /** Each turn from now on fails. */
    public void breakTurns(int errno) {
        turnError = errno;
        wake();
    }

    /** What the counters say from now on. */
    public void overflowed(long count) {
        overflows = count;
    }

    public void failDestroy(RuntimeException problem) {
        atDestroy = Optional.of(problem);
    }

    /** The thread that turns it cannot free it; another can. */
    public void holdByItsThread() {
        heldByItsThread = true;
    }

    /** Completes one operation. */
    public void complete(Flight flight, int result) {
        completeToken(flight.token(), result);
    }

    /** Completes any token, also one that is not in flight. */
    public void completeToken(long token, int result) {
        lock.lock();
        try {
            inFlight.remove(token);
            answers.add(new Answer(token, result));
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    /** Waits until so many operations (cancels not counted) are in flight, and returns them, oldest first. */
    public List<Flight> awaitInFlight(int count) throws InterruptedException {
        lock.lock();
        try {
            long left = TimeUnit.SECONDS.toNanos(20);
            while (inFlight.size() < count) {
                if (left <= 0) {
                    throw new AssertionError(inFlight.size() + " operations in flight instead of " + count);
                }
                left = changed.awaitNanos(left);
            }
            return inFlight.values().stream()
                    .sorted((a, b) -> Long.compare(a.token() >>> 16, b.token() >>> 16))
                    .toList();
        } finally {
            lock.unlock();
        }
    }

    public int inFlight() {
        return inFlight.size();
    }

    public int turns() {
        return turns.get();
    }

    public int mostInFlight() {
        return mostInFlight.get();
    }

    public int callsAfterDestroy() {
        return callsAfterDestroy.get();
    }

    public boolean isDestroyed() {
        return destroyed.getCount() == 0;
    }

    /** Operations handed in by each turn so far. */
    public List<Integer> stagedPerTurn() {
        lock.lock();
        try {
            return List.copyOf(stagedPerTurn);
        } finally {
            lock.unlock();
        }
    }

    /** Answers registrations, which know no buffer before. */
    public void registrations(Function<PoolMemory, Registration> answers) {
        registrations = answers;
    }

    /** How often what was registered was let go. */
    public int unregistered() {
        return unregistered.get();
    }

    /** Carries an operation out on real files. */
    public int perform(Operation op) {
        return perform(op, op.length);
    }

    /** The same, with at most {@code length} bytes of a read or write. */
    public int perform(Operation op, int length) {
        return switch (op.code) {
            case OpCode.NOP, OpCode.FALLOCATE -> 0;
            case OpCode.OPEN -> files.open(op.path, op.arg, op.arg2);
            case OpCode.CLOSE -> files.close(op.fd);
            case OpCode.READ -> (int) files.pread(op.fd, op.address, op.memory, op.memoryAt, length, op.offset);
            case OpCode.WRITE -> (int) files.pwrite(op.fd, op.address, op.memory, op.memoryAt, length, op.offset);
            case OpCode.FSYNC -> files.fsync(op.fd);
            case OpCode.FDATASYNC -> files.fdatasync(op.fd);
            case OpCode.FTRUNCATE -> files.truncate(op.fd, op.offset);
            case OpCode.STATX -> {
                StatResult result = op.path.isEmpty() ? files.stat(op.fd) : files.stat(op.path);
                op.stat = result.stat();
                yield result.error();
            }
            default -> -Errno.EOPNOTSUPP;
        };
    }

    // ------------------------------------------------------------------ the engine's side

    @Override
    public String kind() {
        return "scripted";
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
        Flight flight = new Flight(operation, slot, token);
        lock.lock();
        try {
            stagedNow++;
            if (operation.code == OpCode.CANCEL) {
                Flight target = cancelsWork ? inFlight.remove(operation.extra) : null;
                if (target != null) {
                    answers.add(new Answer(target.token(), -Errno.ECANCELED));
                }
                answers.add(new Answer(token, target == null ? -Errno.EALREADY : 0));
                return;
            }
            mostInFlight.accumulateAndGet(inFlight.size() + 1, Math::max);
        } finally {
            lock.unlock();
        }
        OptionalInt result = script.apply(flight);
        lock.lock();
        try {
            // In flight only if the script leaves it there: a test that waits must not see one about to be answered.
            if (result.isPresent()) {
                answers.add(new Answer(token, result.getAsInt()));
            } else {
                inFlight.put(token, flight);
            }
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    @Override
    public int turn(long timeoutNanos) {
        turns.incrementAndGet();
        lock.lock();
        try {
            stagedPerTurn.add(stagedNow);
            stagedNow = 0;
            long left = timeoutNanos < 0 ? Long.MAX_VALUE : timeoutNanos;
            while (answers.isEmpty() && !rung && left > 0) {
                left = changed.awaitNanos(left);
            }
            rung = false;
            if (turnError != 0) {
                return -turnError;
            }
            reaped.clear();
            reaped.addAll(answers);
            answers.clear();
            return reaped.size();
        } catch (InterruptedException e) {
            reaped.clear();
            return 0;
        } finally {
            lock.unlock();
        }
    }

    @Override
    public long token(int index) {
        return reaped.get(index).token();
    }

    @Override
    public int result(int index) {
        return reaped.get(index).result();
    }

    @Override
    public void collect(Operation operation, int slot) {}

    @Override
    public void wake() {
        countLate();
        lock.lock();
        try {
            rung = true;
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    private void countLate() {
        if (isDestroyed()) {
            callsAfterDestroy.incrementAndGet();
        }
    }

    @Override
    public boolean endsWithItsThread() {
        return heldBy.isPresent();
    }

    @Override
    public void destroy() {
        countLate();
        if (heldByItsThread
                && heldBy.filter(thread -> thread != Thread.currentThread()).isEmpty()) {
            heldBy = Optional.of(Thread.currentThread());
            throw new IllegalStateException("held by its thread");
        }
        destroyed.countDown();
        atDestroy.ifPresent(problem -> {
            throw problem;
        });
    }

    @Override
    public Syscalls syscalls() {
        return syscalls;
    }

    @Override
    public Registration register(PoolMemory memory) {
        countLate();
        return registrations.apply(memory);
    }

    @Override
    public void unregister() {
        countLate();
        unregistered.incrementAndGet();
    }

    @Override
    public long[] stats() {
        countLate();
        long[] values = new long[16];
        values[EngineCounters.TURNS] = turns.get();
        values[EngineCounters.OVERFLOWS] = overflows;
        return values;
    }

    @Override
    public void sampleKernelWorkers() {
        countLate();
    }

    /** Files opened through {@link #files} and not closed. */
    public int openFiles() {
        return files.openFiles();
    }
}
