// SPDX-License-Identifier: Apache-2.0
package dev.millrace.transfer;

import java.io.IOException;

/** The answer is of another object than the one that was begun or promised. */
final class ChangedException extends IOException {
    private static final long serialVersionUID = 1L;

    ChangedException(String message) {
        super(message);
    }
}
