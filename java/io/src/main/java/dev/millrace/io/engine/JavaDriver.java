// SPDX-License-Identifier: Apache-2.0
package dev.millrace.io.engine;

import dev.millrace.io.engine.Syscalls.StatResult;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.LongAdder;

/**
 * The {@code blocking} engine: worker threads that carry out file operations with {@link Syscalls}. Over those of pure Java
 * it needs no native library; over those of one it shares descriptors with the other engines. It obeys the same contract;
 * sockets it does not have.
 */
public final class JavaDriver implements Driver {
    private static final int STATS = 16;

    private record Work(Operation operation, long token) {
        boolean isStop() {
            return token < 0;
        }
    }

    private record Done(long token, int result) {
        boolean isWake() {
            return token < 0;
        }
    }

    private static final Done WAKE = new Done(-1, 0);
    private static final Work STOP = new Work(new Nothing(), -1);

    private final Syscalls syscalls;
    private final String binding;
    private final LinkedBlockingQueue<Work> queue = new LinkedBlockingQueue<>();
    private final LinkedBlockingQueue<Done> done = new LinkedBlockingQueue<>();
    private final Map<Long, Work> waiting = new ConcurrentHashMap<>();
    private final List<Thread> workers = new ArrayList<>();
    private final AtomicInteger wakes = new AtomicInteger();
    private final LongAdder plain = new LongAdder();
    private final LongAdder bytesRead = new LongAdder();
    private final LongAdder bytesWritten = new LongAdder();
    private final List<Done> completions = new ArrayList<>();
    private final int slots;
    private long turns;
    private long submitted;
    private long completed;

    /**
     * With at most {@code slots} operations in flight on {@code workerCount} daemon threads.
     *
     * @param syscalls what they call; not closed here
     * @param binding the way that takes to native code, {@code none} in pure Java
     */
    public JavaDriver(Syscalls syscalls, String binding, int slots, int workerCount) {
        this.syscalls = syscalls;
        this.binding = binding;
        this.slots = slots;
        try {
            for (int i = 0; i < workerCount; i++) {
                Thread worker = new Thread(this::work, "millrace-blocking-" + i);
                worker.setDaemon(true);
                worker.start();
                workers.add(worker);
            }
        } catch (Throwable t) {
            workers.forEach(worker -> queue.add(STOP)); // there are no more threads
            throw t;
        }
    }

    @Override
    public String kind() {
        return "blocking";
    }

    @Override
    public String binding() {
        return binding;
    }

    @Override
    public int slots() {
        return slots;
    }

    @Override
    public Syscalls syscalls() {
        return syscalls;
    }

    @Override
    public void stage(Operation operation, int slot, long token) {
        submitted++;
        if (operation.code == OpCode.CANCEL) {
            Work target = waiting.get(operation.extra);
            boolean removed = target != null && queue.remove(target);
            if (removed) {
                waiting.remove(operation.extra);
                done.add(new Done(operation.extra, -Errno.ECANCELED));
            }
            done.add(new Done(token, removed ? 0 : -Errno.EALREADY));
        } else {
            Work work = new Work(operation, token);
            waiting.put(token, work);
            queue.add(work);
        }
    }

    private void work() {
        try {
            while (true) {
                Work work = queue.take();
                if (work.isStop()) {
                    return;
                }
                int result;
                try {
                    result = carryOut(work.operation());
                } catch (RuntimeException | Error e) {
                    result = -Errno.UNKNOWN;
                }
                waiting.remove(work.token());
                done.add(new Done(work.token(), result));
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private int carryOut(Operation op) {
        return switch (op.code) {
            case OpCode.NOP -> 0;
            case OpCode.OPEN -> syscalls.open(op.path, op.arg, op.arg2);
            case OpCode.CLOSE -> syscalls.close(op.fd);
            case OpCode.READ ->
                counted(bytesRead, syscalls.pread(op.fd, op.address, op.memory, op.memoryAt, op.length, op.offset));
            case OpCode.WRITE ->
                counted(bytesWritten, syscalls.pwrite(op.fd, op.address, op.memory, op.memoryAt, op.length, op.offset));
            case OpCode.FSYNC -> syscalls.fsync(op.fd);
            case OpCode.FDATASYNC -> syscalls.fdatasync(op.fd);
            case OpCode.FALLOCATE -> syscalls.allocate(op.fd, op.offset, op.extra);
            case OpCode.FTRUNCATE -> syscalls.truncate(op.fd, op.offset);
            case OpCode.STATX -> {
                StatResult result = op.path.isEmpty() ? syscalls.stat(op.fd) : syscalls.stat(op.path);
                op.stat = result.stat();
                yield result.error();
            }
            case OpCode.RENAME -> syscalls.rename(op.path, op.path2, op.arg == OpCode.RENAME_NOREPLACE);
            case OpCode.UNLINK -> syscalls.unlink(op.path, op.arg == OpCode.UNLINK_DIR);
            case OpCode.MKDIR -> syscalls.mkdir(op.path, op.arg2);
            default -> -Errno.EOPNOTSUPP;
        };
    }

    private int counted(LongAdder bytes, long result) {
        plain.increment();
        if (result > 0) {
            bytes.add(result);
        }
        return (int) result;
    }

    @Override
    public int turn(long timeoutNanos) {
        turns++;
        completions.clear();
        try {
            if (done.isEmpty() && wakes.get() == 0 && timeoutNanos != 0) {
                Done first = timeoutNanos < 0 ? done.take() : done.poll(timeoutNanos, TimeUnit.NANOSECONDS);
                if (first != null && !first.isWake()) {
                    completions.add(first);
                }
            }
        } catch (InterruptedException e) {
            // Only a handler that interrupts its own thread does this. The interrupt is dropped, since the operations
            // in flight still have to be reaped and every later wait would end at once; the turn just comes back empty.
            completions.clear();
        }
        wakes.set(0);
        done.drainTo(completions);
        completions.removeIf(Done::isWake);
        completed += completions.size();
        return completions.size();
    }

    @Override
    public long token(int index) {
        return completions.get(index).token();
    }

    @Override
    public int result(int index) {
        return completions.get(index).result();
    }

    @Override
    public void collect(Operation operation, int slot) {
        // A worker has already put the result of a STATX into the operation.
    }

    @Override
    public void wake() {
        wakes.incrementAndGet();
        done.add(WAKE);
    }

    @Override
    public void destroy() {
        workers.forEach(worker -> queue.add(STOP));
        boolean interrupted = false;
        for (Thread worker : workers) {
            boolean joined = false;
            while (!joined) {
                try {
                    worker.join();
                    joined = true;
                } catch (InterruptedException e) {
                    interrupted = true;
                }
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    @Override
    public long[] stats() {
        long[] values = new long[STATS];
        values[EngineCounters.TURNS] = turns;
        values[EngineCounters.SUBMITTED] = submitted;
        values[EngineCounters.COMPLETED] = completed;
        values[EngineCounters.PLAIN] = plain.sum();
        values[EngineCounters.BYTES_READ] = bytesRead.sum();
        values[EngineCounters.BYTES_WRITTEN] = bytesWritten.sum();
        values[EngineCounters.TO_WORKERS] = submitted;
        values[EngineCounters.IN_FLIGHT] = submitted - completed;
        return values;
    }

    private static final class Nothing extends Operation {
        @Override
        protected void completed(int result) {
            throw new IllegalStateException("never submitted");
        }
    }
}
