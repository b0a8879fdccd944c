// SPDX-License-Identifier: Apache-2.0
package dev.millrace.transfer;

import java.io.IOException;

/** A key that cannot be a file or folder below the target. The message is a sentence that names key and reason. */
public final class KeyRefusedException extends IOException {
    private static final long serialVersionUID = 1L;

    KeyRefusedException(String key, String reason) {
        super("The key " + key + " is refused: " + reason);
    }
}
