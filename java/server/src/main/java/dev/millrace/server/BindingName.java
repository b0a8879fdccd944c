// SPDX-License-Identifier: Apache-2.0
package dev.millrace.server;

import java.util.List;

/** What may stand behind {@code --binding}. */
final class BindingName {
    private static final List<String> NAMES = List.of("auto", "ffm", "jni", "jna");

    private BindingName() {}

    /**
     * The name, where it is one.
     *
     * @throws IllegalArgumentException where it is none, with those that there are
     */
    static String check(String name) {
        if (!NAMES.contains(name)) {
            throw new IllegalArgumentException(
                    "there is no binding " + name + ": there are " + String.join(", ", NAMES));
        }
        return name;
    }
}
