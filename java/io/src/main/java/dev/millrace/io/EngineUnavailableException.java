// SPDX-License-Identifier: Apache-2.0
package dev.millrace.io;

/** The engine asked for by name cannot be had here; the message says why and what to do. */
public final class EngineUnavailableException extends IoFailure {
    private static final long serialVersionUID = 1L;

    EngineUnavailableException(String message) {
        super("open", "", message);
    }
}
