// SPDX-License-Identifier: Apache-2.0
package dev.millrace.io.engine;

/**
 * Errnos by Linux's numbers, which x86-64 and aarch64 share, and their names. Results carry them negated. The two above
 * 4000 are our own and never come from a kernel (whose numbers end at 4095 and whose used ones below 140).
 */
public final class Errno {
    public static final int EPERM = 1;
    public static final int ENOENT = 2;
    public static final int EINTR = 4;
    public static final int EIO = 5;
    public static final int EBADF = 9;
    public static final int EAGAIN = 11;
    public static final int ENOMEM = 12;
    public static final int EACCES = 13;
    public static final int EBUSY = 16;
    public static final int EEXIST = 17;
    public static final int ENOTDIR = 20;
    public static final int EISDIR = 21;
    public static final int EINVAL = 22;
    public static final int ENFILE = 23;
    public static final int EMFILE = 24;
    public static final int EFBIG = 27;
    public static final int ENOSPC = 28;
    public static final int EROFS = 30;
    public static final int ENAMETOOLONG = 36;
    public static final int ENOSYS = 38;
    public static final int ENOTEMPTY = 39;
    public static final int ELOOP = 40;
    public static final int ETIME = 62;
    public static final int EOPNOTSUPP = 95;
    public static final int EALREADY = 114;
    public static final int EINPROGRESS = 115;
    public static final int ESTALE = 116;
    public static final int EDQUOT = 122;
    public static final int ECANCELED = 125;
    /** A write that moved nothing before its end. */
    public static final int ZERO_WRITE = 4001;
    /** A failure in pure Java whose errno the JDK does not tell. */
    public static final int UNKNOWN = 4002;

    private Errno() {}

    /** {@code ENOSPC} for 28, {@code errno 999} for one without a name here. */
    public static String name(int errno) {
        return switch (errno) {
            case EPERM -> "EPERM";
            case ENOENT -> "ENOENT";
            case EINTR -> "EINTR";
            case EIO -> "EIO";
            case EBADF -> "EBADF";
            case EAGAIN -> "EAGAIN";
            case ENOMEM -> "ENOMEM";
            case EACCES -> "EACCES";
            case EBUSY -> "EBUSY";
            case EEXIST -> "EEXIST";
            case ENOTDIR -> "ENOTDIR";
            case EISDIR -> "EISDIR";
            case EINVAL -> "EINVAL";
            case ENFILE -> "ENFILE";
            case EMFILE -> "EMFILE";
            case EFBIG -> "EFBIG";
            case ENOSPC -> "ENOSPC";
            case EROFS -> "EROFS";
            case ENAMETOOLONG -> "ENAMETOOLONG";
            case ENOSYS -> "ENOSYS";
            case ENOTEMPTY -> "ENOTEMPTY";
            case ELOOP -> "ELOOP";
            case ETIME -> "ETIME";
            case EOPNOTSUPP -> "EOPNOTSUPP";
            case EALREADY -> "EALREADY";
            case EINPROGRESS -> "EINPROGRESS";
            case EDQUOT -> "EDQUOT";
            case ESTALE -> "ESTALE";
            case ECANCELED -> "ECANCELED";
            case ZERO_WRITE -> "a write of zero bytes";
            case UNKNOWN -> "an error the JDK does not number";
            case 6 -> "ENXIO";
            case 14 -> "EFAULT";
            case 18 -> "EXDEV";
            case 19 -> "ENODEV";
            case 26 -> "ETXTBSY";
            case 29 -> "ESPIPE";
            case 31 -> "EMLINK";
            case 32 -> "EPIPE";
            case 75 -> "EOVERFLOW";
            case 104 -> "ECONNRESET";
            case 110 -> "ETIMEDOUT";
            case 111 -> "ECONNREFUSED";
            case 113 -> "EHOSTUNREACH";
            default -> "errno " + errno;
        };
    }

    /** What the error means and what to do about it, as the second half of a sentence. */
    public static String meaning(int errno) {
        return switch (errno) {
            case EPERM -> "not permitted";
            case ENOENT -> "no such file or folder";
            case EIO -> "the device reports an input/output error; check its health before trusting the file";
            case EACCES -> "permission denied";
            case EBUSY -> "busy";
            case EBADF -> "the file is not open for this (was it opened for reading only, or for writing only?)";
            case ZERO_WRITE -> "the system took none of the bytes";
            case EEXIST -> "exists already";
            case ENOTDIR -> "a part of the path is not a folder";
            case EISDIR -> "is a folder";
            case EINVAL -> "not accepted by the file system (alignment under direct I/O, or an unsupported flag)";
            case ENFILE -> "the system has no descriptors left";
            case EMFILE -> "the process has no descriptors left; raise it with ulimit -n";
            case EFBIG -> "larger than the file system or ulimit -f allows";
            case ENOSPC -> "no space left on the device";
            case EROFS -> "the file system is read-only";
            case ENAMETOOLONG -> "the name is too long for the file system";
            case ELOOP -> "too many symbolic links";
            case ENOMEM -> "out of memory, or over RLIMIT_MEMLOCK (see ulimit -l)";
            case EDQUOT -> "the disk quota is used up";
            case ESTALE -> "the file no longer lies under its path";
            case ECANCELED -> "cancelled";
            case EOPNOTSUPP -> "not supported here";
            case ENOSYS -> "not known to this kernel";
            default -> "the operation failed";
        };
    }
}
