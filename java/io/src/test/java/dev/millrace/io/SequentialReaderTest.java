// SPDX-License-Identifier: Apache-2.0
package dev.millrace.io;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.millrace.io.engine.Errno;
import dev.millrace.io.engine.OpCode;
import dev.millrace.io.engine.ScriptedDriver.Flight;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Reading ahead where a test decides what each read comes to. */
@Timeout(60)
class SequentialReaderTest {
    private static final int B = 4096;

    @TempDir
    Path folder;

    private final ScriptedFiles files = new ScriptedFiles(6, B);

    @BeforeEach
    void aFileOfTenBuffers() throws Exception {
        Files.write(folder.resolve("file"), new byte[10 * B]);
        files.hold(OpCode.READ);
    }

    @AfterEach
    void everythingIsBack() {
        files.close();
    }

    private VirtualFile open() throws IoFailure {
        return VirtualFile.open(files.engine, folder.resolve("file"), OpenOptions.reading());
    }

    private static void take(SequentialReader reader) throws IoFailure {
        Optional<BufferSlice> slice = reader.next();
        assertThat(slice.orElseThrow().length()).isEqualTo(B);
        slice.orElseThrow().buffer().close();
    }

    @Test
    void keepsAsManyReadsInFlightAsItMayAndNoMore() throws Exception {
        try (VirtualFile file = open();
                SequentialReader reader = SequentialReader.start(file, 0, Long.MAX_VALUE, 3)) {
            List<Flight> flights = files.driver.awaitInFlight(3);
            assertThat(reader.readsInFlight()).isEqualTo(3);
            assertThat(files.engine.buffers().available()).isEqualTo(3);
            // Out of order: the first is what the consumer waits for.
            files.release(flights.get(2));
            files.release(flights.get(1));
            files.release(flights.get(0));
            take(reader);
            files.driver.awaitInFlight(1);
            assertThat(files.count(OpCode.READ))
                    .as("one begun for the one taken")
                    .isEqualTo(4);
            take(reader);
            take(reader);
            assertThat(files.driver.awaitInFlight(3)).hasSize(3);
            files.answerAll();
            files.driver.awaitInFlight(3).forEach(files::release);
            for (int i = 3; i < 10; i++) {
                take(reader);
            }
            assertThat(reader.next()).isEmpty();
            assertThat(reader.mostBuffersHeld()).isEqualTo(3);
        }
    }

    @Test
    void throwsAFailureAtItsPlaceAndHandsOutNothingBeyondIt() throws Exception {
        try (VirtualFile file = open();
                SequentialReader reader = SequentialReader.start(file, 0, Long.MAX_VALUE, 4)) {
            List<Flight> flights = files.driver.awaitInFlight(4);
            files.release(flights.get(3));
            files.driver.complete(flights.get(2), -Errno.EIO);
            files.release(flights.get(1));
            files.release(flights.get(0));
            take(reader);
            take(reader);
            for (int i = 0; i < 2; i++) {
                OperationFailedException failure =
                        EngineContract.thrownBy(OperationFailedException.class, reader::next);
                assertThat(failure.errno()).isEqualTo(Errno.EIO);
                assertThat(failure).hasMessageContaining("at offset " + 2 * B);
            }
            answerTheRest();
        }
    }

    @Test
    void takesAShortReadForTheEndAndDropsWhatWasReadBeyond() throws Exception {
        try (VirtualFile file = open();
                SequentialReader reader = SequentialReader.start(file, 0, Long.MAX_VALUE, 4)) {
            List<Flight> flights = files.driver.awaitInFlight(4);
            files.release(flights.get(3));
            files.release(flights.get(2));
            files.driver.complete(flights.get(1), 100);
            files.driver.complete(files.driver.awaitInFlight(2).get(1), 0);
            files.release(flights.get(0));
            take(reader);
            Optional<BufferSlice> last = reader.next();
            assertThat(last.orElseThrow().length()).isEqualTo(100);
            last.orElseThrow().buffer().close();
            assertThat(reader.next()).isEmpty();
            answerTheRest();
        }
    }

    /** Of what was begun before its reader was told of the end: users' futures are completed by several threads. */
    private void answerTheRest() throws InterruptedException {
        files.answerAll();
        files.driver.awaitInFlight(0).forEach(files::release);
    }

    @Test
    void waitsAtCloseForWhatTheKernelStillHas() throws Exception {
        try (VirtualFile file = open()) {
            SequentialReader reader = SequentialReader.start(file, 0, Long.MAX_VALUE, 3);
            List<Flight> flights = files.driver.awaitInFlight(3);
            files.release(flights.get(0));
            CountDownLatch closing = new CountDownLatch(1);
            CompletableFuture<Void> closed = CompletableFuture.runAsync(() -> {
                closing.countDown();
                reader.close();
            });
            closing.await();
            files.release(flights.get(1));
            assertThat(closed).isNotDone();
            files.release(flights.get(2));
            closed.join();
            assertThat(reader.readsInFlight()).isZero();
            assertThat(files.engine.buffers().available()).isEqualTo(6);
            assertThat(files.count(OpCode.READ)).as("nothing begun after").isEqualTo(3);
        }
    }

    @Test
    void leavesTheLineForABufferWhenItIsClosed() throws Exception {
        List<OwnedBuffer> taken = new ArrayList<>();
        for (int i = 0; i < 6; i++) {
            taken.add(files.engine.buffers().acquire());
        }
        try (VirtualFile file = open()) {
            SequentialReader reader = SequentialReader.start(file, 0, Long.MAX_VALUE, 3);
            assertThat(files.engine.buffers().isWantedByOthers()).isTrue();
            CompletableFuture<Throwable> waiting = CompletableFuture.supplyAsync(() -> {
                try {
                    return new AssertionError("came " + reader.next());
                } catch (IoFailure | RuntimeException e) {
                    return e;
                }
            });
            reader.close();
            assertThat(waiting.join()).isInstanceOf(IllegalStateException.class);
            assertThat(files.engine.buffers().isWantedByOthers()).isFalse();
        } finally {
            taken.forEach(OwnedBuffer::close);
        }
    }

    @Test
    void endsWithTheEngine() throws Exception {
        try (VirtualFile file = open();
                SequentialReader reader = SequentialReader.start(file, 0, Long.MAX_VALUE, 6)) {
            files.driver.awaitInFlight(6);
            files.engine.close();
            EngineContract.thrownBy(EngineClosedException.class, reader::next);
        }
    }

    @Test
    void refusesToBlockTheEngineThread() throws Exception {
        try (VirtualFile file = open();
                SequentialReader reader = SequentialReader.start(file, 0, 0, 1)) {
            for (Runnable call : List.<Runnable>of(() -> nextOf(reader), reader::close)) {
                CompletableFuture<Void> done = new CompletableFuture<>();
                files.engine.loop().execute(() -> {
                    try {
                        call.run();
                        done.complete(null);
                    } catch (RuntimeException e) {
                        done.completeExceptionally(e);
                    }
                });
                assertThatThrownBy(done::join).hasCauseInstanceOf(IllegalStateException.class);
            }
            assertThat(reader.next()).isEmpty();
        }
    }

    private static void nextOf(SequentialReader reader) {
        try {
            assertThat(reader.next()).isEmpty();
        } catch (IoFailure e) {
            throw new AssertionError(e);
        }
    }
}
