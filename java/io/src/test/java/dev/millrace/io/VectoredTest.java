// SPDX-License-Identifier: Apache-2.0
package dev.millrace.io;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.millrace.io.engine.Errno;
import dev.millrace.io.engine.OpCode;
import dev.millrace.io.engine.PoolMemory;
import dev.millrace.io.engine.ScriptedDriver;
import dev.millrace.io.engine.ScriptedDriver.Flight;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.OptionalInt;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Vectored reads and writes where a test decides what each operation comes to. */
@Timeout(60)
class VectoredTest {
    private static final int B = 4096;
    private static final int BUFFERS = 80;

    @TempDir
    Path folder;

    private final ScriptedFiles files = new ScriptedFiles(BUFFERS, B);
    private final List<OwnedBuffer> buffers = new ArrayList<>();

    @AfterEach
    void everythingIsBack() {
        buffers.forEach(OwnedBuffer::close);
        files.close();
    }

    private VirtualFile open() throws IoFailure {
        return files.open(folder.resolve("file"));
    }

    private List<BufferSlice> pieces(int count) throws IoFailure {
        List<BufferSlice> pieces = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            OwnedBuffer buffer = files.engine.buffers().acquire();
            buffer.fill(0, B, (byte) (i + 1));
            buffers.add(buffer);
            pieces.add(new BufferSlice(buffer, 0, B));
        }
        return pieces;
    }

    private void afterWhatWasAskedBefore() throws InterruptedException {
        CountDownLatch reached = new CountDownLatch(1);
        files.engine.loop().execute(reached::countDown);
        reached.await();
    }

    @Test
    void handsThePiecesOverInOneTurn() throws Exception {
        files.hold(OpCode.WRITE);
        try (VirtualFile file = open()) {
            CompletableFuture<Long> write = file.writeVectoredAsync(pieces(10), 0);
            List<Flight> flights = files.driver.awaitInFlight(10);
            flights.forEach(files::release);
            assertThat(write.join()).isEqualTo(10 * B);
            assertThat(files.driver.stagedPerTurn()).contains(10);
        }
    }

    @Test
    void givesAllBuffersBackOnlyWhenTheKernelIsDoneWithAll() throws Exception {
        files.hold(OpCode.WRITE);
        try (VirtualFile file = open()) {
            CompletableFuture<Long> write = file.writeVectoredAsync(pieces(3), 0);
            List<Flight> flights = files.driver.awaitInFlight(3);
            buffers.get(0).close();
            files.release(flights.get(2));
            files.release(flights.get(0));
            afterWhatWasAskedBefore();
            assertThat(write).isNotDone();
            assertThat(buffers).noneMatch(OwnedBuffer::isOwned);
            assertThat(files.engine.buffers().available()).isEqualTo(BUFFERS - 3);
            files.release(flights.get(1));
            assertThat(write.join()).isEqualTo(3 * B);
            assertThat(buffers.get(1).isOwned()).isTrue();
            assertThat(files.engine.buffers().available())
                    .as("the one that was closed meanwhile is back")
                    .isEqualTo(BUFFERS - 2);
        }
    }

    @Test
    void goesOnAfterShortResultsWithinEachPiece() throws Exception {
        files.script(flight -> OptionalInt.of(files.driver.perform(
                flight.operation(), Math.min(flight.operation().length, 1 + flight.slot() * 7 % 1000))));
        try (VirtualFile file = open()) {
            List<BufferSlice> pieces = pieces(5);
            file.writeVectored(pieces, 11);
            byte[] left = Files.readAllBytes(folder.resolve("file"));
            assertThat(left).hasSize(11 + 5 * B);
            for (int i = 0; i < 5; i++) {
                byte[] part = Arrays.copyOfRange(left, 11 + i * B, 11 + (i + 1) * B);
                assertThat(part).containsOnly(i + 1);
            }
            buffers.forEach(buffer -> buffer.fill(0, B, (byte) 0));
            assertThat(file.readVectored(pieces, 11)).isEqualTo(5 * B);
            for (int i = 0; i < 5; i++) {
                assertThat(buffers.get(i).get(B - 1)).isEqualTo((byte) (i + 1));
            }
        }
    }

    @Test
    void reportsTheFirstFailureOfTheFilesOrderAndWhatCameBeforeItWithoutAGap() throws Exception {
        files.hold(OpCode.WRITE);
        try (VirtualFile file = open()) {
            CompletableFuture<Long> write = file.writeVectoredAsync(pieces(5), 1000);
            List<Flight> flights = files.driver.awaitInFlight(5);
            files.driver.complete(flights.get(4), -Errno.EDQUOT);
            files.release(flights.get(3));
            files.driver.complete(flights.get(2), 100);
            files.release(flights.get(1));
            files.release(flights.get(0));
            // The third went on after its short result.
            files.driver.complete(files.driver.awaitInFlight(1).get(0), -Errno.ENOSPC);
            OperationFailedException full = EngineContract.thrownBy(OperationFailedException.class, write::join);
            assertThat(full.errno()).isEqualTo(Errno.ENOSPC);
            assertThat(full.transferred()).isEqualTo(2 * B + 100);
            assertThat(full).hasMessageContaining("at offset " + (1000 + 2 * B + 100));
            assertThat(buffers).allMatch(OwnedBuffer::isOwned);
            files.answerAll();
            file.writeVectored(List.of(new BufferSlice(buffers.get(0), 0, B)), 0);
        }
    }

    @Test
    void takesTheFirstShortPieceOfAReadForTheEnd() throws Exception {
        Files.write(folder.resolve("file"), new byte[10 * B]);
        files.hold(OpCode.READ);
        try (VirtualFile file = VirtualFile.open(files.engine, folder.resolve("file"), OpenOptions.reading())) {
            CompletableFuture<Long> read = file.readVectoredAsync(pieces(3), 0);
            List<Flight> flights = files.driver.awaitInFlight(3);
            files.driver.complete(flights.get(2), -Errno.EIO);
            files.driver.complete(flights.get(1), 0);
            files.release(flights.get(0));
            assertThat(read.join()).as("beyond the end nothing matters").isEqualTo(B);
        }
    }

    @Test
    void beginsNoFurtherPieceAfterAFailureAndNeverMoreThanItsBound() throws Exception {
        files.hold(OpCode.WRITE);
        // Slots keep one for cancelling: the bound shows only where there are more slots than that.
        int most = Math.min(VectoredTransfer.MOST_IN_FLIGHT, files.driver.slots() - 1);
        try (VirtualFile file = open()) {
            CompletableFuture<Long> write = file.writeVectoredAsync(pieces(BUFFERS), 0);
            List<Flight> flights = files.driver.awaitInFlight(most);
            assertThat(files.driver.inFlight()).isEqualTo(most);
            files.driver.complete(flights.get(1), -Errno.ENOSPC);
            for (int i = 0; i < flights.size(); i++) {
                if (i != 1) {
                    files.release(flights.get(i));
                }
            }
            // What stands in line for a slot was begun before the failure.
            for (Flight late : files.driver.awaitInFlight(VectoredTransfer.MOST_IN_FLIGHT - most)) {
                files.release(late);
            }
            OperationFailedException full = EngineContract.thrownBy(OperationFailedException.class, write::join);
            assertThat(full.transferred()).isEqualTo(B);
            assertThat(files.count(OpCode.WRITE)).isEqualTo(VectoredTransfer.MOST_IN_FLIGHT);
            assertThat(buffers).allMatch(OwnedBuffer::isOwned);
        }
    }

    @Test
    void keepsTheBuffersOfACancelledFutureUntilTheKernelIsDoneWithAll() throws Exception {
        files.hold(OpCode.READ);
        files.driver.refuseCancels();
        VirtualFile file = open();
        CompletableFuture<Long> read = file.readVectoredAsync(pieces(BUFFERS), 0);
        files.driver.awaitInFlight(60);
        assertThat(read.cancel(true)).isTrue();
        afterWhatWasAskedBefore();
        // All that the turn handed over, which may have gone on while the first sixty were seen.
        List<Flight> flights = files.driver.awaitInFlight(60);
        assertThat(buffers).noneMatch(OwnedBuffer::isOwned);
        long seen = files.count(OpCode.READ);
        buffers.forEach(OwnedBuffer::close);
        flights.forEach(flight -> files.driver.complete(flight, B));
        file.close();
        assertThat(files.count(OpCode.READ))
                .as("nothing begun after the cancel")
                .isEqualTo(seen);
        assertThat(files.engine.buffers().available()).isEqualTo(BUFFERS);
    }

    @Test
    void endsWithTheEngine() throws Exception {
        files.hold(OpCode.WRITE);
        VirtualFile file = open();
        CompletableFuture<Long> write = file.writeVectoredAsync(pieces(BUFFERS), 0);
        files.driver.awaitInFlight(60);
        files.engine.close();
        EngineContract.thrownBy(EngineClosedException.class, write::join);
        assertThat(buffers).allMatch(OwnedBuffer::isOwned);
        EngineContract.thrownBy(
                EngineClosedException.class,
                () -> file.writeVectored(List.of(new BufferSlice(buffers.get(0), 0, 1)), 0));
        file.close();
    }

    @Test
    void refusesToBlockTheEngineThread() throws Exception {
        try (VirtualFile file = open()) {
            List<BufferSlice> pieces = pieces(1);
            CompletableFuture<Throwable> thrown = new CompletableFuture<>();
            files.engine.loop().execute(() -> {
                try {
                    thrown.complete(new AssertionError("read " + file.readVectored(pieces, 0)));
                } catch (IoFailure | RuntimeException e) {
                    thrown.complete(e);
                }
            });
            assertThat(thrown.join()).isInstanceOf(IllegalStateException.class);
            assertThat(buffers).allMatch(OwnedBuffer::isOwned);
        }
    }

    @Test
    void reachesBeyondTwoGibibytesInOneCall() throws Exception {
        int size = 64 << 20;
        int count = 40;
        // One memory for all pieces, since nothing is moved: what counts are the offsets and the sum.
        ByteBuffer shared = ByteBuffer.allocateDirect(size);
        PoolMemory memory = new PoolMemory(
                Collections.nCopies(count, shared),
                Collections.nCopies(count, 0L),
                0,
                (seed, address, piece, at, length) -> 0,
                () -> {});
        List<Long> offsets = Collections.synchronizedList(new ArrayList<>());
        ScriptedDriver driver = new ScriptedDriver(64, flight -> {
            if (flight.code() == OpCode.WRITE) {
                offsets.add(flight.operation().offset);
            }
            return OptionalInt.of(flight.operation().length);
        });
        try (IoEngine engine = TestEngines.scripted(IoEngineConfig.defaults(), driver, memory);
                VirtualFile file = VirtualFile.open(engine, folder.resolve("large"), OpenOptions.creating())) {
            List<BufferSlice> pieces = new ArrayList<>();
            List<Long> expected = new ArrayList<>();
            for (int i = 0; i < count; i++) {
                pieces.add(new BufferSlice(engine.buffers().acquire(), 0, size));
                expected.add(7 + (long) i * size);
            }
            assertThat(file.writeVectoredAsync(pieces, 7).join()).isEqualTo((long) count * size);
            assertThat(offsets).containsExactlyElementsOf(expected);
            assertThatThrownBy(() -> file.writeVectored(pieces, Long.MAX_VALUE - (long) (count - 1) * size))
                    .isInstanceOf(IllegalArgumentException.class);
            pieces.forEach(piece -> piece.buffer().close());
        }
    }
}
