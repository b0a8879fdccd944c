// SPDX-License-Identifier: Apache-2.0
package dev.millrace.io;

/** The engine was closed, or ended by itself, before the operation was carried out. */
public final class EngineClosedException extends IoFailure {
    private static final long serialVersionUID = 1L;

    /** {@code cause}: why the engine ended by itself; empty where it was closed. */
    EngineClosedException(String operation, String path, String cause) {
        super(
                operation,
                path,
                operation + (path.isEmpty() ? "" : " of " + path) + " was not carried out: "
                        + (cause.isEmpty() ? "the engine is closed" : cause));
    }
}
