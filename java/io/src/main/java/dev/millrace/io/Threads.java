// SPDX-License-Identifier: Apache-2.0
package dev.millrace.io;

/** What depends on the JDK's age about threads. The jar holds a second version of this class for JDK 21 and later. */
final class Threads {
    private Threads() {}

    /** True on a virtual thread, which must park instead of blocking its carrier. */
    static boolean currentIsVirtual() {
        return false;
    }
}
