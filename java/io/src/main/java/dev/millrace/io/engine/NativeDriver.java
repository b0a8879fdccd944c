// SPDX-License-Identifier: Apache-2.0
package dev.millrace.io.engine;

import dev.millrace.bindings.NativeConstants;
import dev.millrace.bindings.NativeIo;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Optional;

/**
 * Turns an engine of {@code libmillrace}. The two arrays that cross the border, and the memory that the kernel reads
 * paths from, are mapped once; a turn is one call and allocates nothing.
 */
public final class NativeDriver implements Driver {
    /** {@code enum mr_engine_kind}. */
    public static final int IO_URING = 1;
    /** {@code enum mr_engine_kind}. */
    public static final int EPOLL = 2;

    /** Beyond PATH_MAX, so that a path that is cut is still one that the kernel refuses, and not another file's. */
    private static final int PATH_BYTES = 4096 + 64;

    private static final int STAT_BYTES = 128;
    private static final int SCRATCH = 2 * PATH_BYTES + STAT_BYTES;
    private static final int MEMORY_SMALL_PAGES = 1;
    private static final int MEMORY_LAZY = 2;
    private static final int STATS = 16;

    private final NativeIo nativeIo;
    private final NativeConstants constants;
    private final NativeSyscalls syscalls;
    private final EngineReport report;
    private final long engine;
    private final long region;
    private final long regionLength;
    private final ByteBuffer ops;
    private final long opsAddress;
    private final ByteBuffer completions;
    private final long completionsAddress;
    private final int completionCapacity;
    private final ByteBuffer scratch;
    private final long scratchAddress;
    private final ByteBuffer statsBuffer;
    private final long statsAddress;
    private final int slots;
    private int staged;
    private boolean endsWithItsThread;

    /**
     * Makes the engine, on the thread that will turn it.
     *
     * @param syscalls of the library, not closed here
     * @param kind {@link #IO_URING} or {@link #EPOLL}
     * @param slots operations in flight at most
     * @param workers threads for file operations that the ring cannot do, or for all of them under epoll
     * @param kernelWorkers bound of the kernel's own workers
     * @throws EngineRefusedException where the kernel or its settings refuse it
     */
    public NativeDriver(NativeSyscalls syscalls, int kind, int slots, int workers, int kernelWorkers)
            throws EngineRefusedException {
        this.syscalls = syscalls;
        this.nativeIo = syscalls.nativeIo();
        this.constants = syscalls.constants();
        this.slots = slots;
        completionCapacity = 2 * slots;
        int opsLength = slots * constants.opSize;
        int completionsLength = completionCapacity * constants.completionSize;
        long length = (long) opsLength + completionsLength + 4096 + (long) slots * SCRATCH;
        long mapped = nativeIo.memoryMap(length, MEMORY_LAZY | MEMORY_SMALL_PAGES);
        if (mapped < 0) {
            throw new EngineRefusedException(EngineReport.ofMemory((int) -mapped));
        }
        region = mapped;
        regionLength = length;
        opsAddress = region;
        completionsAddress = opsAddress + opsLength;
        statsAddress = completionsAddress + completionsLength;
        scratchAddress = statsAddress + 4096;
        ops = nativeIo.view(opsAddress, opsLength);
        completions = nativeIo.view(completionsAddress, completionsLength);
        statsBuffer = nativeIo.view(statsAddress, 4096);
        scratch = nativeIo.view(scratchAddress, slots * SCRATCH);

        statsBuffer.putInt(0, kind);
        statsBuffer.putInt(4, slots);
        statsBuffer.putInt(8, workers);
        statsBuffer.putInt(12, kernelWorkers);
        statsBuffer.putInt(16, 0);
        statsBuffer.putInt(20, 0);
        long handle = nativeIo.engineCreate(statsAddress, statsAddress + 64);
        report = EngineReport.read(statsBuffer, 64, handle);
        if (handle < 0) {
            nativeIo.memoryUnmap(region, regionLength);
            throw new EngineRefusedException(report);
        }
        engine = handle;
    }

    @Override
    public String kind() {
        return report.kind() == IO_URING ? "io_uring" : "epoll";
    }

    @Override
    public String binding() {
        return nativeIo.binding();
    }

    /** What creation reported. */
    public EngineReport report() {
        return report;
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
        int at = staged * constants.opSize;
        long address = operation.address;
        long extra = operation.extra;
        switch (operation.code) {
            case OpCode.OPEN, OpCode.UNLINK, OpCode.MKDIR -> address = path(operation.path, slot, 0);
            case OpCode.RENAME -> {
                address = path(operation.path, slot, 0);
                extra = path(operation.path2, slot, 1);
            }
            case OpCode.STATX -> {
                address = operation.path.isEmpty() ? 0 : path(operation.path, slot, 0);
                extra = scratchAddress + (long) slot * SCRATCH + 2 * PATH_BYTES;
            }
            default -> {}
        }
        int arg = operation.code == OpCode.OPEN ? syscalls.openFlags(operation.arg) : operation.arg;
        ops.putShort(at + constants.opCode, (short) operation.code);
        ops.putShort(at + constants.opFlags, (short) operation.flags);
        ops.putInt(at + constants.opFd, operation.fd);
        ops.putLong(at + constants.opOffset, operation.offset);
        ops.putLong(at + constants.opAddress, address);
        ops.putInt(at + constants.opLength, operation.length);
        ops.putInt(at + constants.opBuffer, operation.bufferIndex);
        ops.putLong(at + constants.opExtra, extra);
        ops.putInt(at + constants.opArg, arg);
        ops.putInt(at + constants.opArg2, operation.arg2);
        ops.putLong(at + constants.opToken, token);
        staged++; // last: an operation that cannot be said leaves no half record behind
    }

    /** Copies a path into the slot's own memory, which stays as it is until the kernel has answered. */
    private long path(String path, int slot, int which) {
        byte[] bytes = path.getBytes(StandardCharsets.UTF_8);
        int at = slot * SCRATCH + which * PATH_BYTES;
        // Longer than any kernel takes: cut so that the kernel says ENAMETOOLONG itself.
        int length = Math.min(bytes.length, PATH_BYTES - 1);
        scratch.put(at, bytes, 0, length);
        scratch.put(at + length, (byte) 0);
        return scratchAddress + at;
    }

    @Override
    public int turn(long timeoutNanos) {
        int count = staged;
        staged = 0;
        return nativeIo.engineTurn(engine, opsAddress, count, completionsAddress, completionCapacity, timeoutNanos);
    }

    @Override
    public long token(int index) {
        return completions.getLong(index * constants.completionSize + constants.completionToken);
    }

    @Override
    public int result(int index) {
        return completions.getInt(index * constants.completionSize + constants.completionResult);
    }

    @Override
    public void collect(Operation operation, int slot) {
        if (operation.code == OpCode.STATX) {
            operation.stat = NativeSyscalls.readStat(scratch, slot * SCRATCH + 2 * PATH_BYTES);
        }
    }

    @Override
    public void wake() {
        nativeIo.engineWake(engine);
    }

    @Override
    public boolean endsWithItsThread() {
        return endsWithItsThread;
    }

    @Override
    public String failedTurn(int errno) {
        return report.kind() == IO_URING ? EngineReport.refusedTurn(errno) : Driver.super.failedTurn(errno);
    }

    @Override
    public void destroy() {
        int refused = nativeIo.engineDestroy(engine);
        endsWithItsThread = refused == -Errno.EINPROGRESS;
        if (refused < 0) {
            throw new IllegalStateException("mr_engine_destroy failed with " + Errno.name(-refused));
        }
        nativeIo.memoryUnmap(region, regionLength);
    }

    @Override
    public Registration register(PoolMemory memory) {
        if (report.kind() != IO_URING) {
            return Registration.NONE;
        }
        int buffers = memory.pieces().size();
        long length = 16L * buffers + 16;
        long pairs = nativeIo.memoryMap(length, MEMORY_LAZY | MEMORY_SMALL_PAGES);
        if (pairs < 0) {
            return new Registration(0, Optional.of(report.whyFewerBuffers(0, buffers, (int) -pairs)));
        }
        ByteBuffer view = nativeIo.view(pairs, (int) length);
        for (int i = 0; i < buffers; i++) {
            view.putLong(16 * i, memory.addresses().get(i));
            view.putLong(16 * i + 8, memory.pieceSize());
        }
        int registered = Math.max(0, nativeIo.engineRegisterBuffers(engine, pairs, buffers, pairs + 16L * buffers));
        Optional<String> note = registered < buffers
                ? Optional.of(report.whyFewerBuffers(registered, buffers, view.getInt(16 * buffers)))
                : Optional.empty();
        nativeIo.memoryUnmap(pairs, length);
        return new Registration(registered, note);
    }

    @Override
    public void unregister() {
        nativeIo.engineUnregisterBuffers(engine);
    }

    @Override
    public long[] stats() {
        nativeIo.engineStats(engine, statsAddress);
        long[] values = new long[STATS];
        for (int i = 0; i < STATS; i++) {
            values[i] = statsBuffer.getLong(8 * i);
        }
        return values;
    }

    @Override
    public void sampleKernelWorkers() {
        nativeIo.engineSampleWorkers(engine);
    }
}
