// SPDX-License-Identifier: Apache-2.0
package dev.millrace.testkit.sim;

import dev.millrace.io.engine.Driver;
import dev.millrace.io.engine.OpCode;
import dev.millrace.io.engine.Operation;
import dev.millrace.io.engine.Syscalls;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** A driver with one {@link PlantedFault}. */
final class PlantedDriver implements Driver {
    private record Answer(long token, int result) {}

    /** How far the write of an operation object has come. */
    private record Progress(long start, long reached) {}

    private final SimulatedDriver below;
    private final SimulatedDisk disk;
    private final PlantedFault fault;
    private final Syscalls syscalls;
    private final ArrayDeque<Long> byAge = new ArrayDeque<>();
    private final List<Answer> early = new ArrayList<>();
    private final Set<Long> answered = new HashSet<>();
    private final Map<Long, Operation> writes = new HashMap<>();
    private final Map<Operation, Progress> progress = new HashMap<>();
    private final List<Answer> reaped = new ArrayList<>();

    PlantedDriver(SimulatedDriver below, SimulatedDisk disk, PlantedFault fault) {
        this.below = below;
        this.disk = disk;
        this.fault = fault;
        this.syscalls = new ForgetfulSyscalls(below.syscalls());
    }

    private boolean leavesOut(int fd) {
        return fault == (disk.isFolder(fd) ? PlantedFault.FOLDER_SYNC_LEFT_OUT : PlantedFault.FILE_SYNC_LEFT_OUT);
    }

    @Override
    public void stage(Operation operation, int slot, long token) {
        boolean sync = operation.code == OpCode.FSYNC || operation.code == OpCode.FDATASYNC;
        if (sync && leavesOut(operation.fd)) {
            early.add(new Answer(token, 0));
            return;
        }
        if (operation.code == OpCode.WRITE) {
            writes.put(token, operation);
            Progress before = progress.remove(operation);
            if (fault == PlantedFault.WRONG_OFFSET_AFTER_SHORT_WRITE
                    && before != null
                    && before.reached() == operation.offset) {
                operation.offset = before.start();
            }
        }
        byAge.add(token);
        below.stage(operation, slot, token);
        if (fault == PlantedFault.BUFFER_POOLED_EARLY && operation.code == OpCode.WRITE) {
            early.add(new Answer(token, operation.length));
            answered.add(token);
        }
    }

    @Override
    public int turn(long timeoutNanos) {
        int count = below.turn(early.isEmpty() ? timeoutNanos : 0);
        reaped.clear();
        reaped.addAll(early);
        early.clear();
        for (int i = 0; i < count; i++) {
            long token = below.token(i);
            int result = below.result(i);
            Operation write = writes.remove(token);
            if (write != null && result > 0 && result < write.length) {
                progress.put(write, new Progress(write.offset, write.offset + result));
            }
            if (fault == PlantedFault.MATCHED_BY_ORDER) {
                reaped.add(new Answer(byAge.poll(), result));
            } else if (!answered.remove(token)) {
                reaped.add(new Answer(token, result));
            }
        }
        return reaped.size();
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
        below.collect(operation, slot);
    }

    @Override
    public String kind() {
        return below.kind();
    }

    @Override
    public String binding() {
        return below.binding();
    }

    @Override
    public int slots() {
        return below.slots();
    }

    @Override
    public void wake() {
        below.wake();
    }

    @Override
    public void destroy() {
        below.destroy();
    }

    @Override
    public Syscalls syscalls() {
        return syscalls;
    }

    @Override
    public long[] stats() {
        return below.stats();
    }

    @Override
    public void sampleKernelWorkers() {
        below.sampleKernelWorkers();
    }

    /** Blocking calls without the fsync. */
    private final class ForgetfulSyscalls implements Syscalls {
        private final Syscalls calls;

        ForgetfulSyscalls(Syscalls calls) {
            this.calls = calls;
        }

        @Override
        public int fsync(int fd) {
            return leavesOut(fd) ? 0 : calls.fsync(fd);
        }

        @Override
        public int fdatasync(int fd) {
            return leavesOut(fd) ? 0 : calls.fdatasync(fd);
        }

        @Override
        public int open(String path, int flags, int mode) {
            return calls.open(path, flags, mode);
        }

        @Override
        public int close(int fd) {
            return calls.close(fd);
        }

        @Override
        public long pread(int fd, long address, ByteBuffer memory, int at, int length, long offset) {
            return calls.pread(fd, address, memory, at, length, offset);
        }

        @Override
        public long pwrite(int fd, long address, ByteBuffer memory, int at, int length, long offset) {
            return calls.pwrite(fd, address, memory, at, length, offset);
        }

        @Override
        public int allocate(int fd, long offset, long length) {
            return calls.allocate(fd, offset, length);
        }

        @Override
        public int truncate(int fd, long length) {
            return calls.truncate(fd, length);
        }

        @Override
        public StatResult stat(int fd) {
            return calls.stat(fd);
        }

        @Override
        public StatResult stat(String path) {
            return calls.stat(path);
        }

        @Override
        public int rename(String from, String to, boolean noReplace) {
            return calls.rename(from, to, noReplace);
        }

        @Override
        public int unlink(String path, boolean directory) {
            return calls.unlink(path, directory);
        }

        @Override
        public int mkdir(String path, int mode) {
            return calls.mkdir(path, mode);
        }

        @Override
        public int chmod(int fd, int mode) {
            return calls.chmod(fd, mode);
        }

        @Override
        public int tryLock(int fd) {
            return calls.tryLock(fd);
        }

        @Override
        public long freeBytes(String path) {
            return calls.freeBytes(path);
        }
    }
}
