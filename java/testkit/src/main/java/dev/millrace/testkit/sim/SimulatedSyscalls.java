// SPDX-License-Identifier: Apache-2.0
package dev.millrace.testkit.sim;

import dev.millrace.io.engine.FileStat;
import dev.millrace.io.engine.OpCode;
import dev.millrace.io.engine.Operation;
import dev.millrace.io.engine.Syscalls;
import dev.millrace.testkit.sim.SimulatedDriver.Outcome;
import java.nio.ByteBuffer;

/** Blocking calls: the same operations, carried out at once on the caller's thread. */
final class SimulatedSyscalls implements Syscalls {
    /** Calls that the engine has no operation for, by numbers of our own. */
    static final int CHMOD = 1001;

    static final int LOCK = 1002;

    private static final FileStat NOTHING = new FileStat(0, 0, 0, 0, 0, 0, "", 4096, -1, -1);

    private final SimulatedDriver driver;

    SimulatedSyscalls(SimulatedDriver driver) {
        this.driver = driver;
    }

    private static final class Call extends Operation {
        Call(int code, int fd, String path) {
            this.code = code;
            this.fd = fd;
            this.path = path;
        }

        @Override
        protected void completed(int result) {
            throw new IllegalStateException("never submitted");
        }
    }

    private int run(Call call) {
        return driver.call(call).result();
    }

    private static Call transfer(int code, int fd, ByteBuffer memory, int at, int length, long offset) {
        Call call = new Call(code, fd, "");
        call.memory = memory;
        call.memoryAt = at;
        call.length = length;
        call.offset = offset;
        return call;
    }

    @Override
    public int open(String path, int flags, int mode) {
        Call call = new Call(OpCode.OPEN, 0, path);
        call.arg = flags;
        call.arg2 = mode;
        return run(call);
    }

    @Override
    public int close(int fd) {
        return run(new Call(OpCode.CLOSE, fd, ""));
    }

    @Override
    public long pread(int fd, long address, ByteBuffer memory, int at, int length, long offset) {
        return run(transfer(OpCode.READ, fd, memory, at, length, offset));
    }

    @Override
    public long pwrite(int fd, long address, ByteBuffer memory, int at, int length, long offset) {
        return run(transfer(OpCode.WRITE, fd, memory, at, length, offset));
    }

    @Override
    public int fsync(int fd) {
        return run(new Call(OpCode.FSYNC, fd, ""));
    }

    @Override
    public int fdatasync(int fd) {
        return run(new Call(OpCode.FDATASYNC, fd, ""));
    }

    @Override
    public int allocate(int fd, long offset, long length) {
        Call call = new Call(OpCode.FALLOCATE, fd, "");
        call.offset = offset;
        call.extra = length;
        return run(call);
    }

    @Override
    public int truncate(int fd, long length) {
        Call call = new Call(OpCode.FTRUNCATE, fd, "");
        call.offset = length;
        return run(call);
    }

    @Override
    public StatResult stat(int fd) {
        return statOf(new Call(OpCode.STATX, fd, ""));
    }

    @Override
    public StatResult stat(String path) {
        return statOf(new Call(OpCode.STATX, 0, path));
    }

    private StatResult statOf(Call call) {
        Outcome outcome = driver.call(call);
        return new StatResult(outcome.result(), outcome.stat().orElse(NOTHING));
    }

    @Override
    public int rename(String from, String to, boolean noReplace) {
        Call call = new Call(OpCode.RENAME, 0, from);
        call.path2 = to;
        call.arg = noReplace ? OpCode.RENAME_NOREPLACE : 0;
        return run(call);
    }

    @Override
    public int unlink(String path, boolean directory) {
        Call call = new Call(OpCode.UNLINK, 0, path);
        call.arg = directory ? OpCode.UNLINK_DIR : 0;
        return run(call);
    }

    @Override
    public int mkdir(String path, int mode) {
        Call call = new Call(OpCode.MKDIR, 0, path);
        call.arg2 = mode;
        return run(call);
    }

    @Override
    public int chmod(int fd, int mode) {
        Call call = new Call(CHMOD, fd, "");
        call.arg = mode;
        return run(call);
    }

    @Override
    public int tryLock(int fd) {
        return run(new Call(LOCK, fd, ""));
    }

    @Override
    public long freeBytes(String path) {
        return driver.freeBytes();
    }
}
