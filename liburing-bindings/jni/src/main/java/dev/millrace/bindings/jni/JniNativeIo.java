// SPDX-License-Identifier: Apache-2.0
package dev.millrace.bindings.jni;

import dev.millrace.bindings.NativeIo;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** The ABI through JNI. */
final class JniNativeIo implements NativeIo {

    @Override
    public String binding() {
        return JniProvider.NAME;
    }

    @Override
    public ByteBuffer view(long address, int length) {
        return Glue.view(address, length).order(ByteOrder.nativeOrder());
    }

    @Override
    public int abiVersion() {
        return Glue.abiVersion();
    }

    @Override
    public long constant(int id) {
        return Glue.constant(id);
    }

    @Override
    public int errnoName(int errno, long out, int capacity) {
        return Glue.errnoName(errno, out, capacity);
    }

    @Override
    public long engineCreate(long config, long report) {
        return Glue.engineCreate(config, report);
    }

    @Override
    public int engineTurn(long engine, long ops, int count, long completions, int max, long timeoutNanos) {
        return Glue.engineTurn(engine, ops, count, completions, max, timeoutNanos);
    }

    @Override
    public int engineWake(long engine) {
        return Glue.engineWake(engine);
    }

    @Override
    public int engineRegisterBuffers(long engine, long pairs, int count, long error) {
        return Glue.engineRegisterBuffers(engine, pairs, count, error);
    }

    @Override
    public int engineUnregisterBuffers(long engine) {
        return Glue.engineUnregisterBuffers(engine);
    }

    @Override
    public int engineRegisterFiles(long engine, int count) {
        return Glue.engineRegisterFiles(engine, count);
    }

    @Override
    public int engineUpdateFile(long engine, int slot, int fd) {
        return Glue.engineUpdateFile(engine, slot, fd);
    }

    @Override
    public int engineStats(long engine, long stats) {
        return Glue.engineStats(engine, stats);
    }

    @Override
    public int engineSampleWorkers(long engine) {
        return Glue.engineSampleWorkers(engine);
    }

    @Override
    public int engineDestroy(long engine) {
        return Glue.engineDestroy(engine);
    }

    @Override
    public int probe(long probe, int flags) {
        return Glue.probe(probe, flags);
    }

    @Override
    public long memoryMap(long length, int flags) {
        return Glue.memoryMap(length, flags);
    }

    @Override
    public long memoryHugeBytes(long address, long length) {
        return Glue.memoryHugeBytes(address, length);
    }

    @Override
    public int memoryDiscard(long address, long length) {
        return Glue.memoryDiscard(address, length);
    }

    @Override
    public int memoryUnmap(long address, long length) {
        return Glue.memoryUnmap(address, length);
    }

    @Override
    public long crc64nvme(long seed, long address, long length) {
        return Glue.crc64nvme(seed, address, length);
    }

    @Override
    public int open(long path, int flags, int mode) {
        return Glue.open(path, flags, mode);
    }

    @Override
    public int close(int fd) {
        return Glue.close(fd);
    }

    @Override
    public long pread(int fd, long address, long length, long offset) {
        return Glue.pread(fd, address, length, offset);
    }

    @Override
    public long pwrite(int fd, long address, long length, long offset) {
        return Glue.pwrite(fd, address, length, offset);
    }

    @Override
    public int fsync(int fd) {
        return Glue.fsync(fd);
    }

    @Override
    public int fdatasync(int fd) {
        return Glue.fdatasync(fd);
    }

    @Override
    public int fallocate(int fd, int mode, long offset, long length) {
        return Glue.fallocate(fd, mode, offset, length);
    }

    @Override
    public int ftruncate(int fd, long length) {
        return Glue.ftruncate(fd, length);
    }

    @Override
    public int statx(int fd, long path, long stat) {
        return Glue.statx(fd, path, stat);
    }

    @Override
    public int rename(long from, long to, int flags) {
        return Glue.rename(from, to, flags);
    }

    @Override
    public int unlink(long path, int flags) {
        return Glue.unlink(path, flags);
    }

    @Override
    public int mkdir(long path, int mode) {
        return Glue.mkdir(path, mode);
    }

    @Override
    public int fchmod(int fd, int mode) {
        return Glue.fchmod(fd, mode);
    }

    @Override
    public int tryLock(int fd) {
        return Glue.tryLock(fd);
    }

    @Override
    public long freeBytes(long path) {
        return Glue.freeBytes(path);
    }

    @Override
    public int socketOption(int fd, int what, int value) {
        return Glue.socketOption(fd, what, value);
    }
}
