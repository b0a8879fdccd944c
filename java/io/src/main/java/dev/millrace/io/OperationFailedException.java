// SPDX-License-Identifier: Apache-2.0
package dev.millrace.io;

import dev.millrace.io.engine.Errno;

/** The system refused or failed an operation. */
public final class OperationFailedException extends IoFailure {
    private static final long serialVersionUID = 1L;

    private final int errno;
    private final long transferred;

    OperationFailedException(String operation, String path, int errno, long transferred, String detail) {
        super(operation, path, sentence(operation, path, errno, detail));
        this.errno = errno;
        this.transferred = transferred;
    }

    /** Every descriptor that an engine may have open is one that it may not close. */
    static OperationFailedException allKept(String operation, String path, int limit) {
        return new OperationFailedException(
                operation,
                path,
                Errno.EMFILE,
                operation + " of " + path + " is not possible: all " + limit + " descriptors of this engine belong to"
                        + " files that keep theirs until they are closed (locked, removed or replaced since they were"
                        + " opened, or without permission to be opened again); close some, or give the engine more by"
                        + " IoEngineConfig.withDescriptors");
    }

    private OperationFailedException(String operation, String path, int errno, String message) {
        super(operation, path, message);
        this.errno = errno;
        this.transferred = 0;
    }

    static String sentence(String operation, String path, int errno, String detail) {
        return operation + " of " + path + " failed" + (detail.isEmpty() ? "" : " " + detail) + ": " + Errno.name(errno)
                + ", " + Errno.meaning(errno);
    }

    @Override
    public int errno() {
        return errno;
    }

    /** Bytes that a read or write had moved before it failed. */
    public long transferred() {
        return transferred;
    }

    /** True where the device, the quota or the size limit has no room (ENOSPC, EDQUOT, EFBIG). */
    public boolean isOutOfSpace() {
        return errno == Errno.ENOSPC || errno == Errno.EDQUOT || errno == Errno.EFBIG;
    }

    @Override
    public boolean retryCanHelp() {
        return isOutOfSpace()
                || errno == Errno.EMFILE
                || errno == Errno.ENFILE
                || errno == Errno.ENOMEM
                || errno == Errno.EAGAIN
                || errno == Errno.EBUSY;
    }
}
