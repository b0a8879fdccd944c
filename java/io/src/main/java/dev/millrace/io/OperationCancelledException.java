// SPDX-License-Identifier: Apache-2.0
package dev.millrace.io;

/** The operation was cancelled, by the caller or (twice) by the kernel. */
public final class OperationCancelledException extends IoFailure {
    private static final long serialVersionUID = 1L;

    OperationCancelledException(String operation, String path) {
        super(operation, path, operation + " of " + path + " was cancelled");
    }

    @Override
    public boolean retryCanHelp() {
        return true;
    }
}
