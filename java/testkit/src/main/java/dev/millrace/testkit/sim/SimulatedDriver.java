// SPDX-License-Identifier: Apache-2.0
package dev.millrace.testkit.sim;

import dev.millrace.io.engine.Driver;
import dev.millrace.io.engine.Errno;
import dev.millrace.io.engine.FileStat;
import dev.millrace.io.engine.OpCode;
import dev.millrace.io.engine.Operation;
import dev.millrace.io.engine.Syscalls;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.PriorityQueue;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.zip.CRC32;

/**
 * A driver over a {@link SimulatedDisk} whose every choice comes from a seed: when each operation ends, in which order,
 * how much of it was done, with which errno, who wins when it is cancelled, and where the power goes.
 *
 * <p><b>Lockstep.</b> Completions come only when the test asks for one ({@link #step}) and while every other thread of
 * the scenario waits; so one seed gives one run. An operation takes its effect when it completes, on the stepping thread.
 * While the engine closes, which the scenario's thread waits for, the engine thread steps by itself.
 *
 * <p>It also watches what no outcome shows: memory that changes while an operation owns it, memory that two operations
 * own, descriptors that are used when they are closed. These are {@link #violations}, and a correct program has none.
 */
public final class SimulatedDriver implements Driver {
    private static final int STATS = 16;
    private static final long STUCK_SECONDS = 20;
    private static final long USUAL_NANOS = 1_000_000;
    private static final int MOST_IN_A_TURN = 3;
    private static final int OTHERS_GET_ON = 300;

    /** What may come from any operation. Of EINTR and ECANCELED see {@link FaultRates#interruptions}. */
    private static final int[] ERRNOS = {
        Errno.EPERM,
        Errno.ENOENT,
        Errno.EIO,
        Errno.EBADF,
        Errno.EAGAIN,
        Errno.ENOMEM,
        Errno.EACCES,
        Errno.EBUSY,
        Errno.EEXIST,
        Errno.ENOTDIR,
        Errno.EISDIR,
        Errno.EINVAL,
        Errno.ENFILE,
        Errno.EMFILE,
        Errno.EFBIG,
        Errno.ENOSPC,
        Errno.EROFS,
        Errno.ENAMETOOLONG,
        Errno.ENOSYS,
        Errno.ENOTEMPTY,
        Errno.ELOOP,
        Errno.EOPNOTSUPP,
        Errno.EDQUOT
    };

    private record Flight(Operation operation, long token, long number, long due, long sum) {}

    private record Answer(long token, int result, Optional<FileStat> stat) {}

    /** A file's or folder's stat beside the number that a call answers. */
    record Outcome(int result, Optional<FileStat> stat) {
        static Outcome of(int result) {
            return new Outcome(result, Optional.empty());
        }
    }

    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();
    private final PriorityQueue<Flight> inFlight =
            new PriorityQueue<>(Comparator.comparingLong(Flight::due).thenComparingLong(Flight::number));
    private final List<Answer> ready = new ArrayList<>();
    private final List<Answer> reaped = new ArrayList<>();
    private final Map<Long, FileStat> stats = new HashMap<>();
    private final Set<Operation> cancelledOnce = new HashSet<>();
    private final List<String> violations = new ArrayList<>();
    private final SimulatedDisk disk;
    private final VirtualClock clock;
    private final Trace trace;
    private final SplittableRandom random;
    /** Apart, since the engine thread draws from it while a test's thread may draw from the other. */
    private final SplittableRandom staging;

    private final int slots;
    private final Syscalls syscalls = new SimulatedSyscalls(this);
    private final PlannedFailures planned = new PlannedFailures();
    private FaultRates rates;
    private Optional<Thread> thread = Optional.empty();
    private boolean idle;
    private boolean rung;
    private boolean held;
    private boolean destroyed;
    private long number;
    private long performed;
    private long powerLossAt = Long.MAX_VALUE;
    private long submitted;
    private long completed;
    private long turns;
    private long bytesRead;
    private long bytesWritten;

    /** A driver with so many slots, whose choices come from the random numbers. */
    public SimulatedDriver(
            SimulatedDisk disk, VirtualClock clock, Trace trace, SplittableRandom random, FaultRates rates, int slots) {
        this.disk = disk;
        this.clock = clock;
        this.trace = trace;
        this.random = random;
        this.staging = random.split();
        this.rates = rates;
        this.slots = slots;
    }

    // ------------------------------------------------------------------ the test's side

    /** From now on other faults. */
    public void rates(FaultRates next) {
        lock.lock();
        try {
            rates = next;
        } finally {
            lock.unlock();
        }
    }

    /** Single operations that are to fail. */
    public PlannedFailures planned() {
        return planned;
    }

    /** The power goes just before this many operations more have been carried out; 1 is the next one. */
    public void losePowerAt(long operations) {
        lock.lock();
        try {
            powerLossAt = performed + operations;
        } finally {
            lock.unlock();
        }
    }

    /** The power goes now. */
    public void losePower() {
        lock.lock();
        try {
            cutPower();
        } finally {
            lock.unlock();
        }
    }

    /** Operations carried out, blocking calls too. */
    public long performed() {
        lock.lock();
        try {
            return performed;
        } finally {
            lock.unlock();
        }
    }

    /** Operations in flight. */
    public int inFlight() {
        lock.lock();
        try {
            return inFlight.size();
        } finally {
            lock.unlock();
        }
    }

    /** What a correct program never does; see the class. */
    public List<String> violations() {
        lock.lock();
        try {
            return List.copyOf(violations);
        } finally {
            lock.unlock();
        }
    }

    /** True once the engine has freed it. */
    public boolean isDestroyed() {
        lock.lock();
        try {
            return destroyed;
        } finally {
            lock.unlock();
        }
    }

    /** The engine's thread, once it has turned. */
    public Optional<Thread> thread() {
        lock.lock();
        try {
            return thread;
        } finally {
            lock.unlock();
        }
    }

    /** When the next operation is due; empty where none is in flight. Waits until the engine has nothing else to do. */
    public OptionalLong nextDue() {
        lock.lock();
        try {
            awaitIdle();
            return inFlight.isEmpty()
                    ? OptionalLong.empty()
                    : OptionalLong.of(inFlight.peek().due());
        } finally {
            lock.unlock();
        }
    }

    /** Completes what is due next and waits until the engine has dealt with it; false where nothing was in flight. */
    public boolean step() {
        lock.lock();
        try {
            awaitIdle();
            if (destroyed || inFlight.isEmpty()) {
                return false;
            }
            completeNext();
            changed.signalAll();
            awaitIdle();
            return true;
        } finally {
            lock.unlock();
        }
    }

    /**
     * Hands operations and cancels in at one moment, as far as the engine thread can tell: it sees all of them or none.
     * Without it chance would decide whether a cancel meets its target in line or in flight. The body must not make a
     * blocking call.
     */
    public void together(Runnable body) {
        lock.lock();
        try {
            awaitIdle();
            held = !destroyed;
        } finally {
            lock.unlock();
        }
        try {
            body.run();
        } finally {
            lock.lock();
            try {
                held = false;
                changed.signalAll();
                awaitIdle();
            } finally {
                lock.unlock();
            }
        }
    }

    /** Waits until the engine thread has done all it can and waits for a completion. */
    private void awaitIdle() {
        long left = TimeUnit.SECONDS.toNanos(STUCK_SECONDS);
        boolean interrupted = false;
        while (!destroyed && !(idle && !rung && ready.isEmpty())) {
            if (left <= 0) {
                throw new AssertionError("the engine thread does not come back to its driver");
            }
            try {
                left = changed.awaitNanos(left);
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    // ------------------------------------------------------------------ choices

    private boolean happens(int perMille) {
        return random.nextInt(1000) < perMille;
    }

    private void completeNext() {
        int count = 1 + random.nextInt(MOST_IN_A_TURN);
        for (int i = 0; i < count && !inFlight.isEmpty(); i++) {
            Flight flight = inFlight.poll();
            clock.advanceTo(flight.due());
            if (flight.operation().code == OpCode.CANCEL) {
                cancel(flight);
            } else {
                complete(flight);
            }
        }
        if (random.nextBoolean()) {
            Collections.reverse(ready);
        }
    }

    private void complete(Flight flight) {
        Operation op = flight.operation();
        if (isTransfer(op) && flight.sum() != sum(op)) {
            violation("memory of " + describe(op) + " was touched while the operation owned it");
        }
        if (op.code == OpCode.TIMEOUT) {
            answer(flight, Outcome.of(-Errno.ETIME), "time is up");
        } else if (happens(rates.interruptions())) {
            // One that is cancelled a second time is told so, and rightly fails.
            boolean cancelled = random.nextBoolean() && cancelledOnce.add(op);
            answer(flight, Outcome.of(cancelled ? -Errno.ECANCELED : -Errno.EINTR), "interrupted");
        } else {
            cancelledOnce.remove(op);
            answer(flight, perform(op), "");
        }
    }

    /** A cancel finds its target or comes too late; and one that finds it may still be slower than the target. */
    private void cancel(Flight cancel) {
        Optional<Flight> target = inFlight.stream()
                .filter(flight -> flight.token() == cancel.operation().extra)
                .findFirst();
        int luck = random.nextInt(4);
        if (target.isEmpty()) {
            answer(cancel, Outcome.of(-Errno.ENOENT), "came too late");
        } else if (luck == 0) {
            answer(cancel, Outcome.of(-Errno.EALREADY), "cannot be stopped");
        } else {
            inFlight.remove(target.get());
            if (luck == 1) {
                complete(target.get());
            } else {
                answer(target.get(), Outcome.of(-Errno.ECANCELED), "cancelled");
            }
            answer(cancel, Outcome.of(0), "found its target");
        }
    }

    private void answer(Flight flight, Outcome outcome, String why) {
        Operation op = flight.operation();
        completed++;
        ready.add(new Answer(flight.token(), outcome.result(), outcome.stat()));
        if (!why.isEmpty()) {
            log(op, outcome.result(), why);
        }
    }

    /** Carries an operation out as the seed says. Any thread; the lock is held. */
    private Outcome perform(Operation op) {
        performed++;
        if (performed >= powerLossAt && !disk.isDead()) {
            cutPower();
        }
        if (disk.isDead()) {
            return performDead(op);
        }
        if (needsDescriptor(op) && !disk.isOpen(op.fd)) {
            violation(describe(op) + " on a descriptor that is not open");
        }
        int errno = planned.next(op.code);
        if (errno == 0 && happens(rates.errors())) {
            errno = ERRNOS[random.nextInt(ERRNOS.length)];
        }
        if (errno != 0) {
            if (op.code == OpCode.CLOSE) {
                disk.close(op.fd); // as Linux does, whatever it says
            } else if (op.code == OpCode.FSYNC || op.code == OpCode.FDATASYNC) {
                disk.failSync(op.fd, random);
            }
            log(op, -errno, "injected");
            return Outcome.of(-errno);
        }
        int length = op.length;
        if (isTransfer(op) && length > 1 && happens(rates.shortResults())) {
            length = shorter(op);
        }
        Outcome outcome = carryOut(op, length);
        log(op, outcome.result(), length == op.length ? "" : "short");
        return outcome;
    }

    private Outcome performDead(Operation op) {
        if (op.code == OpCode.CLOSE) {
            return Outcome.of(disk.close(op.fd));
        }
        return Outcome.of(-Errno.EIO);
    }

    /** Of a direct read whole units, since one that stops elsewhere has met the end of the file. */
    private int shorter(Operation op) {
        if (!disk.isDirect(op.fd)) {
            return 1 + random.nextInt(op.length - 1);
        }
        int units = op.length / disk.directAlign();
        if (units < 2) {
            return op.length;
        }
        return (1 + random.nextInt(units - 1)) * disk.directAlign();
    }

    private Outcome carryOut(Operation op, int length) {
        return switch (op.code) {
            case OpCode.STATX -> {
                Optional<FileStat> stat = op.path.isEmpty() ? disk.stat(op.fd) : disk.stat(op.path);
                int missing = op.path.isEmpty() ? -Errno.EBADF : -Errno.ENOENT;
                yield new Outcome(stat.isPresent() ? 0 : missing, stat);
            }
            case OpCode.READ -> {
                int count = disk.read(op.fd, op.memory, op.memoryAt, length, op.offset);
                bytesRead += Math.max(0, count);
                yield Outcome.of(count);
            }
            case OpCode.WRITE -> {
                int count = disk.write(op.fd, op.memory, op.memoryAt, length, op.offset);
                bytesWritten += Math.max(0, count);
                yield Outcome.of(count);
            }
            case OpCode.NOP -> Outcome.of(0);
            case OpCode.OPEN -> Outcome.of(disk.open(op.path, op.arg, op.arg2));
            case OpCode.CLOSE -> Outcome.of(disk.close(op.fd));
            case OpCode.FSYNC, OpCode.FDATASYNC -> Outcome.of(disk.sync(op.fd));
            case OpCode.FALLOCATE -> Outcome.of(disk.allocate(op.fd, op.offset, op.extra));
            case OpCode.FTRUNCATE -> Outcome.of(disk.truncate(op.fd, op.offset));
            case OpCode.RENAME -> Outcome.of(disk.rename(op.path, op.path2, op.arg == OpCode.RENAME_NOREPLACE));
            case OpCode.UNLINK -> Outcome.of(disk.unlink(op.path, op.arg == OpCode.UNLINK_DIR));
            case OpCode.MKDIR -> Outcome.of(disk.mkdir(op.path, op.arg2));
            case SimulatedSyscalls.CHMOD -> Outcome.of(disk.chmod(op.fd, op.arg));
            case SimulatedSyscalls.LOCK -> Outcome.of(disk.tryLock(op.fd));
            default -> Outcome.of(-Errno.EOPNOTSUPP);
        };
    }

    /** What was in flight may have been done already, or a part of it. */
    private void cutPower() {
        if (disk.isDead()) {
            return;
        }
        trace.addPowerLoss();
        trace.add("POWER LOSS with " + inFlight.size() + " operations in flight");
        List<Flight> flights = new ArrayList<>(inFlight);
        flights.sort(Comparator.comparingLong(Flight::number));
        for (Flight flight : flights) {
            Operation op = flight.operation();
            // Not opens and closes: the program is still there, and counts its descriptors.
            boolean mayHappen = op.code != OpCode.OPEN && op.code != OpCode.CLOSE && op.code != OpCode.READ;
            if (mayHappen && random.nextBoolean()) {
                carryOut(op, op.code == OpCode.WRITE && op.length > 1 ? shorter(op) : op.length);
            }
        }
        disk.cutPower();
    }

    // ------------------------------------------------------------------ watching

    private static boolean isTransfer(Operation op) {
        return op.code == OpCode.READ || op.code == OpCode.WRITE;
    }

    private static boolean needsDescriptor(Operation op) {
        return switch (op.code) {
            case OpCode.READ, OpCode.WRITE, OpCode.FSYNC, OpCode.FDATASYNC, OpCode.FALLOCATE, OpCode.FTRUNCATE -> true;
            case OpCode.CLOSE, SimulatedSyscalls.CHMOD, SimulatedSyscalls.LOCK -> true;
            default -> false;
        };
    }

    private static long sum(Operation op) {
        if (!isTransfer(op)) {
            return 0;
        }
        CRC32 sum = new CRC32();
        sum.update(op.memory.slice(op.memoryAt, op.length));
        return sum.getValue();
    }

    private void violation(String what) {
        violations.add(what);
        trace.add("VIOLATION: " + what);
    }

    @SuppressWarnings("ReferenceEquality") // equal content is not the same memory
    private void watch(Flight flight) {
        Operation op = flight.operation();
        if (!isTransfer(op)) {
            return;
        }
        for (Flight other : inFlight) {
            Operation there = other.operation();
            boolean overlap = isTransfer(there)
                    && there.memory == op.memory
                    && there.memoryAt < op.memoryAt + op.length
                    && op.memoryAt < there.memoryAt + there.length
                    && (op.code == OpCode.READ || there.code == OpCode.READ);
            if (overlap) {
                violation("memory of " + describe(op) + " belongs to " + describe(there) + ", which is in flight");
            }
        }
    }

    private static String describe(Operation op) {
        return switch (op.code) {
            case OpCode.READ, OpCode.WRITE ->
                name(op.code) + " fd " + op.fd + " [" + op.offset + ", +" + op.length + "]";
            case OpCode.FTRUNCATE -> "ftruncate fd " + op.fd + " to " + op.offset;
            case OpCode.FALLOCATE -> "fallocate fd " + op.fd + " [" + op.offset + ", +" + op.extra + "]";
            case OpCode.RENAME -> "rename " + op.path + " to " + op.path2;
            default -> name(op.code) + " " + (op.path.isEmpty() ? "fd " + op.fd : op.path);
        };
    }

    private static String name(int code) {
        return switch (code) {
            case OpCode.NOP -> "nop";
            case OpCode.OPEN -> "open";
            case OpCode.CLOSE -> "close";
            case OpCode.READ -> "read";
            case OpCode.WRITE -> "write";
            case OpCode.FSYNC -> "fsync";
            case OpCode.STATX -> "stat";
            case OpCode.UNLINK -> "unlink";
            case OpCode.MKDIR -> "mkdir";
            case OpCode.CANCEL -> "cancel";
            case SimulatedSyscalls.CHMOD -> "chmod";
            case SimulatedSyscalls.LOCK -> "lock";
            default -> "operation " + code;
        };
    }

    private void log(Operation op, int result, String why) {
        if (!why.isEmpty()) {
            trace.addFault();
        }
        trace.add("#" + performed + " " + describe(op) + ": " + (result < 0 ? Errno.name(-result) : result)
                + (why.isEmpty() ? "" : ", " + why));
    }

    /** A blocking call on the caller's own thread, in the middle of which others get on. */
    Outcome call(Operation op) {
        lock.lock();
        try {
            awaitIdle();
            while (!destroyed && !inFlight.isEmpty() && happens(OTHERS_GET_ON)) {
                completeNext();
                changed.signalAll();
                awaitIdle();
            }
            return perform(op);
        } finally {
            lock.unlock();
        }
    }

    long freeBytes() {
        return disk.isDead() ? -Errno.EIO : disk.free();
    }

    // ------------------------------------------------------------------ the engine's side

    @Override
    public String kind() {
        return "simulated";
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
        lock.lock();
        try {
            submitted++;
            long delay = 1 + staging.nextLong(USUAL_NANOS);
            if (operation.code == OpCode.TIMEOUT) {
                delay = operation.offset;
            } else if (staging.nextInt(1000) < rates.late()) {
                delay *= 100;
            }
            Flight flight = new Flight(operation, token, number++, clock.nanoTime() + delay, sum(operation));
            watch(flight);
            inFlight.add(flight);
        } finally {
            lock.unlock();
        }
    }

    @Override
    public int turn(long timeoutNanos) {
        lock.lock();
        try {
            thread = Optional.of(Thread.currentThread());
            turns++;
            while (held || (ready.isEmpty() && !rung && timeoutNanos != 0)) {
                // A positive time is that of an engine which closes: nobody steps for it any more.
                if (timeoutNanos > 0 && !inFlight.isEmpty()) {
                    completeNext();
                    continue;
                }
                if (timeoutNanos > 0) {
                    break;
                }
                idle = true;
                changed.signalAll();
                changed.awaitUninterruptibly();
            }
            idle = false;
            rung = false;
            reaped.clear();
            reaped.addAll(ready);
            ready.clear();
            stats.clear();
            reaped.forEach(answer -> answer.stat().ifPresent(stat -> stats.put(answer.token(), stat)));
            return reaped.size();
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
    public void collect(Operation operation, int slot) {
        // By the slot's token, of which the low bits are the slot.
        stats.forEach((token, stat) -> {
            if ((token & 0xffff) == slot) {
                operation.stat = stat;
            }
        });
    }

    @Override
    public void wake() {
        lock.lock();
        try {
            rung = true;
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    @Override
    public void destroy() {
        lock.lock();
        try {
            destroyed = true;
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    @Override
    public Syscalls syscalls() {
        return syscalls;
    }

    @Override
    public long[] stats() {
        lock.lock();
        try {
            // In the order of EngineCounters.
            long[] values = new long[STATS];
            values[0] = turns;
            values[2] = submitted;
            values[3] = completed;
            values[6] = bytesRead;
            values[7] = bytesWritten;
            values[12] = inFlight.size();
            return values;
        } finally {
            lock.unlock();
        }
    }
}
