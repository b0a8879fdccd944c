// SPDX-License-Identifier: Apache-2.0
package dev.millrace.bindings;

import java.util.function.Consumer;

/** Loads a library for the class loader that this class is of. */
public final class SystemLoad implements Consumer<String> {
    @Override
    public void accept(String library) {
        System.load(library);
    }
}
