// SPDX-License-Identifier: Apache-2.0
package dev.millrace.bindings;

import java.nio.file.Path;

/** A binding, or the native library below it, cannot be had; the message is a sentence with the remedy. */
public final class BindingUnavailableException extends Exception {
    private static final long serialVersionUID = 1L;

    /** With the sentence that a user reads. */
    public BindingUnavailableException(String message) {
        super(message);
    }

    /** With the sentence that a user reads and what lies behind it. */
    public BindingUnavailableException(String message, Throwable cause) {
        super(message, cause);
    }

    /**
     * For a JVM that denies native access.
     *
     * @param caller a class of the module that must be granted it
     * @param cause what the JVM said
     */
    public static BindingUnavailableException nativeAccessDenied(Class<?> caller, Throwable cause) {
        String module = caller.getModule().isNamed() ? caller.getModule().getName() : "ALL-UNNAMED";
        return new BindingUnavailableException(
                "this JVM denies native access: start it with --enable-native-access=" + module, cause);
    }

    /**
     * For classes that bind one library as long as they live and are asked for a second one.
     *
     * @param loaded the library they have
     * @param wanted the one they cannot load as well
     */
    public static BindingUnavailableException anotherIsLoaded(Path loaded, Path wanted) {
        return new BindingUnavailableException(
                "these classes have already loaded " + loaded + " and cannot load " + wanted + " as well");
    }
}
