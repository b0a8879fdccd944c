// SPDX-License-Identifier: Apache-2.0
package dev.millrace.io;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millrace.io.engine.Errno;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.time.Duration;
import java.util.List;
import jdk.jfr.consumer.RecordedEvent;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;

/** What a JFR recording shows of files and engines. */
@ParameterizedClass(name = "{0}")
@EnumSource(EngineKind.class)
class EventContractTest extends EngineContract {
    private static RecordedEvent only(List<RecordedEvent> events, String kind, String path) {
        List<RecordedEvent> found = events.stream()
                .filter(event -> event.getString("kind").equals(kind)
                        && event.getString("path").equals(path))
                .toList();
        assertThat(found).as(kind + " among " + events).hasSize(1);
        return found.get(0);
    }

    @Test
    void showsOperationsOfTheEngineWithWhatTheyMovedAndHowLongTheyWaited() throws Exception {
        Files.write(folder.resolve("refused"), new byte[1]);
        try (Events events = new Events(Events.OPERATION);
                OwnedBuffer buffer = engine.buffers().acquire();
                VirtualFile file = VirtualFile.open(engine, folder.resolve("seen"), OpenOptions.creating());
                VirtualFile refused = VirtualFile.open(engine, folder.resolve("refused"), OpenOptions.reading())) {
            file.writeAsync(buffer, 0, 4096, 0).join();
            file.syncAsync().join();
            file.readAsync(buffer, 0, 8192, 96).join();
            thrownBy(
                    OperationFailedException.class,
                    () -> refused.writeAsync(buffer, 0, 10, 0).join());
            List<RecordedEvent> seen = events.stop(Events.OPERATION);
            RecordedEvent write = only(seen, "write", file.path());
            assertThat(write.getLong("bytes")).isEqualTo(4096);
            assertThat(write.getInt("errno")).isZero();
            assertThat(write.getDuration("queueTime")).isPositive();
            assertThat(write.getDuration()).isPositive();
            assertThat(write.getThread().getJavaName()).startsWith("millrace-engine");
            assertThat(only(seen, "fsync", file.path()).getLong("bytes")).isZero();
            RecordedEvent failed = only(seen, "write", refused.path());
            assertThat(failed.getInt("errno")).isEqualTo(Errno.EBADF);
            assertThat(failed.getLong("bytes")).isZero();
            // The read went on after its short result, and met the end.
            List<RecordedEvent> reads = seen.stream()
                    .filter(event -> event.getString("kind").equals("read"))
                    .toList();
            assertThat(reads.stream().mapToLong(event -> event.getLong("bytes")).sum())
                    .isEqualTo(4000);
        }
    }

    @Test
    void showsBlockingCallsWithTheirCallersStack() throws Exception {
        try (Events events = new Events(Events.BLOCKING_CALL);
                OwnedBuffer buffer = engine.buffers().acquire();
                VirtualFile file = VirtualFile.open(engine, folder.resolve("seen"), OpenOptions.creating())) {
            file.write(buffer, 0, 4096, 0);
            file.sync();
            file.read(ByteBuffer.allocate(10), 4090);
            List<RecordedEvent> seen = events.stop(Events.BLOCKING_CALL);
            RecordedEvent write = only(seen, "write", file.path());
            assertThat(write.getLong("bytes")).isEqualTo(4096);
            assertThat(write.getThread().getJavaName())
                    .isEqualTo(Thread.currentThread().getName());
            assertThat(write.getStackTrace().getFrames())
                    .anyMatch(frame -> frame.getMethod().getType().getName().equals(EventContractTest.class.getName()));
            assertThat(only(seen, "fsync", file.path()).getDuration()).isGreaterThanOrEqualTo(Duration.ZERO);
            assertThat(only(seen, "read", file.path()).getLong("bytes")).isEqualTo(6);
        }
    }

    @Test
    void showsWhichEngineWasOpenedAndClosed() throws Exception {
        try (Events events = new Events(Events.ENGINE_OPENED, Events.ENGINE_CLOSED)) {
            TestEngines.open(config()).close();
            List<RecordedEvent> opened = events.stop(Events.ENGINE_OPENED);
            assertThat(opened).hasSize(1);
            assertThat(opened.get(0).getString("engine")).isEqualTo(kind.label());
            assertThat(opened.get(0).getString("binding"))
                    .isEqualTo(engine.status().binding());
            List<RecordedEvent> closed = events.stop(Events.ENGINE_CLOSED);
            assertThat(closed).hasSize(1);
            assertThat(closed.get(0).getString("engine")).startsWith("millrace-engine");
            assertThat(closed.get(0).getInt("inFlight")).isZero();
        }
    }
}
