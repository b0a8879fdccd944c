// SPDX-License-Identifier: Apache-2.0
package dev.millrace.io;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import jdk.jfr.EventType;
import jdk.jfr.FlightRecorder;
import jdk.jfr.Recording;
import jdk.jfr.consumer.RecordedEvent;
import jdk.jfr.consumer.RecordingFile;

/** A recording of this JVM's own events, all of them however short. */
final class Events implements AutoCloseable {
    static final String OPERATION = "dev.millrace.Operation";
    static final String BLOCKING_CALL = "dev.millrace.BlockingCall";
    static final String ENGINE_OPENED = "dev.millrace.EngineOpened";
    static final String ENGINE_CLOSED = "dev.millrace.EngineClosed";
    static final String OVERFLOW = "dev.millrace.CompletionOverflow";
    static final String PINNED = "jdk.VirtualThreadPinned";

    private static final List<String> OURS = List.of(OPERATION, BLOCKING_CALL, ENGINE_OPENED, ENGINE_CLOSED, OVERFLOW);

    private final Recording recording = new Recording();

    /**
     * Records these, and no others. Those would not matter to who looks for names, were it not that JFR pins a virtual
     * thread while it writes a long text of an event: to look for pinned threads, none is to write any.
     */
    Events(String... names) {
        // Events of Java classes are on unless they are switched off; ours may be registered only later.
        for (EventType type : FlightRecorder.getFlightRecorder().getEventTypes()) {
            recording.disable(type.getName());
        }
        OURS.forEach(recording::disable);
        for (String name : names) {
            recording.enable(name).withThreshold(Duration.ZERO);
        }
        recording.start();
    }

    /** Stops; what was recorded under a name. */
    List<RecordedEvent> stop(String name) throws IOException {
        if (recording.getState() == jdk.jfr.RecordingState.RUNNING) {
            recording.stop();
        }
        Path file = Files.createTempFile("millrace", ".jfr");
        try {
            recording.dump(file);
            return RecordingFile.readAllEvents(file).stream()
                    .filter(event -> event.getEventType().getName().equals(name))
                    .toList();
        } finally {
            Files.delete(file);
        }
    }

    @Override
    public void close() {
        recording.close();
    }
}
