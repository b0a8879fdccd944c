// SPDX-License-Identifier: Apache-2.0
package dev.millrace.server.churn;

/** Why a run could not begin, or a request was not answered as it must be; the message is a sentence for people. */
public final class ChurnFailure extends Exception {
    private static final long serialVersionUID = 1L;

    /** A sentence without its stop. */
    public ChurnFailure(String sentence) {
        super(sentence);
    }

    /** The same with what it came from. */
    public ChurnFailure(String sentence, Throwable cause) {
        super(sentence, cause);
    }
}
