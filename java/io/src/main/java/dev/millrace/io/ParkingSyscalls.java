// SPDX-License-Identifier: Apache-2.0
package dev.millrace.io;

import dev.millrace.io.engine.EngineLoop;
import dev.millrace.io.engine.Errno;
import dev.millrace.io.engine.OpCode;
import dev.millrace.io.engine.Operation;
import dev.millrace.io.engine.Syscalls;
import java.nio.ByteBuffer;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;

/**
 * File operations that never hold a carrier: on a platform thread they run right there, on a virtual thread they go
 * through the engine while the thread parks. On an engine thread they throw, for it would wait for itself.
 */
final class ParkingSyscalls implements Syscalls {
    private final Syscalls direct;
    private final LaneHolder lanes;

    /** {@code direct} for platform threads, lanes for the operations of virtual ones. */
    ParkingSyscalls(Syscalls direct, LaneHolder lanes) {
        this.direct = direct;
        this.lanes = lanes;
    }

    private boolean runsHere() {
        if (EngineLoop.isAnyEngineThread()) {
            throw new IllegalStateException("a blocking call on an engine thread would stop all I/O");
        }
        return !Threads.currentIsVirtual();
    }

    /** One operation whose submitter parks. */
    private static final class Parked extends LaneOperation {
        private final Thread caller = Thread.currentThread();
        private volatile boolean done;
        private int result;

        @Override
        void finished(int value) {
            result = value;
            done = true;
            LockSupport.unpark(caller);
        }

        void prepare(int operationCode) {
            reset(operationCode);
        }

        int await() {
            boolean interrupted = false;
            while (!done) {
                LockSupport.park(this);
                // The kernel still uses what the operation names: an interrupt cannot end the wait, only be kept.
                interrupted |= Thread.interrupted();
            }
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
            return result;
        }
    }

    private Parked run(int code, Consumer<Operation> fill) {
        Parked operation = new Parked();
        operation.prepare(code);
        fill.accept(operation);
        operation.submitTo(lanes);
        operation.await();
        return operation;
    }

    private int call(int code, Consumer<Operation> fill) {
        return run(code, fill).result;
    }

    @Override
    public int open(String path, int flags, int mode) {
        return runsHere()
                ? direct.open(path, flags, mode)
                : call(OpCode.OPEN, op -> {
                    op.path = path;
                    op.arg = flags;
                    op.arg2 = mode;
                });
    }

    @Override
    public int close(int fd) {
        if (runsHere()) {
            return direct.close(fd);
        }
        int result = call(OpCode.CLOSE, op -> op.fd = fd);
        // The engine closed first: the descriptor is not to be left behind for that.
        return result == -Errno.ECANCELED ? direct.close(fd) : result;
    }

    @Override
    public long pread(int fd, long address, ByteBuffer memory, int at, int length, long offset) {
        return runsHere()
                ? direct.pread(fd, address, memory, at, length, offset)
                : call(OpCode.READ, op -> transfer(op, fd, address, memory, at, length, offset));
    }

    @Override
    public long pwrite(int fd, long address, ByteBuffer memory, int at, int length, long offset) {
        return runsHere()
                ? direct.pwrite(fd, address, memory, at, length, offset)
                : call(OpCode.WRITE, op -> transfer(op, fd, address, memory, at, length, offset));
    }

    private static void transfer(
            Operation op, int fd, long address, ByteBuffer memory, int at, int length, long offset) {
        op.fd = fd;
        op.address = address;
        op.memory = memory;
        op.memoryAt = at;
        op.length = length;
        op.offset = offset;
    }

    @Override
    public int fsync(int fd) {
        return runsHere() ? direct.fsync(fd) : call(OpCode.FSYNC, op -> op.fd = fd);
    }

    @Override
    public int fdatasync(int fd) {
        return runsHere() ? direct.fdatasync(fd) : call(OpCode.FDATASYNC, op -> op.fd = fd);
    }

    @Override
    public int allocate(int fd, long offset, long length) {
        return runsHere()
                ? direct.allocate(fd, offset, length)
                : call(OpCode.FALLOCATE, op -> {
                    op.fd = fd;
                    op.offset = offset;
                    op.extra = length;
                });
    }

    @Override
    public int truncate(int fd, long length) {
        return runsHere()
                ? direct.truncate(fd, length)
                : call(OpCode.FTRUNCATE, op -> {
                    op.fd = fd;
                    op.offset = length;
                });
    }

    @Override
    public StatResult stat(int fd) {
        return runsHere() ? direct.stat(fd) : stat(op -> op.fd = fd);
    }

    @Override
    public StatResult stat(String path) {
        return runsHere() ? direct.stat(path) : stat(op -> op.path = path);
    }

    private StatResult stat(Consumer<Operation> fill) {
        Parked operation = run(OpCode.STATX, fill);
        return new StatResult(Math.min(operation.result, 0), operation.stat);
    }

    @Override
    public int rename(String from, String to, boolean noReplace) {
        return runsHere()
                ? direct.rename(from, to, noReplace)
                : call(OpCode.RENAME, op -> {
                    op.path = from;
                    op.path2 = to;
                    op.arg = noReplace ? OpCode.RENAME_NOREPLACE : 0;
                });
    }

    @Override
    public int unlink(String path, boolean directory) {
        return runsHere()
                ? direct.unlink(path, directory)
                : call(OpCode.UNLINK, op -> {
                    op.path = path;
                    op.arg = directory ? OpCode.UNLINK_DIR : 0;
                });
    }

    @Override
    public int mkdir(String path, int mode) {
        return runsHere()
                ? direct.mkdir(path, mode)
                : call(OpCode.MKDIR, op -> {
                    op.path = path;
                    op.arg2 = mode;
                });
    }

    // The rest touch memory of the kernel only, or a file system's superblock: short enough for any thread.

    @Override
    public int chmod(int fd, int mode) {
        return direct.chmod(fd, mode);
    }

    @Override
    public int tryLock(int fd) {
        return direct.tryLock(fd);
    }

    @Override
    public long freeBytes(String path) {
        return direct.freeBytes(path);
    }
}
