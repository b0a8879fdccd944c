// SPDX-License-Identifier: Apache-2.0
package dev.millrace.bindings.ffm;

import dev.millrace.bindings.NativeIo;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** The ABI through the foreign function and memory API. */
final class FfmNativeIo implements NativeIo {

    @Override
    public String binding() {
        return "ffm";
    }

    @Override
    @SuppressWarnings("restricted") // native access is what this class is for
    public ByteBuffer view(long address, int length) {
        return MemorySegment.ofAddress(address)
                .reinterpret(length)
                .asByteBuffer()
                .order(ByteOrder.nativeOrder());
    }

    @Override
    public long engineCreate(long config, long report) {
        try {
            return (long) Functions.ENGINE_CREATE.invokeExact(config, report);
        } catch (Throwable t) {
            throw impossible(t);
        }
    }

    @Override
    public int engineTurn(long engine, long ops, int count, long completions, int max, long timeoutNanos) {
        try {
            return (int) Functions.ENGINE_TURN.invokeExact(engine, ops, count, completions, max, timeoutNanos);
        } catch (Throwable t) {
            throw impossible(t);
        }
    }

    @Override
    public int engineWake(long engine) {
        try {
            return (int) Functions.ENGINE_WAKE.invokeExact(engine);
        } catch (Throwable t) {
            throw impossible(t);
        }
    }

    @Override
    public int engineRegisterBuffers(long engine, long pairs, int count, long error) {
        try {
            return (int) Functions.ENGINE_REGISTER_BUFFERS.invokeExact(engine, pairs, count, error);
        } catch (Throwable t) {
            throw impossible(t);
        }
    }

    @Override
    public int engineUnregisterBuffers(long engine) {
        try {
            return (int) Functions.ENGINE_UNREGISTER_BUFFERS.invokeExact(engine);
        } catch (Throwable t) {
            throw impossible(t);
        }
    }

    @Override
    public int engineRegisterFiles(long engine, int count) {
        try {
            return (int) Functions.ENGINE_REGISTER_FILES.invokeExact(engine, count);
        } catch (Throwable t) {
            throw impossible(t);
        }
    }

    @Override
    public int engineUpdateFile(long engine, int slot, int fd) {
        try {
            return (int) Functions.ENGINE_UPDATE_FILE.invokeExact(engine, slot, fd);
        } catch (Throwable t) {
            throw impossible(t);
        }
    }

    @Override
    public int engineStats(long engine, long stats) {
        try {
            return (int) Functions.ENGINE_STATS.invokeExact(engine, stats);
        } catch (Throwable t) {
            throw impossible(t);
        }
    }

    @Override
    public int engineSampleWorkers(long engine) {
        try {
            return (int) Functions.ENGINE_SAMPLE_WORKERS.invokeExact(engine);
        } catch (Throwable t) {
            throw impossible(t);
        }
    }

    @Override
    public int engineDestroy(long engine) {
        try {
            return (int) Functions.ENGINE_DESTROY.invokeExact(engine);
        } catch (Throwable t) {
            throw impossible(t);
        }
    }

    @Override
    public int probe(long probe, int flags) {
        try {
            return (int) Functions.PROBE.invokeExact(probe, flags);
        } catch (Throwable t) {
            throw impossible(t);
        }
    }

    @Override
    public long memoryMap(long length, int flags) {
        try {
            return (long) Functions.MEMORY_MAP.invokeExact(length, flags);
        } catch (Throwable t) {
            throw impossible(t);
        }
    }

    @Override
    public long memoryHugeBytes(long address, long length) {
        try {
            return (long) Functions.MEMORY_HUGE_BYTES.invokeExact(address, length);
        } catch (Throwable t) {
            throw impossible(t);
        }
    }

    @Override
    public int memoryDiscard(long address, long length) {
        try {
            return (int) Functions.MEMORY_DISCARD.invokeExact(address, length);
        } catch (Throwable t) {
            throw impossible(t);
        }
    }

    @Override
    public int memoryUnmap(long address, long length) {
        try {
            return (int) Functions.MEMORY_UNMAP.invokeExact(address, length);
        } catch (Throwable t) {
            throw impossible(t);
        }
    }

    @Override
    public long crc64nvme(long seed, long address, long length) {
        try {
            return (long) Functions.CRC64NVME.invokeExact(seed, address, length);
        } catch (Throwable t) {
            throw impossible(t);
        }
    }

    @Override
    public int open(long path, int flags, int mode) {
        try {
            return (int) Functions.OPEN.invokeExact(path, flags, mode);
        } catch (Throwable t) {
            throw impossible(t);
        }
    }

    @Override
    public int close(int fd) {
        try {
            return (int) Functions.CLOSE.invokeExact(fd);
        } catch (Throwable t) {
            throw impossible(t);
        }
    }

    @Override
    public long pread(int fd, long address, long length, long offset) {
        try {
            return (long) Functions.PREAD.invokeExact(fd, address, length, offset);
        } catch (Throwable t) {
            throw impossible(t);
        }
    }

    @Override
    public long pwrite(int fd, long address, long length, long offset) {
        try {
            return (long) Functions.PWRITE.invokeExact(fd, address, length, offset);
        } catch (Throwable t) {
            throw impossible(t);
        }
    }

    @Override
    public int fsync(int fd) {
        try {
            return (int) Functions.FSYNC.invokeExact(fd);
        } catch (Throwable t) {
            throw impossible(t);
        }
    }

    @Override
    public int fdatasync(int fd) {
        try {
            return (int) Functions.FDATASYNC.invokeExact(fd);
        } catch (Throwable t) {
            throw impossible(t);
        }
    }

    @Override
    public int fallocate(int fd, int mode, long offset, long length) {
        try {
            return (int) Functions.FALLOCATE.invokeExact(fd, mode, offset, length);
        } catch (Throwable t) {
            throw impossible(t);
        }
    }

    @Override
    public int ftruncate(int fd, long length) {
        try {
            return (int) Functions.FTRUNCATE.invokeExact(fd, length);
        } catch (Throwable t) {
            throw impossible(t);
        }
    }

    @Override
    public int statx(int fd, long path, long stat) {
        try {
            return (int) Functions.STATX.invokeExact(fd, path, stat);
        } catch (Throwable t) {
            throw impossible(t);
        }
    }

    @Override
    public int rename(long from, long to, int flags) {
        try {
            return (int) Functions.RENAME.invokeExact(from, to, flags);
        } catch (Throwable t) {
            throw impossible(t);
        }
    }

    @Override
    public int unlink(long path, int flags) {
        try {
            return (int) Functions.UNLINK.invokeExact(path, flags);
        } catch (Throwable t) {
            throw impossible(t);
        }
    }

    @Override
    public int mkdir(long path, int mode) {
        try {
            return (int) Functions.MKDIR.invokeExact(path, mode);
        } catch (Throwable t) {
            throw impossible(t);
        }
    }

    @Override
    public int fchmod(int fd, int mode) {
        try {
            return (int) Functions.FCHMOD.invokeExact(fd, mode);
        } catch (Throwable t) {
            throw impossible(t);
        }
    }

    @Override
    public int tryLock(int fd) {
        try {
            return (int) Functions.TRY_LOCK.invokeExact(fd);
        } catch (Throwable t) {
            throw impossible(t);
        }
    }

    @Override
    public long freeBytes(long path) {
        try {
            return (long) Functions.FREE_BYTES.invokeExact(path);
        } catch (Throwable t) {
            throw impossible(t);
        }
    }

    @Override
    public int socketOption(int fd, int what, int value) {
        try {
            return (int) Functions.SOCKET_OPTION.invokeExact(fd, what, value);
        } catch (Throwable t) {
            throw impossible(t);
        }
    }

    @Override
    public int abiVersion() {
        try {
            return (int) Functions.ABI_VERSION.invokeExact();
        } catch (Throwable t) {
            throw impossible(t);
        }
    }

    @Override
    public long constant(int id) {
        try {
            return (long) Functions.CONSTANT.invokeExact(id);
        } catch (Throwable t) {
            throw impossible(t);
        }
    }

    @Override
    public int errnoName(int errno, long out, int capacity) {
        try {
            return (int) Functions.ERRNO_NAME.invokeExact(errno, out, capacity);
        } catch (Throwable t) {
            throw impossible(t);
        }
    }

    /** The handles' exact types are fixed above, so nothing but an error of the JVM itself can come out of a call. */
    private static Error impossible(Throwable t) {
        return t instanceof Error error ? error : new AssertionError("a native call threw", t);
    }
}
