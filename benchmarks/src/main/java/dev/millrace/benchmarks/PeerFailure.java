// SPDX-License-Identifier: Apache-2.0
package dev.millrace.benchmarks;

/** Why a contender has no figures: a sentence, which becomes its row. */
final class PeerFailure extends Exception {
    private static final long serialVersionUID = 1L;

    PeerFailure(String sentence) {
        super(sentence);
    }
}
