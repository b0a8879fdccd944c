// SPDX-License-Identifier: Apache-2.0
package dev.millrace.bindings.jna;

import com.sun.jna.Pointer;
import dev.millrace.bindings.NativeIo;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** The ABI through JNA, once {@link Direct} is bound. */
final class JnaNativeIo implements NativeIo {

    @Override
    public String binding() {
        return JnaProvider.NAME;
    }

    @Override
    public ByteBuffer view(long address, int length) {
        return new Pointer(address).getByteBuffer(0, length).order(ByteOrder.nativeOrder());
    }

    @Override
    public int abiVersion() {
        return Direct.mr_abi_version();
    }

    @Override
    public long constant(int id) {
        return Direct.mr_constant(id);
    }

    @Override
    public int errnoName(int errno, long out, int capacity) {
        return Direct.mr_errno_name(errno, out, capacity);
    }

    @Override
    public long engineCreate(long config, long report) {
        return Direct.mr_engine_create(config, report);
    }

    @Override
    public int engineTurn(long engine, long ops, int count, long completions, int max, long timeoutNanos) {
        return Direct.mr_engine_turn(engine, ops, count, completions, max, timeoutNanos);
    }

    @Override
    public int engineWake(long engine) {
        return Direct.mr_engine_wake(engine);
    }

    @Override
    public int engineRegisterBuffers(long engine, long pairs, int count, long error) {
        return Direct.mr_engine_register_buffers(engine, pairs, count, error);
    }

    @Override
    public int engineUnregisterBuffers(long engine) {
        return Direct.mr_engine_unregister_buffers(engine);
    }

    @Override
    public int engineRegisterFiles(long engine, int count) {
        return Direct.mr_engine_register_files(engine, count);
    }

    @Override
    public int engineUpdateFile(long engine, int slot, int fd) {
        return Direct.mr_engine_update_file(engine, slot, fd);
    }

    @Override
    public int engineStats(long engine, long stats) {
        return Direct.mr_engine_stats(engine, stats);
    }

    @Override
    public int engineSampleWorkers(long engine) {
        return Direct.mr_engine_sample_workers(engine);
    }

    @Override
    public int engineDestroy(long engine) {
        return Direct.mr_engine_destroy(engine);
    }

    @Override
    public int probe(long probe, int flags) {
        return Direct.mr_probe(probe, flags);
    }

    @Override
    public long memoryMap(long length, int flags) {
        return Direct.mr_memory_map(length, flags);
    }

    @Override
    public long memoryHugeBytes(long address, long length) {
        return Direct.mr_memory_huge_bytes(address, length);
    }

    @Override
    public int memoryDiscard(long address, long length) {
        return Direct.mr_memory_discard(address, length);
    }

    @Override
    public int memoryUnmap(long address, long length) {
        return Direct.mr_memory_unmap(address, length);
    }

    @Override
    public long crc64nvme(long seed, long address, long length) {
        return Direct.mr_crc64nvme(seed, address, length);
    }

    @Override
    public int open(long path, int flags, int mode) {
        return Direct.mr_open(path, flags, mode);
    }

    @Override
    public int close(int fd) {
        return Direct.mr_close(fd);
    }

    @Override
    public long pread(int fd, long address, long length, long offset) {
        return Direct.mr_pread(fd, address, length, offset);
    }

    @Override
    public long pwrite(int fd, long address, long length, long offset) {
        return Direct.mr_pwrite(fd, address, length, offset);
    }

    @Override
    public int fsync(int fd) {
        return Direct.mr_fsync(fd);
    }

    @Override
    public int fdatasync(int fd) {
        return Direct.mr_fdatasync(fd);
    }

    @Override
    public int fallocate(int fd, int mode, long offset, long length) {
        return Direct.mr_fallocate(fd, mode, offset, length);
    }

    @Override
    public int ftruncate(int fd, long length) {
        return Direct.mr_ftruncate(fd, length);
    }

    @Override
    public int statx(int fd, long path, long stat) {
        return Direct.mr_statx(fd, path, stat);
    }

    @Override
    public int rename(long from, long to, int flags) {
        return Direct.mr_rename(from, to, flags);
    }

    @Override
    public int unlink(long path, int flags) {
        return Direct.mr_unlink(path, flags);
    }

    @Override
    public int mkdir(long path, int mode) {
        return Direct.mr_mkdir(path, mode);
    }

    @Override
    public int fchmod(int fd, int mode) {
        return Direct.mr_fchmod(fd, mode);
    }

    @Override
    public int tryLock(int fd) {
        return Direct.mr_try_lock(fd);
    }

    @Override
    public long freeBytes(long path) {
        return Direct.mr_free_bytes(path);
    }

    @Override
    public int socketOption(int fd, int what, int value) {
        return Direct.mr_socket_option(fd, what, value);
    }
}
