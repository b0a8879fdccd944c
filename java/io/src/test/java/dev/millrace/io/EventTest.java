// SPDX-License-Identifier: Apache-2.0
package dev.millrace.io;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import dev.millrace.io.engine.OpCode;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import jdk.jfr.consumer.RecordedEvent;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** JFR events of what real engines do rarely, and their absence. */
@Timeout(60)
class EventTest {
    private static final int B = 16 << 10;

    @TempDir
    Path folder;

    @Test
    void saysWhyNoBetterEngineWasTaken() throws Exception {
        String before = System.getProperty(IoEngineConfig.IO_URING_PROPERTY);
        System.setProperty(IoEngineConfig.IO_URING_PROPERTY, "off");
        try (Events events = new Events(Events.ENGINE_OPENED)) {
            IoEngine.open(IoEngineConfig.defaults().withEngine(Optional.empty()).withPool(1, 4096))
                    .close();
            List<RecordedEvent> opened = events.stop(Events.ENGINE_OPENED);
            assertThat(opened).hasSize(1);
            assertThat(opened.get(0).getString("engine")).isNotEqualTo("io_uring");
            assertThat(opened.get(0).getString("steppedDown")).isNotEmpty();
        } finally {
            if (before == null) {
                System.clearProperty(IoEngineConfig.IO_URING_PROPERTY);
            } else {
                System.setProperty(IoEngineConfig.IO_URING_PROPERTY, before);
            }
        }
    }

    @Test
    void showsWhatACloseHadToStop() throws Exception {
        ScriptedFiles files = new ScriptedFiles(4, B);
        files.hold(OpCode.WRITE);
        VirtualFile file = files.open(folder.resolve("file"));
        List<CompletableFuture<IoResult>> writes = new ArrayList<>();
        List<OwnedBuffer> buffers = new ArrayList<>();
        try (Events events = new Events(Events.ENGINE_CLOSED)) {
            for (int i = 0; i < 3; i++) {
                OwnedBuffer buffer = files.engine.buffers().acquire();
                buffers.add(buffer);
                writes.add(file.writeAsync(buffer, 0, B, (long) i * B));
            }
            files.driver.awaitInFlight(3);
            files.engine.close();
            List<RecordedEvent> closed = events.stop(Events.ENGINE_CLOSED);
            assertThat(closed).hasSize(1);
            assertThat(closed.get(0).getInt("inFlight")).isEqualTo(3);
            assertThat(closed.get(0).getInt("cancelled")).isEqualTo(3);
            assertThat(closed.get(0).getInt("dropped")).isZero();
        }
        for (CompletableFuture<IoResult> write : writes) {
            EngineContract.thrownBy(EngineClosedException.class, write::join);
        }
        buffers.forEach(OwnedBuffer::close);
        file.close();
        files.close();
    }

    @Test
    void showsThatCompletionsOverflowed() throws Exception {
        try (ScriptedFiles files = new ScriptedFiles(2, B);
                VirtualFile file = files.open(folder.resolve("file"));
                OwnedBuffer buffer = files.engine.buffers().acquire();
                Events events = new Events(Events.OVERFLOW)) {
            file.writeAsync(buffer, 0, 100, 0).join();
            files.driver.overflowed(7);
            file.writeAsync(buffer, 0, 100, 0).join();
            file.writeAsync(buffer, 0, 100, 0).join();
            // The turn of the last write may still be counting; the next one comes after it.
            CompletableFuture<Void> next = new CompletableFuture<>();
            files.engine.loop().execute(() -> next.complete(null));
            next.join();
            List<RecordedEvent> overflows = events.stop(Events.OVERFLOW);
            assertThat(overflows).hasSize(1);
            assertThat(overflows.get(0).getLong("overflows")).isEqualTo(7);
        }
    }

    @Test
    void allocatesNothingWhileNobodyRecords() {
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        int calls = 100_000;
        int made = begin(calls); // loads what the first call loads
        long before = threads.getCurrentThreadAllocatedBytes();
        made += begin(calls);
        long allocated = threads.getCurrentThreadAllocatedBytes() - before;
        assertThat(made).isZero();
        assertThat(allocated).as("bytes of " + calls + " calls").isLessThan(calls);
    }

    private static int begin(int calls) {
        int made = 0;
        for (int i = 0; i < calls; i++) {
            made += BlockingCallEvent.begun().isPresent() ? 1 : 0;
        }
        return made;
    }
}
