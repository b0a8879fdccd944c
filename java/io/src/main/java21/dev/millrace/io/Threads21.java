// SPDX-License-Identifier: Apache-2.0
package dev.millrace.io;

/** What only JDK 21 and later have of threads; compiled for those, and loaded by no older one. */
final class Threads21 {
    private Threads21() {}

    static boolean currentIsVirtual() {
        return Thread.currentThread().isVirtual();
    }
}
