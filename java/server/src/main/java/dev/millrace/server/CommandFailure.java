// SPDX-License-Identifier: Apache-2.0
package dev.millrace.server;

import java.util.Optional;

/** What ends a command with a sentence and an exit status. */
final class CommandFailure extends Exception {
    private static final long serialVersionUID = 1L;

    /** Something failed. */
    static final int FAILED = 1;
    /** The command was used wrongly. */
    static final int USAGE = 2;

    private final int status;

    private CommandFailure(int status, String sentence, Optional<Throwable> cause) {
        super(sentence, cause.orElse(null));
        this.status = status;
    }

    static CommandFailure failed(String sentence) {
        return new CommandFailure(FAILED, sentence, Optional.empty());
    }

    static CommandFailure failed(String sentence, Throwable cause) {
        return new CommandFailure(FAILED, sentence, Optional.of(cause));
    }

    static CommandFailure usage(String sentence) {
        return new CommandFailure(USAGE, sentence, Optional.empty());
    }

    int status() {
        return status;
    }
}
