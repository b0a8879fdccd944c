// SPDX-License-Identifier: Apache-2.0
package dev.millrace.io.engine;

import jdk.jfr.Category;
import jdk.jfr.Description;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;
import jdk.jfr.Threshold;
import jdk.jfr.Timespan;

/**
 * JFR's {@code dev.millrace.Operation}: one operation that went through an engine thread, from its submission to its
 * completion. By default only those of 10 ms and more are kept. Made only while a recording asks for it.
 */
@Name("dev.millrace.Operation")
@Label("Engine operation")
@Category("Millrace")
@Description("An operation that went through an engine thread, from its submission to its completion")
@StackTrace(false)
@Threshold("10 ms")
final class OperationEvent extends Event {
    private static final OperationEvent PROBE = new OperationEvent();

    @Label("Kind")
    String kind = "";

    @Label("Path")
    @Description("Empty where the operation names a descriptor alone")
    String path = "";

    @Label("Descriptor")
    int descriptor;

    @Label("Bytes")
    @Description("Bytes moved by a read or write, recv or send")
    long bytes;

    @Label("Errno")
    @Description("0 for success")
    int errno;

    @Label("Queue Time")
    @Description("Time before the operation was handed to the kernel or a worker")
    @Timespan(Timespan.NANOSECONDS)
    long queueTime;

    private final transient long submitted = System.nanoTime();

    /** True while a recording asks for these events. */
    static boolean isOn() {
        return PROBE.isEnabled();
    }

    static OperationEvent begun() {
        OperationEvent event = new OperationEvent();
        event.begin();
        return event;
    }

    /** The operation is handed to the driver; a repeated one counts from the first time. */
    void staged() {
        if (queueTime == 0) {
            queueTime = Math.max(1, System.nanoTime() - submitted);
        }
    }

    /** The operation is complete. */
    void completed(Operation operation, int result) {
        end();
        if (shouldCommit()) {
            kind = OpCode.name(operation.code);
            path = operation.path;
            descriptor = operation.fd;
            bytes = OpCode.movesBytes(operation.code) ? Math.max(0, result) : 0;
            errno = Math.max(0, -result);
            if (queueTime == 0) {
                queueTime = System.nanoTime() - submitted; // it never was
            }
            commit();
        }
    }
}
