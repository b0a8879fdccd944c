// SPDX-License-Identifier: Apache-2.0
package dev.millrace.io;

/** The path names something that a VirtualFile cannot be, or a mode that its file system does not have. */
public final class UnsupportedFileException extends IoFailure {
    private static final long serialVersionUID = 1L;

    UnsupportedFileException(String operation, String path, String message) {
        super(operation, path, message);
    }
}
