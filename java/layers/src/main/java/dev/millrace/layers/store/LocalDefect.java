// SPDX-License-Identifier: Apache-2.0
package dev.millrace.layers.store;

/** What may be wrong with a layer's local file. Each leads to its being fetched anew. */
public enum LocalDefect {
    /** There is none. */
    MISSING("is missing"),
    /** It is shorter, or longer, than the index says. */
    OTHER_LENGTH("has another length than the index says"),
    /** A folder, link, device or the like has its name. */
    NOT_REGULAR("is no regular file"),
    /** Its bytes are not those that were written. */
    ROTTEN("has bytes that were not written so");

    private final String words;

    LocalDefect(String words) {
        this.words = words;
    }

    /** What follows the file's name in a sentence. */
    String words() {
        return words;
    }
}
