// SPDX-License-Identifier: Apache-2.0
package dev.millrace.io.engine;

import dev.millrace.bindings.NativeConstants;
import dev.millrace.bindings.NativeIo;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.function.LongToIntFunction;

/** File operations on the caller's thread through {@code libmillrace}. Safe for use by any number of threads. */
public final class NativeSyscalls implements Syscalls {
    private static final int PATH_BYTES = 8192;
    private static final int STAT_AT = 2 * PATH_BYTES;
    private static final int SCRATCH = STAT_AT + 128;
    private static final int KEPT = 16;
    private static final int MEMORY_SMALL_PAGES = 1;
    private static final int MEMORY_LAZY = 2;

    private final NativeIo nativeIo;
    private final NativeConstants constants;
    private final ArrayBlockingQueue<Scratch> kept = new ArrayBlockingQueue<>(KEPT);
    private volatile boolean closed;

    /** Over a loaded library. */
    public NativeSyscalls(NativeIo nativeIo, NativeConstants constants) {
        this.nativeIo = nativeIo;
        this.constants = constants;
    }

    NativeIo nativeIo() {
        return nativeIo;
    }

    NativeConstants constants() {
        return constants;
    }

    /** The way to native code. */
    public String binding() {
        return nativeIo.binding();
    }

    /** Our bits of {@link OpenFlag} as this processor's {@code O_*}. */
    int openFlags(int flags) {
        int result;
        if ((flags & OpenFlag.WRITE) == 0) {
            result = constants.oRdonly;
        } else {
            result = (flags & OpenFlag.READ) == 0 ? constants.oWronly : constants.oRdwr;
        }
        result |= (flags & OpenFlag.CREATE) != 0 ? constants.oCreat : 0;
        result |= (flags & OpenFlag.EXCLUSIVE) != 0 ? constants.oExcl : 0;
        result |= (flags & OpenFlag.TRUNCATE) != 0 ? constants.oTrunc : 0;
        result |= (flags & OpenFlag.DIRECT) != 0 ? constants.oDirect : 0;
        result |= (flags & OpenFlag.DIRECTORY) != 0 ? constants.oDirectory : 0;
        result |= (flags & OpenFlag.NO_FOLLOW) != 0 ? constants.oNofollow : 0;
        return result;
    }

    @Override
    public int open(String path, int flags, int mode) {
        return withPath(path, address -> nativeIo.open(address, openFlags(flags), mode));
    }

    @Override
    public int close(int fd) {
        return nativeIo.close(fd);
    }

    @Override
    public long pread(int fd, long address, ByteBuffer memory, int at, int length, long offset) {
        return nativeIo.pread(fd, address, length, offset);
    }

    @Override
    public long pwrite(int fd, long address, ByteBuffer memory, int at, int length, long offset) {
        return nativeIo.pwrite(fd, address, length, offset);
    }

    @Override
    public int fsync(int fd) {
        return nativeIo.fsync(fd);
    }

    @Override
    public int fdatasync(int fd) {
        return nativeIo.fdatasync(fd);
    }

    @Override
    public int allocate(int fd, long offset, long length) {
        return nativeIo.fallocate(fd, 0, offset, length);
    }

    @Override
    public int truncate(int fd, long length) {
        return nativeIo.ftruncate(fd, length);
    }

    @Override
    public StatResult stat(int fd) {
        return withScratch((address, view) -> stat(fd, 0, address, view));
    }

    @Override
    public StatResult stat(String path) {
        return withScratch((address, view) -> stat(0, put(path, address, view, 0), address, view));
    }

    private StatResult stat(int fd, long path, long scratch, ByteBuffer view) {
        int error = nativeIo.statx(fd, path, scratch + STAT_AT);
        return error < 0 ? StatResult.failed(error) : new StatResult(0, readStat(view, STAT_AT));
    }

    @Override
    public int rename(String from, String to, boolean noReplace) {
        return withTwoPaths(
                from, to, (first, second) -> nativeIo.rename(first, second, noReplace ? OpCode.RENAME_NOREPLACE : 0));
    }

    @Override
    public int unlink(String path, boolean directory) {
        return withPath(path, address -> nativeIo.unlink(address, directory ? OpCode.UNLINK_DIR : 0));
    }

    @Override
    public int mkdir(String path, int mode) {
        return withPath(path, address -> nativeIo.mkdir(address, mode));
    }

    @Override
    public int chmod(int fd, int mode) {
        return nativeIo.fchmod(fd, mode);
    }

    @Override
    public int tryLock(int fd) {
        return nativeIo.tryLock(fd);
    }

    @Override
    public long freeBytes(String path) {
        return withScratch((address, view) -> nativeIo.freeBytes(put(path, address, view, 0)));
    }

    private interface Body<T> {
        T run(long address, ByteBuffer view);
    }

    private interface TwoPaths {
        int run(long first, long second);
    }

    /** Native memory for the paths and the result of one call. */
    private record Scratch(long address, ByteBuffer view) {}

    /**
     * Lends native memory for one call. A few pieces are kept for the next calls; keeping one for each thread instead
     * would strand it with every thread that ends.
     */
    private <T> T withScratch(Body<T> body) {
        Scratch scratch = Optional.ofNullable(kept.poll()).orElseGet(this::map);
        try {
            return body.run(scratch.address(), scratch.view());
        } finally {
            if (closed || !kept.offer(scratch)) {
                nativeIo.memoryUnmap(scratch.address(), SCRATCH);
            }
        }
    }

    private Scratch map() {
        long address = nativeIo.memoryMap(SCRATCH, MEMORY_SMALL_PAGES | MEMORY_LAZY);
        if (address < 0) {
            throw new OutOfMemoryError("no native memory for a path: " + Errno.name((int) -address));
        }
        return new Scratch(address, nativeIo.view(address, SCRATCH));
    }

    /** Gives back the memory that is kept; calls stay possible and map their own. */
    public void close() {
        closed = true;
        Scratch scratch;
        while ((scratch = kept.poll()) != null) {
            nativeIo.memoryUnmap(scratch.address(), SCRATCH);
        }
    }

    private int withPath(String path, LongToIntFunction call) {
        return withScratch((address, view) -> call.applyAsInt(put(path, address, view, 0)));
    }

    private int withTwoPaths(String first, String second, TwoPaths call) {
        return withScratch((address, view) -> call.run(put(first, address, view, 0), put(second, address, view, 1)));
    }

    private static long put(String path, long address, ByteBuffer view, int which) {
        byte[] bytes = path.getBytes(StandardCharsets.UTF_8);
        int at = which * PATH_BYTES;
        // Longer than any kernel takes: cut so that the kernel says ENAMETOOLONG itself.
        int length = Math.min(bytes.length, PATH_BYTES - 1);
        view.put(at, bytes, 0, length);
        view.put(at + length, (byte) 0);
        return address + at;
    }

    /** Reads a {@code struct mr_stat}. */
    static FileStat readStat(ByteBuffer buffer, int at) {
        return new FileStat(
                buffer.getLong(at),
                (int) buffer.getLong(at + 8),
                buffer.getLong(at + 16),
                buffer.getLong(at + 24),
                buffer.getLong(at + 32) * 512,
                buffer.getLong(at + 48),
                fileSystem(buffer.getLong(at + 56)),
                buffer.getInt(at + 64),
                buffer.getInt(at + 68),
                buffer.getInt(at + 72));
    }

    /** Names of statfs(2)'s magic numbers. */
    private static String fileSystem(long magic) {
        return switch ((int) magic) {
            case 0xEF53 -> "ext4";
            case 0x58465342 -> "xfs";
            case 0x9123683E -> "btrfs";
            case 0x01021994 -> "tmpfs";
            case 0x858458f6 -> "ramfs";
            case 0x794c7630 -> "overlay";
            case 0xF2F52010 -> "f2fs";
            case 0x6969 -> "nfs";
            case 0x2FC12FC1 -> "zfs";
            case 0x65735546 -> "fuse";
            case 0x01021997 -> "9p";
            default -> "0x" + Long.toHexString(magic);
        };
    }
}
