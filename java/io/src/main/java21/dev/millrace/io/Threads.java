// SPDX-License-Identifier: Apache-2.0
package dev.millrace.io;

/** What depends on the JDK's age about threads: JDK 21 and later have virtual ones. */
final class Threads {
    private Threads() {}

    /** True on a virtual thread, which must park instead of blocking its carrier. */
    static boolean currentIsVirtual() {
        return Thread.currentThread().isVirtual();
    }
}
