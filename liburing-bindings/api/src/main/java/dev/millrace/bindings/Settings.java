// SPDX-License-Identifier: Apache-2.0
package dev.millrace.bindings;

import java.util.Optional;

/** Reads a setting from a system property or, where that is not set, from the environment. */
public final class Settings {
    private Settings() {}

    /** The property's value, else the variable's; an empty text counts as not set. */
    public static Optional<String> read(String property, String variable) {
        return Optional.ofNullable(System.getProperty(property))
                .or(() -> Optional.ofNullable(System.getenv(variable)))
                .filter(value -> !value.isBlank())
                .map(String::trim);
    }

    /** True where the setting is {@code off}, {@code false}, {@code no} or {@code 0}. */
    public static boolean isOff(String property, String variable) {
        return read(property, variable)
                .filter(value -> value.equalsIgnoreCase("off")
                        || value.equalsIgnoreCase("false")
                        || value.equalsIgnoreCase("no")
                        || value.equals("0"))
                .isPresent();
    }
}
