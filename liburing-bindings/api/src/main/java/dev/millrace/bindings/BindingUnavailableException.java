// SPDX-License-Identifier: Apache-2.0
package dev.millrace.bindings;

/** A binding, or the native library below it, cannot be had; the message is a sentence with the remedy. */
public final class BindingUnavailableException extends Exception {
    private static final long serialVersionUID = 1L;

    /** With the sentence that a user reads. */
    public BindingUnavailableException(String message) {
        super(message);
    }

    /** With the sentence that a user reads and what lies behind it. */
    public BindingUnavailableException(String message, Throwable cause) {
        super(message, cause);
    }
}
