// SPDX-License-Identifier: Apache-2.0
package dev.millrace.io.engine;

import jdk.jfr.Category;
import jdk.jfr.Description;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;

/** JFR's {@code dev.millrace.CompletionOverflow}: the kernel had to keep completions outside a ring's queue. */
@Name("dev.millrace.CompletionOverflow")
@Label("Completion overflow")
@Category("Millrace")
@Description("The kernel had to keep completions outside the ring's queue; none is lost, but each costs more")
@StackTrace(false)
final class CompletionOverflowEvent extends Event {
    private static final CompletionOverflowEvent PROBE = new CompletionOverflowEvent();

    @Label("Engine")
    String engine = "";

    @Label("Overflows")
    @Description("Since the engine was made")
    long overflows;

    /** True while a recording asks for these events. */
    static boolean isOn() {
        return PROBE.isEnabled();
    }
}
