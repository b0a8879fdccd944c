// SPDX-License-Identifier: Apache-2.0
package dev.millrace.bindings;

import java.nio.file.Path;

/**
 * One way from Java to {@code libmillrace}, found by {@link java.util.ServiceLoader}. Constructing a provider loads
 * nothing; {@link #load} does.
 *
 * <p>The last segment of the provider's package is the binding's name: where a provider cannot even be constructed,
 * because it was built for a newer JDK, it is refused under that name.
 */
public interface NativeIoProvider {

    /** Name a user gives to ask for it: {@code ffm}, {@code jni} or {@code jna}. */
    String name();

    /** Where several are there, the highest is taken. */
    int priority();

    /** Name of the shared library that this way needs, without {@code lib} and {@code .so}. */
    default String library() {
        return "millrace";
    }

    /**
     * Loads the library and binds every function of the ABI.
     *
     * @param library absolute path of the shared library
     * @throws BindingUnavailableException where the JDK refuses, the library cannot be loaded, or a function is
     *     missing, which is then named
     */
    NativeIo load(Path library) throws BindingUnavailableException;

    /**
     * Lets go of what would keep these classes alive, after the last use of a binding.
     *
     * @return whether it can be used no more and must be loaded anew; where a library stays loaded as long as the
     *     classes do, and goes with them, there is nothing to do
     */
    default boolean unload(NativeIo nativeIo) {
        return false;
    }
}
