// SPDX-License-Identifier: Apache-2.0
package dev.millrace.io;

/** The file was closed before the call. */
public final class FileClosedException extends IoFailure {
    private static final long serialVersionUID = 1L;

    FileClosedException(String operation, String path) {
        super(operation, path, operation + " of " + path + " is not possible: this VirtualFile is closed");
    }
}
