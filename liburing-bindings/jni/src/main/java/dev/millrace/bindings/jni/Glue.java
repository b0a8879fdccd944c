// SPDX-License-Identifier: Apache-2.0
package dev.millrace.bindings.jni;

import java.nio.ByteBuffer;
import org.bytedeco.javacpp.annotation.Name;
import org.bytedeco.javacpp.annotation.NoException;
import org.bytedeco.javacpp.annotation.Platform;
import org.bytedeco.javacpp.annotation.Raw;

/**
 * The functions of {@code millrace.h} as native methods, for which JavaCPP generates the C++ while this module is built.
 * Nothing of JavaCPP is needed when they run: no {@code Pointer} crosses, so neither its deallocator thread nor its
 * limit of physical memory is ever there.
 */
@Platform(include = {"millrace.h", "millrace_jni.h"})
@NoException
final class Glue {
    private Glue() {}

    /** True where the loaded library has the symbol. */
    @Name("millrace_jni_has")
    static native boolean has(@Raw(withEnv = true) String symbol);

    /** Memory as a direct buffer, big endian as all new ones are. */
    @Raw(withEnv = true)
    @Name("millrace_jni_view")
    static native ByteBuffer view(long address, long length);

    @Name("mr_abi_version")
    static native int abiVersion();

    @Name("mr_constant")
    static native long constant(int id);

    @Name("mr_errno_name")
    static native int errnoName(int errno, long out, int capacity);

    @Name("mr_engine_create")
    static native long engineCreate(long config, long report);

    @Name("mr_engine_turn")
    static native int engineTurn(long engine, long ops, int count, long completions, int max, long timeoutNanos);

    @Name("mr_engine_wake")
    static native int engineWake(long engine);

    @Name("mr_engine_register_buffers")
    static native int engineRegisterBuffers(long engine, long pairs, int count, long error);

    @Name("mr_engine_unregister_buffers")
    static native int engineUnregisterBuffers(long engine);

    @Name("mr_engine_register_files")
    static native int engineRegisterFiles(long engine, int count);

    @Name("mr_engine_update_file")
    static native int engineUpdateFile(long engine, int slot, int fd);

    @Name("mr_engine_stats")
    static native int engineStats(long engine, long stats);

    @Name("mr_engine_sample_workers")
    static native int engineSampleWorkers(long engine);

    @Name("mr_engine_destroy")
    static native int engineDestroy(long engine);

    @Name("mr_probe")
    static native int probe(long probe, int flags);

    @Name("mr_memory_map")
    static native long memoryMap(long length, int flags);

    @Name("mr_memory_huge_bytes")
    static native long memoryHugeBytes(long address, long length);

    @Name("mr_memory_discard")
    static native int memoryDiscard(long address, long length);

    @Name("mr_memory_unmap")
    static native int memoryUnmap(long address, long length);

    @Name("mr_crc64nvme")
    static native long crc64nvme(long seed, long address, long length);

    @Name("mr_open")
    static native int open(long path, int flags, int mode);

    @Name("mr_close")
    static native int close(int fd);

    @Name("mr_pread")
    static native long pread(int fd, long address, long length, long offset);

    @Name("mr_pwrite")
    static native long pwrite(int fd, long address, long length, long offset);

    @Name("mr_fsync")
    static native int fsync(int fd);

    @Name("mr_fdatasync")
    static native int fdatasync(int fd);

    @Name("mr_fallocate")
    static native int fallocate(int fd, int mode, long offset, long length);

    @Name("mr_ftruncate")
    static native int ftruncate(int fd, long length);

    @Name("mr_statx")
    static native int statx(int fd, long path, long stat);

    @Name("mr_rename")
    static native int rename(long from, long to, int flags);

    @Name("mr_unlink")
    static native int unlink(long path, int flags);

    @Name("mr_mkdir")
    static native int mkdir(long path, int mode);

    @Name("mr_fchmod")
    static native int fchmod(int fd, int mode);

    @Name("mr_try_lock")
    static native int tryLock(int fd);

    @Name("mr_free_bytes")
    static native long freeBytes(long path);

    @Name("mr_socket_option")
    static native int socketOption(int fd, int what, int value);
}
