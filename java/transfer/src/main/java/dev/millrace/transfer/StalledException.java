// SPDX-License-Identifier: Apache-2.0
package dev.millrace.transfer;

import java.io.IOException;

/** A transfer that does not move, cut by us. */
final class StalledException extends IOException {
    private static final long serialVersionUID = 1L;

    StalledException(String message) {
        super(message);
    }
}
