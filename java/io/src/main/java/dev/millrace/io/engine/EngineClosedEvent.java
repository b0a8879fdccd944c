// SPDX-License-Identifier: Apache-2.0
package dev.millrace.io.engine;

import jdk.jfr.Category;
import jdk.jfr.Description;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;

/** JFR's {@code dev.millrace.EngineClosed}: from the call of close to the end of the last operation in flight. */
@Name("dev.millrace.EngineClosed")
@Label("Engine closed")
@Category("Millrace")
@Description("An engine that was closed, from the call to the end of the last operation that was in flight")
@StackTrace(false)
final class EngineClosedEvent extends Event {
    @Label("Engine")
    String engine = "";

    @Label("In Flight")
    @Description("Operations in flight when the close began")
    int inFlight;

    @Label("Dropped")
    @Description("Operations that waited in line and were not begun")
    int dropped;

    @Label("Cancelled")
    @Description("Operations in flight that were asked to stop")
    int cancelled;
}
