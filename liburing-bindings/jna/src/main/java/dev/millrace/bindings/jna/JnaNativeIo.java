// SPDX-License-Identifier: Apache-2.0
package dev.millrace.bindings.jna;

import com.sun.jna.FunctionMapper;
import com.sun.jna.Library;
import com.sun.jna.Native;
import com.sun.jna.NativeLibrary;
import com.sun.jna.Pointer;
import dev.millrace.bindings.NativeFunction;
import dev.millrace.bindings.NativeIo;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.Map;

/** The ABI through JNA: its direct mapping makes each native method a call of the C function, with no object made. */
final class JnaNativeIo implements NativeIo {
    private static final FunctionMapper SYMBOLS = (library, method) -> NativeFunction.ofJavaName(method.getName())
            .map(NativeFunction::symbol)
            .orElseGet(method::getName);

    /** Held as long as the methods may be called: JNA closes a library that nobody holds. */
    private final NativeLibrary library;

    /**
     * Binds every native method of this class.
     *
     * @throws UnsatisfiedLinkError where the library cannot be loaded or lacks a function, which is named
     */
    JnaNativeIo(Path path) {
        library = NativeLibrary.getInstance(path.toString(), Map.of(Library.OPTION_FUNCTION_MAPPER, SYMBOLS));
        Native.register(JnaNativeIo.class, library);
    }

    @Override
    public String binding() {
        return JnaProvider.NAME;
    }

    @Override
    public ByteBuffer view(long address, int length) {
        return new Pointer(address).getByteBuffer(0, length).order(ByteOrder.nativeOrder());
    }

    @Override
    public native int abiVersion();

    @Override
    public native long constant(int id);

    @Override
    public native int errnoName(int errno, long out, int capacity);

    @Override
    public native long engineCreate(long config, long report);

    @Override
    public native int engineTurn(long engine, long ops, int count, long completions, int max, long timeoutNanos);

    @Override
    public native int engineWake(long engine);

    @Override
    public native int engineRegisterBuffers(long engine, long pairs, int count, long error);

    @Override
    public native int engineUnregisterBuffers(long engine);

    @Override
    public native int engineRegisterFiles(long engine, int count);

    @Override
    public native int engineUpdateFile(long engine, int slot, int fd);

    @Override
    public native int engineStats(long engine, long stats);

    @Override
    public native int engineSampleWorkers(long engine);

    @Override
    public native int engineDestroy(long engine);

    @Override
    public native int probe(long probe, int flags);

    @Override
    public native long memoryMap(long length, int flags);

    @Override
    public native long memoryHugeBytes(long address, long length);

    @Override
    public native int memoryDiscard(long address, long length);

    @Override
    public native int memoryUnmap(long address, long length);

    @Override
    public native long crc64nvme(long seed, long address, long length);

    @Override
    public native int open(long path, int flags, int mode);

    @Override
    public native int close(int fd);

    @Override
    public native long pread(int fd, long address, long length, long offset);

    @Override
    public native long pwrite(int fd, long address, long length, long offset);

    @Override
    public native int fsync(int fd);

    @Override
    public native int fdatasync(int fd);

    @Override
    public native int fallocate(int fd, int mode, long offset, long length);

    @Override
    public native int ftruncate(int fd, long length);

    @Override
    public native int statx(int fd, long path, long stat);

    @Override
    public native int rename(long from, long to, int flags);

    @Override
    public native int unlink(long path, int flags);

    @Override
    public native int mkdir(long path, int mode);

    @Override
    public native int fchmod(int fd, int mode);

    @Override
    public native int tryLock(int fd);

    @Override
    public native long freeBytes(long path);

    @Override
    public native int socketOption(int fd, int what, int value);

    @Override
    public String toString() {
        return library.toString();
    }
}
