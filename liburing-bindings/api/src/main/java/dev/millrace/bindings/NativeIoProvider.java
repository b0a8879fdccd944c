// SPDX-License-Identifier: Apache-2.0
package dev.millrace.bindings;

import java.nio.file.Path;

/**
 * One way from Java to {@code libmillrace}, found by {@link java.util.ServiceLoader}. Constructing a provider loads
 * nothing; {@link #load} does.
 */
public interface NativeIoProvider {

    /** Name a user gives to ask for it: {@code ffm}, {@code jni} or {@code jna}. */
    String name();

    /** Where several are there, the highest is taken. */
    int priority();

    /**
     * Loads the library and binds every function of the ABI.
     *
     * @param library absolute path of the shared library
     * @throws BindingUnavailableException where the JDK refuses, the library cannot be loaded, or a function is
     *     missing, which is then named
     */
    NativeIo load(Path library) throws BindingUnavailableException;
}
