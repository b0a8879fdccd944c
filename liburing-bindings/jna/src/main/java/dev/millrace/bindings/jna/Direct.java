// SPDX-License-Identifier: Apache-2.0
package dev.millrace.bindings.jna;

import com.sun.jna.Native;
import com.sun.jna.NativeLibrary;
import java.nio.file.Path;

/**
 * The functions of {@code millrace.h} by JNA's direct mapping, which makes each native method a call of the C function
 * with no object made. They bear the names of C, by which JNA looks them up: a mapper of names would be an object of
 * ours in JNA's tables, and keep a dropped class loader alive where JNA belongs to another one.
 */
final class Direct {
    private Direct() {}

    /**
     * Binds every native method of this class. JNA holds the library until {@link #unbind}.
     *
     * @throws UnsatisfiedLinkError where the library cannot be loaded or lacks a function, which is named
     */
    static void bind(Path path) {
        Thread thread = Thread.currentThread();
        ClassLoader context = thread.getContextClassLoader();
        // JNA may start its cleaner thread here, which would inherit the loader and keep it.
        thread.setContextClassLoader(Native.class.getClassLoader());
        try {
            Native.register(Direct.class, NativeLibrary.getInstance(path.toString()));
        } catch (UnsatisfiedLinkError e) {
            unbind();
            throw e;
        } finally {
            thread.setContextClassLoader(context);
        }
    }

    /** Lets JNA forget this class: it holds the class by the methods, and in the options it noted under its name. */
    static void unbind() {
        Native.getLibraryOptions(Direct.class).values().remove(Direct.class);
        Native.unregister(Direct.class);
    }

    static native int mr_abi_version();

    static native long mr_constant(int id);

    static native int mr_errno_name(int errno, long out, int capacity);

    static native long mr_engine_create(long config, long report);

    static native int mr_engine_turn(long engine, long ops, int count, long completions, int max, long timeoutNanos);

    static native int mr_engine_wake(long engine);

    static native int mr_engine_register_buffers(long engine, long pairs, int count, long error);

    static native int mr_engine_unregister_buffers(long engine);

    static native int mr_engine_register_files(long engine, int count);

    static native int mr_engine_update_file(long engine, int slot, int fd);

    static native int mr_engine_stats(long engine, long stats);

    static native int mr_engine_sample_workers(long engine);

    static native int mr_engine_destroy(long engine);

    static native int mr_probe(long probe, int flags);

    static native long mr_memory_map(long length, int flags);

    static native long mr_memory_huge_bytes(long address, long length);

    static native int mr_memory_discard(long address, long length);

    static native int mr_memory_unmap(long address, long length);

    static native long mr_crc64nvme(long seed, long address, long length);

    static native int mr_open(long path, int flags, int mode);

    static native int mr_close(int fd);

    static native long mr_pread(int fd, long address, long length, long offset);

    static native long mr_pwrite(int fd, long address, long length, long offset);

    static native int mr_fsync(int fd);

    static native int mr_fdatasync(int fd);

    static native int mr_fallocate(int fd, int mode, long offset, long length);

    static native int mr_ftruncate(int fd, long length);

    static native int mr_statx(int fd, long path, long stat);

    static native int mr_rename(long from, long to, int flags);

    static native int mr_unlink(long path, int flags);

    static native int mr_mkdir(long path, int mode);

    static native int mr_fchmod(int fd, int mode);

    static native int mr_try_lock(int fd);

    static native long mr_free_bytes(long path);

    static native int mr_socket_option(int fd, int what, int value);
}
