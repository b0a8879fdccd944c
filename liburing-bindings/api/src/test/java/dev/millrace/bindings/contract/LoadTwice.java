// SPDX-License-Identifier: Apache-2.0
package dev.millrace.bindings.contract;

import dev.millrace.bindings.BindingUnavailableException;
import dev.millrace.bindings.NativeIoProvider;
import java.nio.file.Path;

/** Started by {@link BorderContract} with options of the JVM: prints what loading says, and says again. */
public final class LoadTwice {
    private LoadTwice() {}

    /** PROVIDER LIBRARY. */
    public static void main(String[] args) throws Exception {
        NativeIoProvider provider = Class.forName(args[0])
                .asSubclass(NativeIoProvider.class)
                .getConstructor()
                .newInstance();
        for (int i = 0; i < 2; i++) {
            try {
                System.out.println("loaded " + provider.load(Path.of(args[1])).binding());
            } catch (BindingUnavailableException e) {
                System.out.println(e.getMessage());
            }
        }
    }
}
