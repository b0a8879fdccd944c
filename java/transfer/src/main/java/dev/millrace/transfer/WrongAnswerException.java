// SPDX-License-Identifier: Apache-2.0
package dev.millrace.transfer;

import java.io.IOException;

/** The answer is not one to the question. */
final class WrongAnswerException extends IOException {
    private static final long serialVersionUID = 1L;

    WrongAnswerException(String message) {
        super(message);
    }
}
