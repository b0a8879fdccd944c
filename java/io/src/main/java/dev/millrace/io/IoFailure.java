// SPDX-License-Identifier: Apache-2.0
package dev.millrace.io;

import java.io.IOException;

/**
 * An I/O failure that says what failed, on which path, with which errno, and whether trying again can help. The message
 * is a whole sentence for a person.
 */
public abstract sealed class IoFailure extends IOException
        permits OperationFailedException,
                FatalIoException,
                EngineClosedException,
                EngineUnavailableException,
                EndOfFileException,
                FileClosedException,
                FileReplacedException,
                MisalignedException,
                OperationCancelledException,
                UnsupportedFileException {
    private static final long serialVersionUID = 1L;

    private final String operation;
    private final String path;

    IoFailure(String operation, String path, String message) {
        super(message);
        this.operation = operation;
        this.path = path;
    }

    /** What was tried: {@code write}, {@code fsync}, {@code open}, ... */
    public final String operation() {
        return operation;
    }

    /** The file it was tried on; empty where there is none. */
    public final String path() {
        return path;
    }

    /** Errno by Linux's number, 0 where the failure has none. */
    public int errno() {
        return 0;
    }

    /** True where the same call may succeed later without anyone mending anything. */
    public boolean retryCanHelp() {
        return false;
    }
}
