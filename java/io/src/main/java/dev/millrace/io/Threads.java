// SPDX-License-Identifier: Apache-2.0
package dev.millrace.io;

/**
 * What depends on the JDK's age about threads. The class for the newer ones has a name of its own and is no second
 * version of this one in {@code META-INF/versions}: tools that relocate packages leave those where they are.
 */
final class Threads {
    private static final boolean VIRTUAL_EXIST = Runtime.version().feature() >= 21;

    private Threads() {}

    /** True on a virtual thread, which must park instead of blocking its carrier. */
    static boolean currentIsVirtual() {
        return VIRTUAL_EXIST && Threads21.currentIsVirtual();
    }
}
