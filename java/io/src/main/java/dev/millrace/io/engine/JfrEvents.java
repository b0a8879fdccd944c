// SPDX-License-Identifier: Apache-2.0
package dev.millrace.io.engine;

/** Whether this run-time image has JFR, without which no class of an event may be touched. */
public final class JfrEvents {
    /** A run-time image of {@code java.base} alone has none. */
    public static final boolean ARE_THERE =
            ModuleLayer.boot().findModule("jdk.jfr").isPresent();

    private JfrEvents() {}
}
