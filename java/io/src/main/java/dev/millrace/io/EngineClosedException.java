// SPDX-License-Identifier: Apache-2.0
package dev.millrace.io;

/** The engine was closed before the operation was carried out. */
public final class EngineClosedException extends IoFailure {
    private static final long serialVersionUID = 1L;

    EngineClosedException(String operation, String path) {
        super(
                operation,
                path,
                operation + (path.isEmpty() ? "" : " of " + path) + " was not carried out: the engine is closed");
    }
}
