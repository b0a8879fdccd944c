// SPDX-License-Identifier: Apache-2.0
package dev.millrace.io;

/**
 * The local disk can no longer be trusted with this file: EIO, EROFS or EACCES while data was written, or any failed
 * fsync. Never retried on the same file; the embedding program decides what becomes of the process.
 */
public final class FatalIoException extends IoFailure {
    private static final long serialVersionUID = 1L;

    private final int errno;

    FatalIoException(String operation, String path, int errno, String detail) {
        super(operation, path, OperationFailedException.sentence(operation, path, errno, detail));
        this.errno = errno;
    }

    @Override
    public int errno() {
        return errno;
    }
}
