// SPDX-License-Identifier: Apache-2.0
package dev.millrace.bindings;

import java.nio.ByteBuffer;

/**
 * The ABI of {@code libmillrace} as one interface: each method is the C function {@code mr_<name>} of
 * {@code native/include/millrace.h}, which is where it is specified. Only {@code int}, {@code long} and addresses of
 * native memory cross, so that every binding can carry every call.
 *
 * <p>All methods return 0, a count or a handle, or a negated errno. Nothing here checks arguments: a wrong address
 * crashes the JVM. The safe API is {@code dev.millrace.io}.
 *
 * <p>Threads: an engine is created, entered, registered with and destroyed by one and the same thread; only
 * {@link #engineWake} may be called from others. Everything else may be called from any thread.
 */
public interface NativeIo {

    /** Name of the binding: {@code ffm}, {@code jni} or {@code jna}. */
    String binding();

    /** {@code MR_ABI_VERSION} of the loaded library. */
    int abiVersion();

    /** A constant by its {@code enum mr_constant_id} number; {@link Long#MIN_VALUE} for an unknown one. */
    long constant(int id);

    /** Writes the errno's name as NUL-terminated ASCII to {@code out}; returns its length, 0 for an unknown one. */
    int errnoName(int errno, long out, int capacity);

    /**
     * Native memory seen as a direct buffer in native byte order. The buffer does not own the memory: whoever unmaps
     * it makes sure that no view is left.
     *
     * @param address start of the memory
     * @param length in bytes, at most {@link Integer#MAX_VALUE}
     */
    ByteBuffer view(long address, int length);

    /** Creates an engine; see {@code mr_engine_create}. */
    long engineCreate(long config, long report);

    /** One turn: submits, waits, reaps; see {@code mr_engine_turn}. May block. */
    int engineTurn(long engine, long ops, int count, long completions, int max, long timeoutNanos);

    /** Ends the wait of the turn under way or of the next one. Any thread. */
    int engineWake(long engine);

    /** Registers buffers, given as pairs of address and length; returns how many. */
    int engineRegisterBuffers(long engine, long pairs, int count, long error);

    /** Lets go of all registered buffers. */
    int engineUnregisterBuffers(long engine);

    /** Makes a table of empty registered-file slots. */
    int engineRegisterFiles(long engine, int count);

    /** Sets (or with -1 empties) a registered-file slot. */
    int engineUpdateFile(long engine, int slot, int fd);

    /** Fills a {@code struct mr_engine_stats}. */
    int engineStats(long engine, long stats);

    /** Counts the kernel's workers of this process now. */
    int engineSampleWorkers(long engine);

    /** Cancels and waits for what is in flight, then frees the engine. May block. */
    int engineDestroy(long engine);

    /** Fills a {@code struct mr_probe} by real, tiny operations. */
    int probe(long probe, int flags);

    /** Maps memory aligned to 2 MiB; returns its address. */
    long memoryMap(long length, int flags);

    /** Bytes of a mapping that lie on huge pages now. */
    long memoryHugeBytes(long address, long length);

    /** Gives the pages of a mapping back and keeps its addresses. */
    int memoryDiscard(long address, long length);

    /** Unmaps. */
    int memoryUnmap(long address, long length);

    /** Continues a CRC-64/NVME. */
    long crc64nvme(long seed, long address, long length);

    /** {@code open(2)}; close-on-exec is always set. */
    int open(long path, int flags, int mode);

    /** {@code close(2)}. */
    int close(int fd);

    /** {@code pread(2)}. */
    long pread(int fd, long address, long length, long offset);

    /** {@code pwrite(2)}. */
    long pwrite(int fd, long address, long length, long offset);

    /** {@code fsync(2)}. */
    int fsync(int fd);

    /** {@code fdatasync(2)}. */
    int fdatasync(int fd);

    /** {@code fallocate(2)}. */
    int fallocate(int fd, int mode, long offset, long length);

    /** {@code ftruncate(2)}. */
    int ftruncate(int fd, long length);

    /** {@code statx(2)} of a path, or of a descriptor where the path is 0, into a {@code struct mr_stat}. */
    int statx(int fd, long path, long stat);

    /** {@code renameat2(2)}. */
    int rename(long from, long to, int flags);

    /** {@code unlink(2)} or {@code rmdir(2)}. */
    int unlink(long path, int flags);

    /** {@code mkdir(2)}. */
    int mkdir(long path, int mode);

    /** {@code fchmod(2)}. */
    int fchmod(int fd, int mode);

    /** Advisory write lock on a whole file that excludes {@code FileChannel.lock}; 0 or -EAGAIN. */
    int tryLock(int fd);

    /** Free bytes for an unprivileged user on the path's file system. */
    long freeBytes(long path);

    /** Sets a socket option of {@code enum mr_socket_option}. */
    int socketOption(int fd, int what, int value);
}
