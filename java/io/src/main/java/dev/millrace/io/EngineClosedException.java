// SPDX-License-Identifier: Apache-2.0
package dev.millrace.io;

/**
 * The engine was closed before the operation was carried out; or it ended by itself, which the message says with the cause:
 * then the operation may be done in part, or whole.
 */
public final class EngineClosedException extends IoFailure {
    private static final long serialVersionUID = 1L;

    /** {@code cause}: why the engine ended by itself; empty where it was closed. */
    EngineClosedException(String operation, String path, String cause) {
        super(
                operation,
                path,
                operation
                        + (path.isEmpty() ? "" : " of " + path)
                        + (cause.isEmpty() ? " was not carried out: the engine is closed" : " failed: " + cause));
    }
}
