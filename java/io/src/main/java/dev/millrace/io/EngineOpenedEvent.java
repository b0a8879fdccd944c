// SPDX-License-Identifier: Apache-2.0
package dev.millrace.io;

import jdk.jfr.Category;
import jdk.jfr.Description;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;

/** JFR's {@code dev.millrace.EngineOpened}: which engine was started, and why no better one. */
@Name("dev.millrace.EngineOpened")
@Label("Engine opened")
@Category("Millrace")
@Description("An engine that was started, at the opening or by a switch, and why no better one")
@StackTrace(false)
final class EngineOpenedEvent extends Event {
    @Label("Engine")
    String engine = "";

    @Label("Binding")
    String binding = "";

    @Label("Stepped Down")
    @Description("Reason and remedy of each step down; empty where there was none")
    String steppedDown = "";

    static void emit(Lanes.Started started, String binding) {
        EngineOpenedEvent event = new EngineOpenedEvent();
        if (event.shouldCommit()) {
            event.engine = started.kind().label();
            event.binding = binding;
            event.steppedDown = String.join("; ", started.allNotes());
            event.commit();
        }
    }
}
