// SPDX-License-Identifier: Apache-2.0
package dev.millrace.io;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
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

    private final Recording recording = new Recording();

    /** Records these, and no others. */
    Events(String... names) {
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
