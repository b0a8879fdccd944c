// SPDX-License-Identifier: Apache-2.0
package dev.millrace.io;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.millrace.io.engine.Errno;
import dev.millrace.io.engine.FileStat;
import dev.millrace.io.engine.OpCode;
import dev.millrace.io.engine.ScriptedDriver.Flight;
import dev.millrace.io.engine.Syscalls.StatResult;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The copy loop where a test decides what each write, read and reservation comes to. */
@Timeout(60)
class CopyLoopTest {
    private static final int B = 16 << 10;

    @TempDir
    Path folder;

    private ScriptedFiles files = new ScriptedFiles(4, B);

    @AfterEach
    void everythingIsBack() {
        files.close();
    }

    private Path path() {
        return folder.resolve("file");
    }

    private static byte[] bytes(int length) {
        byte[] bytes = new byte[length];
        new Random(length).nextBytes(bytes);
        return bytes;
    }

    private void poolOf(int buffers, int size) {
        files.close();
        files = new ScriptedFiles(buffers, size);
    }

    // ------------------------------------------------------------------ failures

    @Test
    void tellsAnErrorInMidStreamAndGivesEverythingBack() throws Exception {
        AtomicInteger writes = new AtomicInteger();
        files.script(
                OpCode.WRITE,
                flight -> OptionalInt.of(
                        writes.incrementAndGet() == 3 ? -Errno.EIO : files.driver.perform(flight.operation())));
        try (VirtualFile file = files.open(path())) {
            Feeder feeder = new Feeder(file, 0, Long.MAX_VALUE, 2);
            FatalIoException broken = EngineContract.thrownBy(FatalIoException.class, () -> {
                for (int i = 0; i < 1000; i++) {
                    feeder.feed(bytes(B), 999);
                }
            });
            assertThat(broken.errno()).isEqualTo(Errno.EIO);
            assertThat(broken.path()).isEqualTo(file.path());
            assertThat(broken).hasMessageContaining("at offset " + 2 * B);
            assertThatThrownBy(() -> feeder.offer(ByteBuffer.allocate(1))).isSameAs(broken);
            assertThat(feeder.finish().outcome()).contains(broken);
            assertThat(feeder.ends()).isEqualTo(1);
        }
    }

    @Test
    void saysHowMuchOfAWriteFittedOnAFullDisk() throws Exception {
        AtomicInteger writes = new AtomicInteger();
        files.script(
                OpCode.WRITE,
                flight -> OptionalInt.of(
                        writes.incrementAndGet() == 1
                                ? files.driver.perform(flight.operation(), 5000)
                                : -Errno.ENOSPC));
        try (VirtualFile file = files.open(path())) {
            Feeder feeder = new Feeder(file, 0, Long.MAX_VALUE, 1).feed(bytes(100 + B / 2), 4000);
            OperationFailedException full =
                    (OperationFailedException) feeder.finish().outcome().orElseThrow();
            assertThat(full.errno()).isEqualTo(Errno.ENOSPC);
            assertThat(full.transferred()).isEqualTo(5000);
            assertThat(full.retryCanHelp()).isTrue();
            assertThat(full).hasMessageContaining("at offset 5000");
        }
    }

    @Test
    void takesAWriteOfNothingForAnError() throws Exception {
        files.script(OpCode.WRITE, flight -> OptionalInt.of(0));
        try (VirtualFile file = files.open(path())) {
            Feeder feeder = new Feeder(file, 0, Long.MAX_VALUE, 1).feed(bytes(10), 4);
            assertThat(feeder.finish().outcome().orElseThrow().errno()).isEqualTo(Errno.ZERO_WRITE);
        }
    }

    @Test
    void tellsThatTheFileCannotBeCut() throws Exception {
        files.script(OpCode.FTRUNCATE, flight -> OptionalInt.of(-Errno.EIO));
        try (VirtualFile file = files.openDirect(path())) {
            Feeder feeder = new Feeder(file, 0, Long.MAX_VALUE, 1).feed(bytes(10), 4);
            IoFailure failure = feeder.finish().outcome().orElseThrow();
            assertThat(failure.operation()).isEqualTo("ftruncate");
            assertThat(feeder.ends()).isEqualTo(1);
        }
    }

    @Test
    void tellsThatTheBytesBeforeTheStartCannotBeRead() throws Exception {
        files.script(OpCode.READ, flight -> OptionalInt.of(-Errno.EIO));
        try (VirtualFile file = files.openDirect(path())) {
            Feeder feeder = new Feeder(file, 100, Long.MAX_VALUE, 2);
            IoFailure failure = EngineContract.thrownBy(IoFailure.class, () -> feeder.feed(bytes(10), 10));
            assertThat(failure.operation()).isEqualTo("read");
            assertThat(feeder.abort().outcome()).isEmpty();
        }
    }

    @Test
    void tellsThatTheFileWasClosedUnderIt() throws Exception {
        VirtualFile file = files.open(path());
        Feeder feeder = new Feeder(file, 0, Long.MAX_VALUE, 1).feed(bytes(10), 10);
        file.close();
        assertThat(feeder.finish().outcome().orElseThrow()).isInstanceOf(FileClosedException.class);
    }

    // ------------------------------------------------------------------ short writes

    @Test
    void goesOnAfterShortWrites() throws Exception {
        byte[] data = bytes(3 * B + 77);
        Random random = new Random(1);
        files.script(
                OpCode.WRITE,
                flight -> OptionalInt.of(
                        files.driver.perform(flight.operation(), 1 + random.nextInt(flight.operation().length))));
        try (VirtualFile file = files.open(path())) {
            assertThat(new Feeder(file, 0, Long.MAX_VALUE, 2)
                            .feed(data, 5000)
                            .finish()
                            .outcome())
                    .isEmpty();
        }
        assertThat(Files.readAllBytes(path())).isEqualTo(data);
    }

    @Test
    void goesOnFromTheLastAlignedBoundaryAfterAnUnalignedShortDirectWrite() throws Exception {
        byte[] data = bytes(2 * B + 77);
        AtomicInteger writes = new AtomicInteger();
        // The kernel has taken an unaligned part: what a test can do of it is to write the aligned part and claim more.
        files.script(OpCode.WRITE, flight -> {
            if (writes.getAndIncrement() % 2 == 0 && flight.operation().length > 4096) {
                files.driver.perform(flight.operation(), 4096);
                return OptionalInt.of(4096 + 100);
            }
            return OptionalInt.of(files.driver.perform(flight.operation()));
        });
        try (VirtualFile file = files.openDirect(path())) {
            assertThat(new Feeder(file, 0, Long.MAX_VALUE, 1)
                            .feed(data, 5000)
                            .finish()
                            .outcome())
                    .isEmpty();
        }
        assertThat(Files.readAllBytes(path())).isEqualTo(data);
        assertThat(files.seen.stream().filter(ScriptedFiles::isTransfer))
                .allSatisfy(
                        flight -> assertThat(flight.operation().offset % 4096).isZero());
    }

    @Test
    void givesUpOnADeviceThatNeverTakesAWholeBlock() throws Exception {
        files.script(OpCode.WRITE, flight -> OptionalInt.of(100));
        try (VirtualFile file = files.openDirect(path())) {
            Feeder feeder = new Feeder(file, 0, Long.MAX_VALUE, 1).feed(bytes(5000), 5000);
            assertThat(feeder.finish().outcome().orElseThrow().errno()).isEqualTo(Errno.ZERO_WRITE);
        }
    }

    @Test
    void writesAllButTheLastInWholeBuffersAtTheirMultiples() throws Exception {
        List<long[]> writes = new ArrayList<>();
        files.script(OpCode.WRITE, flight -> {
            writes.add(new long[] {flight.operation().offset, flight.operation().length});
            return OptionalInt.of(files.driver.perform(flight.operation()));
        });
        int start = B + 4096 + 10;
        try (VirtualFile file = files.openDirect(path())) {
            assertThat(new Feeder(file, start, Long.MAX_VALUE, 2)
                            .feed(bytes(4 * B), 3001)
                            .finish()
                            .outcome())
                    .isEmpty();
        }
        assertThat(writes.get(0)).containsExactly(B + 4096, B - 4096);
        for (int i = 1; i < writes.size() - 1; i++) {
            assertThat(writes.get(i)).containsExactly((i + 1L) * B, B);
        }
        long[] last = writes.get(writes.size() - 1);
        assertThat(last[0] + last[1]).isEqualTo((start + 4L * B + 4095) / 4096 * 4096);
    }

    @Test
    void carriesDirectWritesInBuffersSmallerThanTheFileSystemsBlock() throws Exception {
        files.close();
        files = new ScriptedFiles(4, 8192, (method, arguments) -> {
            if (!method.equals("stat") || !(arguments[0] instanceof Integer)) {
                return null;
            }
            // As network file systems say it: a preferred size far larger than the alignment.
            return new StatResult(0, new FileStat(0, 0x81a4, 1, 1, 0, 0, "nfs", 1 << 20, 512, 512));
        });
        byte[] data = bytes(3 * 8192 + 700);
        try (VirtualFile file = files.openDirect(path())) {
            // What is below is ext4, which wants 4096 from pure Java: only lengths are looked at here.
            files.script(OpCode.WRITE, flight -> OptionalInt.of(flight.operation().length));
            assertThat(new Feeder(file, 0, Long.MAX_VALUE, 2)
                            .feed(data, 1000)
                            .finish()
                            .outcome())
                    .isEmpty();
        }
        assertThat(files.seen.stream().filter(flight -> flight.code() == OpCode.WRITE))
                .hasSize(4)
                .allSatisfy(flight -> assertThat(flight.operation().memoryAt + flight.operation().length)
                        .isLessThanOrEqualTo(8192));
    }

    // ------------------------------------------------------------------ slow ends, bounds

    @Test
    void stopsTheProducerAtItsBuffersWhileTheSinkIsSlow() throws Exception {
        files.hold(OpCode.WRITE);
        try (VirtualFile file = files.open(path())) {
            Feeder feeder = new Feeder(file, 0, Long.MAX_VALUE, 2);
            byte[] data = bytes(6 * B);
            ByteBuffer chunk = ByteBuffer.wrap(data);
            int stops = 0;
            while (!feeder.offer(chunk)) {
                stops++;
                List<Flight> flights = files.driver.awaitInFlight(2);
                assertThat(flights).hasSize(2);
                assertThat(files.engine.buffers().available()).isEqualTo(2);
                files.release(flights.get(0));
                feeder.awaitReady();
            }
            assertThat(stops).isEqualTo(4);
            assertThat(feeder.loop.mostBuffersHeld()).isEqualTo(2);
            feeder.finish();
            assertThat(feeder.isOver()).isFalse();
            files.driver.awaitInFlight(2).forEach(files::release);
            assertThat(feeder.outcome()).isEmpty();
            assertThat(Files.readAllBytes(path())).isEqualTo(data);
        }
    }

    @Test
    void keepsNoBufferThatItHasNoBytesFor() throws Exception {
        try (VirtualFile file = files.open(path())) {
            Feeder feeder = new Feeder(file, 0, Long.MAX_VALUE, 3).feed(bytes(3 * B), B);
            // The source is slow from here on: what is written goes back though nobody waits for it yet.
            awaitAvailable(4);
            feeder.feed(bytes(10), 10);
            assertThat(files.engine.buffers().available()).isEqualTo(3);
            assertThat(feeder.finish().outcome()).isEmpty();
        }
    }

    private void awaitAvailable(int count) throws InterruptedException {
        for (int i = 0; i < 2000 && files.engine.buffers().available() < count; i++) {
            Thread.sleep(10);
        }
        assertThat(files.engine.buffers().available()).isEqualTo(count);
    }

    @Test
    void givesAWrittenBufferToWhoWaitsInLine() throws Exception {
        poolOf(1, B);
        files.hold(OpCode.WRITE);
        try (VirtualFile file = files.open(path())) {
            Feeder feeder = new Feeder(file, 0, Long.MAX_VALUE, 1);
            ByteBuffer chunk = ByteBuffer.wrap(bytes(2 * B));
            assertThat(feeder.offer(chunk)).isFalse();
            List<OwnedBuffer> given = new ArrayList<>();
            files.engine.buffers().acquireThen(buffer -> given.add(buffer.orElseThrow()));
            files.release(files.driver.awaitInFlight(1).get(0));
            feeder.awaitReady();
            assertThat(given).hasSize(1);
            assertThat(feeder.offer(chunk)).as("now it waits in line itself").isFalse();
            given.get(0).close();
            feeder.awaitReady();
            assertThat(feeder.offer(chunk)).isTrue();
            feeder.finish();
            files.driver.awaitInFlight(1).forEach(files::release);
            assertThat(feeder.outcome()).isEmpty();
        }
    }

    // ------------------------------------------------------------------ reserving

    @Test
    void asksOnlyOnceWhereReservingIsNotSupported() throws Exception {
        files.script(OpCode.FALLOCATE, flight -> OptionalInt.of(-Errno.EOPNOTSUPP));
        byte[] data = bytes(10 * B + 3);
        try (VirtualFile file = files.open(path())) {
            assertThat(new Feeder(file, 0, 0, 3).feed(data, B + 1).finish().outcome())
                    .isEmpty();
        }
        assertThat(files.count(OpCode.FALLOCATE)).isEqualTo(1);
        assertThat(files.count(OpCode.FTRUNCATE)).isZero();
        assertThat(Files.readAllBytes(path())).isEqualTo(data);
    }

    @Test
    void goesOnWhereTheNextStepDoesNotFitAndCutsWhatItMayHaveLeft() throws Exception {
        files.script(OpCode.FALLOCATE, flight -> OptionalInt.of(-Errno.ENOSPC));
        byte[] data = bytes(2 * B + 3);
        try (VirtualFile file = files.open(path())) {
            assertThat(new Feeder(file, 0, 0, 3).feed(data, B + 1).finish().outcome())
                    .as("the rest may fit though a whole step does not")
                    .isEmpty();
        }
        assertThat(files.count(OpCode.FALLOCATE)).isEqualTo(1);
        assertThat(files.count(OpCode.FTRUNCATE)).isEqualTo(1);
        assertThat(Files.readAllBytes(path())).isEqualTo(data);
    }

    @Test
    void reservesFromItsStartOn() throws Exception {
        long start = 40L << 30;
        try (VirtualFile file = files.open(path())) {
            assertThat(new Feeder(file, start, 0, 2)
                            .feed(bytes(100), 100)
                            .finish()
                            .outcome())
                    .isEmpty();
            assertThat(file.stat().size()).isEqualTo(start + 100);
        }
        assertThat(files.count(OpCode.FALLOCATE)).isEqualTo(1);
        assertThat(files.seen.stream().filter(flight -> flight.code() == OpCode.FALLOCATE))
                .allSatisfy(flight -> assertThat(flight.operation().offset).isEqualTo(start));
    }

    @Test
    void reservesNothingThatWasReservedBefore() throws Exception {
        try (VirtualFile file = files.openDirect(path())) {
            assertThat(new Feeder(file, 0, 3 * B + 1, 2)
                            .feed(bytes(3 * B + 1), 5000)
                            .finish()
                            .outcome())
                    .isEmpty();
        }
        assertThat(files.count(OpCode.FALLOCATE)).isZero();
    }

    @Test
    void refusesPlacesThatDoNotExist() throws Exception {
        try (VirtualFile file = files.open(path())) {
            assertThatThrownBy(() -> new Feeder(file, -1, 0, 1)).isInstanceOf(IllegalArgumentException.class);
            assertThatThrownBy(() -> new Feeder(file, 0, 0, 0)).isInstanceOf(IllegalArgumentException.class);
            assertThatThrownBy(() -> new Feeder(file, 0, -5, 1)).isInstanceOf(IllegalArgumentException.class);
            assertThatThrownBy(() -> new Feeder(file, Long.MAX_VALUE - 10, 0, 1))
                    .isInstanceOf(IllegalArgumentException.class);
        }
    }

    // ------------------------------------------------------------------ ends

    @Test
    void saysTheEndOnlyWhenAllBuffersAreBack() throws Exception {
        try (VirtualFile file = files.open(path())) {
            for (int round = 0; round < 300; round++) {
                Feeder feeder = new Feeder(file, 0, Long.MAX_VALUE, 3).feed(bytes(2 * B + 1), B);
                CountDownLatch told = new CountDownLatch(1);
                AtomicInteger available = new AtomicInteger();
                feeder.loop.finish(outcome -> {
                    available.set(files.engine.buffers().available());
                    told.countDown();
                });
                told.await();
                assertThat(available).hasValue(4);
            }
        }
    }

    @Test
    void canBeAbortedInEachState() throws Exception {
        for (int code : new int[] {OpCode.READ, OpCode.WRITE, OpCode.FALLOCATE}) {
            files.hold(code);
            try (VirtualFile file = files.openDirect(path())) {
                Feeder feeder = new Feeder(file, 100, 0, 2);
                ByteBuffer chunk = ByteBuffer.wrap(bytes(3 * B));
                if (!feeder.offer(chunk) && code != OpCode.READ) {
                    feeder.awaitReady(); // the bytes before the start are there
                    feeder.offer(chunk);
                }
                files.driver.awaitInFlight(1);
                int readies = feeder.readies();
                feeder.abort();
                assertThat(feeder.isOver()).as("the kernel has not let go").isFalse();
                files.answerAll();
                files.driver.awaitInFlight(1).forEach(files::release);
                feeder.outcome();
                assertThat(feeder.readies()).as("nobody asks for more").isEqualTo(readies);
                assertThat(feeder.ends()).isEqualTo(1);
                assertThat(files.engine.buffers().available()).isEqualTo(4);
            }
        }
    }

    @Test
    void leavesTheLineWhenItIsAborted() throws Exception {
        List<OwnedBuffer> all = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            all.add(files.engine.buffers().acquire());
        }
        try (VirtualFile file = files.open(path())) {
            Feeder feeder = new Feeder(file, 0, 0, 2);
            assertThat(feeder.offer(ByteBuffer.allocate(10))).isFalse();
            feeder.abort();
            feeder.outcome();
            all.forEach(OwnedBuffer::close);
            assertThat(feeder.readies()).isZero();
            assertThat(files.engine.buffers().available()).isEqualTo(4);
        }
    }

    @Test
    void tellsBothWhenAnAbortOvertakesTheFinish() throws Exception {
        files.hold(OpCode.WRITE);
        try (VirtualFile file = files.open(path())) {
            Feeder feeder = new Feeder(file, 0, Long.MAX_VALUE, 1).feed(bytes(10), 10);
            feeder.finish();
            CountDownLatch aborted = new CountDownLatch(1);
            feeder.loop.abort(aborted::countDown);
            files.driver.awaitInFlight(1).forEach(files::release);
            aborted.await();
            assertThat(feeder.outcome().orElseThrow()).isInstanceOf(OperationCancelledException.class);
            assertThat(feeder.ends()).isEqualTo(1);
        }
    }

    @Test
    void tellsOneWhoAbortsAfterTheEndAtOnce() throws Exception {
        try (VirtualFile file = files.open(path())) {
            Feeder feeder = new Feeder(file, 0, Long.MAX_VALUE, 1).feed(bytes(10), 10);
            assertThat(feeder.finish().outcome()).isEmpty();
            CountDownLatch aborted = new CountDownLatch(1);
            feeder.loop.abort(aborted::countDown);
            aborted.await();
            feeder.loop.abort(aborted::countDown);
            assertThat(feeder.ends()).isEqualTo(1);
        }
        assertThat(Files.size(path())).isEqualTo(10);
    }

    @Test
    void goesOnThoughACallbackThrows() throws Exception {
        files.hold(OpCode.WRITE);
        try (VirtualFile file = files.open(path())) {
            CountDownLatch told = new CountDownLatch(1);
            CopyLoop loop = CopyLoop.start(file, 0, Long.MAX_VALUE, 1, (b, a, l) -> {}, () -> {
                throw new IllegalStateException("a user's fault");
            });
            ByteBuffer chunk = ByteBuffer.wrap(bytes(B + 1));
            assertThat(loop.write(chunk)).isFalse();
            Flight flight = files.driver.awaitInFlight(1).get(0);
            loop.finish(outcome -> {
                told.countDown();
                throw new IllegalStateException("another one");
            });
            files.release(flight);
            told.await();
            assertThat(files.engine.loop().handlerErrors()).isZero();
        }
    }

    @Test
    void neverWritesWhatWasDroppedByAnAbort() throws Exception {
        files.hold(OpCode.FALLOCATE);
        try (VirtualFile file = files.open(path())) {
            Feeder feeder = new Feeder(file, 0, 0, 2);
            feeder.offer(ByteBuffer.wrap(bytes(2 * B)));
            feeder.abort();
            files.driver.awaitInFlight(1).forEach(flight -> files.driver.complete(flight, 0));
            feeder.outcome();
        }
        assertThat(files.count(OpCode.WRITE)).isZero();
        assertThat(Files.size(path())).isZero();
    }

    @Test
    void padsTheTailWithZeroesOnly() throws Exception {
        byte[][] tail = new byte[1][];
        files.script(OpCode.WRITE, flight -> {
            byte[] written = new byte[flight.operation().length];
            flight.operation().memory.get(flight.operation().memoryAt, written);
            tail[0] = written;
            return OptionalInt.of(files.driver.perform(flight.operation()));
        });
        try (VirtualFile file = files.openDirect(path())) {
            byte[] data = bytes(B + 100);
            // The first buffer's bytes must not show behind the tail's.
            assertThat(new Feeder(file, 0, Long.MAX_VALUE, 1)
                            .feed(data, B)
                            .finish()
                            .outcome())
                    .isEqualTo(Optional.empty());
            assertThat(tail[0]).hasSize(4096).startsWith(Arrays.copyOfRange(data, B, B + 100));
            assertThat(Arrays.copyOfRange(tail[0], 100, 4096)).containsOnly(0);
        }
    }
}
