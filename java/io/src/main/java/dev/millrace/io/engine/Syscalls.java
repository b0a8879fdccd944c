// SPDX-License-Identifier: Apache-2.0
package dev.millrace.io.engine;

import java.nio.ByteBuffer;

/**
 * File operations that block the calling thread. Results are counts, descriptors or negated errnos; EINTR does not
 * show. Paths are text of any length; a descriptor is whatever {@link #open} returned.
 */
public interface Syscalls {

    /** Opens; flags of {@link OpenFlag}, permissions for a file that is made. */
    int open(String path, int flags, int mode);

    /** Closes. */
    int close(int fd);

    /** Reads at an offset into memory given both ways, as in {@link Operation}. */
    long pread(int fd, long address, ByteBuffer memory, int at, int length, long offset);

    /** Writes at an offset. */
    long pwrite(int fd, long address, ByteBuffer memory, int at, int length, long offset);

    /** Makes data and metadata durable. */
    int fsync(int fd);

    /** Makes data durable. */
    int fdatasync(int fd);

    /** Reserves space and sets the length ({@code fallocate} mode 0); -EOPNOTSUPP where that cannot be had. */
    int allocate(int fd, long offset, long length);

    /** Sets the length. */
    int truncate(int fd, long length);

    /** Describes an open file. */
    StatResult stat(int fd);

    /** Describes what a path names, following symbolic links. */
    StatResult stat(String path);

    /** Renames, replacing unless {@code noReplace}. */
    int rename(String from, String to, boolean noReplace);

    /** Removes a file, or an empty folder. */
    int unlink(String path, boolean directory);

    /** Makes a folder. */
    int mkdir(String path, int mode);

    /** Sets permissions. */
    int chmod(int fd, int mode);

    /** Advisory lock of the whole file for this open file; -EAGAIN when another process or open file holds it. */
    int tryLock(int fd);

    /** Bytes free for an unprivileged user on the path's file system; {@link Long#MAX_VALUE} where it does not count. */
    long freeBytes(String path);

    /**
     * A stat or the error that stood in its way.
     *
     * @param error 0 or a negated errno
     * @param stat meaningful when the error is 0
     */
    record StatResult(int error, FileStat stat) {
        private static final FileStat NOTHING = new FileStat(0, 0, 0, 0, 0, 0, "", 4096, -1, -1);

        /** A failure. */
        static StatResult failed(int error) {
            return new StatResult(error, NOTHING);
        }
    }
}
