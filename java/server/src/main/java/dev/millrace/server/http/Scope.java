// SPDX-License-Identifier: Apache-2.0
package dev.millrace.server.http;

import java.util.Locale;
import java.util.Optional;

/** What a token allows. */
public enum Scope {
    /** To look, and change nothing: not even what is on disk. */
    OBSERVE,
    /** All. */
    MANAGE;

    /** As token files say it. */
    String label() {
        return name().toLowerCase(Locale.ROOT);
    }

    static Optional<Scope> parse(String label) {
        for (Scope scope : values()) {
            if (scope.label().equals(label)) {
                return Optional.of(scope);
            }
        }
        return Optional.empty();
    }

    boolean allows(Scope needed) {
        return compareTo(needed) >= 0;
    }
}
