// SPDX-License-Identifier: Apache-2.0
package dev.millrace.io;

import java.util.Optional;
import jdk.jfr.Category;
import jdk.jfr.Description;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.Threshold;

/**
 * JFR's {@code dev.millrace.BlockingCall}: a read, write or fsync of a {@link VirtualFile} that held its caller up, with
 * the caller's stack. By default only those of 10 ms and more are kept. What it did through an engine thread, for a
 * virtual thread, is a {@code dev.millrace.Operation} as well.
 */
@Name("dev.millrace.BlockingCall")
@Label("Blocking call")
@Category("Millrace")
@Description("A read, write or fsync that held its caller up")
@Threshold("10 ms")
final class BlockingCallEvent extends Event {
    private static final BlockingCallEvent PROBE = new BlockingCallEvent();

    @Label("Kind")
    String kind = "";

    @Label("Path")
    String path = "";

    @Label("Bytes")
    long bytes;

    @Label("Errno")
    @Description("0 for success")
    int errno;

    /** An event that begins now, or nothing while no recording asks for these events. */
    static Optional<BlockingCallEvent> begun() {
        if (!PROBE.isEnabled()) {
            return Optional.empty();
        }
        BlockingCallEvent event = new BlockingCallEvent();
        event.begin();
        return Optional.of(event);
    }

    void ended(String operation, String file, long moved, int error) {
        end();
        if (shouldCommit()) {
            kind = operation;
            path = file;
            bytes = moved;
            errno = error;
            commit();
        }
    }
}
