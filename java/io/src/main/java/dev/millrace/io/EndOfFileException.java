// SPDX-License-Identifier: Apache-2.0
package dev.millrace.io;

/** A file ended before the bytes that were wanted. */
public final class EndOfFileException extends IoFailure {
    private static final long serialVersionUID = 1L;

    private final long transferred;

    EndOfFileException(String path, long position, long wanted, long got) {
        super(
                "read",
                path,
                "read of " + path + " at offset " + position + " wanted " + wanted + " bytes and the file ended after "
                        + got);
        transferred = got;
    }

    /** Bytes that there were; they are in the caller's buffer. */
    public long transferred() {
        return transferred;
    }
}
