// SPDX-License-Identifier: Apache-2.0
package dev.millrace.bindings;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** System properties and the context class loader as they were, to be put back after a test. */
final class SavedProperties {
    private final Map<String, Optional<String>> values = new HashMap<>();
    private final ClassLoader loader = Thread.currentThread().getContextClassLoader();

    /** Saves and clears what the loader reads. */
    SavedProperties() {
        for (String name : List.of(
                NativeLibrary.DIRECTORY_PROPERTY, NativeLibrary.CACHE_PROPERTY, "java.library.path", "os.arch")) {
            values.put(name, Optional.ofNullable(System.getProperty(name)));
        }
        System.clearProperty(NativeLibrary.DIRECTORY_PROPERTY);
        System.clearProperty(NativeLibrary.CACHE_PROPERTY);
        System.setProperty("java.library.path", "");
    }

    void restore() {
        values.forEach((name, value) ->
                value.ifPresentOrElse(text -> System.setProperty(name, text), () -> System.clearProperty(name)));
        Thread.currentThread().setContextClassLoader(loader);
    }
}
