// SPDX-License-Identifier: Apache-2.0
package dev.millrace.io;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.millrace.io.engine.Errno;
import dev.millrace.io.engine.FileStat;
import dev.millrace.io.engine.OpCode;
import dev.millrace.io.engine.PoolMemory;
import dev.millrace.io.engine.ScriptedDriver;
import dev.millrace.io.engine.ScriptedDriver.Flight;
import dev.millrace.io.engine.Syscalls.StatResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Files and buffers where a test decides what each operation comes to. */
@Timeout(60)
class OperationTest {
    private static final int B = 16 << 10;

    @TempDir
    Path folder;

    private final AtomicInteger asked = new AtomicInteger();
    private final AtomicInteger allocated = new AtomicInteger();
    private final AtomicLong free = new AtomicLong(-1);
    private final AtomicInteger syncResult = new AtomicInteger();
    private final AtomicReference<StatResult> stat = new AtomicReference<>();
    private final ScriptedFiles files = new ScriptedFiles(4, B, (method, arguments) -> switch (method) {
        case "stat" -> stat.get();
        case "fsync" -> syncResult.get() == 0 ? null : syncResult.get();
        case "freeBytes" -> free.get() < 0 ? null : free.get();
        case "allocate" -> {
            asked.incrementAndGet();
            yield allocated.get();
        }
        default -> null;
    });

    @AfterEach
    void everythingIsBack() {
        files.close();
    }

    private VirtualFile open() throws IoFailure {
        return files.open(folder.resolve("file"));
    }

    @Test
    void doesNotTakeAStatThatWasCancelledForAFileThatIsNotThere() throws Exception {
        Path path = folder.resolve("file");
        try (VirtualFile file = open()) {
            FileStat real = file.stat();
            stat.set(new StatResult(-Errno.ECANCELED, real));
            assertThatThrownBy(() -> files.engine.exists(path)).isInstanceOf(OperationCancelledException.class);
            stat.set(new StatResult(-Errno.ENOENT, real));
            assertThat(files.engine.exists(path)).isFalse();
            stat.set(null);
            assertThat(files.engine.exists(path)).isTrue();
        }
    }

    // ------------------------------------------------------------------ buffers in flight

    @Test
    void keepsBufferUntilTheKernelIsDone() throws Exception {
        files.hold(OpCode.WRITE);
        try (VirtualFile file = open()) {
            OwnedBuffer buffer = files.engine.buffers().acquire();
            CompletableFuture<IoResult> write = file.writeAsync(buffer, 0, 100, 0);
            Flight flight = files.driver.awaitInFlight(1).get(0);
            assertThatThrownBy(() -> buffer.get(0)).isInstanceOf(IllegalStateException.class);
            buffer.close();
            buffer.close();
            assertThat(files.engine.buffers().available())
                    .as("not pooled before completion")
                    .isEqualTo(3);
            files.release(flight);
            write.join();
            assertThat(files.engine.buffers().available()).isEqualTo(4);
        }
    }

    @Test
    void keepsTheBufferOfACancelledFutureUntilTheKernelIsDone() throws Exception {
        files.hold(OpCode.READ);
        files.driver.refuseCancels();
        try (VirtualFile file = open()) {
            OwnedBuffer buffer = files.engine.buffers().acquire();
            CompletableFuture<IoResult> read = file.readAsync(buffer, 0, 100, 0);
            Flight flight = files.driver.awaitInFlight(1).get(0);
            assertThat(read.cancel(true)).isTrue();
            CountDownLatch asked = new CountDownLatch(1);
            files.engine.loop().execute(asked::countDown);
            asked.await();
            assertThat(buffer.isOwned()).isFalse();
            files.driver.complete(flight, 0);
            awaitOwned(buffer);
            buffer.close();
        }
    }

    private void awaitOwned(OwnedBuffer buffer) throws InterruptedException {
        for (int i = 0; i < 2000 && !buffer.isOwned(); i++) {
            Thread.sleep(10);
        }
        assertThat(buffer.isOwned()).isTrue();
    }

    @Test
    void givesTheBufferBackWhenTheEngineClosesUnderIt() throws Exception {
        files.hold(OpCode.READ);
        VirtualFile file = open();
        OwnedBuffer buffer = files.engine.buffers().acquire();
        CompletableFuture<IoResult> read = file.readAsync(buffer, 0, 100, 0);
        files.driver.awaitInFlight(1);
        files.engine.close();
        EngineContract.thrownBy(EngineClosedException.class, read::join);
        assertThat(buffer.isOwned()).isTrue();
        buffer.close();
        file.close();
    }

    // ------------------------------------------------------------------ cancelling

    @Test
    void stopsACancelledReadBetweenItsPieces() throws Exception {
        Files.write(folder.resolve("file"), new byte[B]);
        files.hold(OpCode.READ);
        files.driver.refuseCancels();
        try (VirtualFile file = VirtualFile.open(files.engine, folder.resolve("file"), OpenOptions.reading())) {
            OwnedBuffer buffer = files.engine.buffers().acquire();
            CompletableFuture<IoResult> read = file.readAsync(buffer, 0, B, 0);
            Flight flight = files.driver.awaitInFlight(1).get(0);
            read.cancel(true);
            CountDownLatch asked = new CountDownLatch(1);
            files.engine.loop().execute(asked::countDown);
            asked.await();
            files.driver.complete(flight, 100);
            awaitOwned(buffer);
            assertThat(files.count(OpCode.READ)).as("no second piece").isEqualTo(1);
            buffer.close();
        }
    }

    @Test
    void givesTheDataOfAReadThatWasFasterThanItsCancel() throws Exception {
        Files.write(folder.resolve("file"), new byte[] {1, 2, 3, 4});
        files.hold(OpCode.READ);
        files.driver.refuseCancels();
        try (VirtualFile file = VirtualFile.open(files.engine, folder.resolve("file"), OpenOptions.reading());
                OwnedBuffer buffer = files.engine.buffers().acquire()) {
            List<int[]> ends = new ArrayList<>();
            CountDownLatch ended = new CountDownLatch(1);
            RawRead operation = new RawRead(file.lanes()) {
                @Override
                void ended(OwnedBuffer owned, int moved, int error) {
                    ends.add(new int[] {moved, error});
                    ended.countDown();
                }
            };
            operation.start(file.descriptor(), buffer, 4);
            Flight flight = files.driver.awaitInFlight(1).get(0);
            operation.cancel();
            files.release(flight);
            ended.await();
            assertThat(ends).hasSize(1);
            assertThat(ends.get(0)).containsExactly(4, 0);
        }
    }

    // ------------------------------------------------------------------ results

    @Test
    void repeatsWhatTheKernelHadNoRoomForAndShowsNoEagain() throws Exception {
        AtomicInteger tries = new AtomicInteger();
        files.script(
                OpCode.WRITE,
                flight -> OptionalInt.of(
                        tries.incrementAndGet() <= 3 ? -Errno.EAGAIN : files.driver.perform(flight.operation())));
        try (VirtualFile file = open();
                OwnedBuffer buffer = files.engine.buffers().acquire()) {
            assertThat(file.writeAsync(buffer, 0, 100, 0).join().bytes()).isEqualTo(100);
        }
    }

    @Test
    void saysHowMuchWasMovedBeforeAFailure() throws Exception {
        AtomicInteger tries = new AtomicInteger();
        files.script(
                OpCode.WRITE,
                flight -> OptionalInt.of(
                        tries.incrementAndGet() == 1 ? files.driver.perform(flight.operation(), 60) : -Errno.EDQUOT));
        try (VirtualFile file = open();
                OwnedBuffer buffer = files.engine.buffers().acquire()) {
            OperationFailedException full = EngineContract.thrownBy(
                    OperationFailedException.class,
                    () -> file.writeAsync(buffer, 0, 100, 1000).join());
            assertThat(full.transferred()).isEqualTo(60);
            assertThat(full).hasMessageContaining("at offset 1060");
            files.answerAll();
            assertThat(file.writeAsync(buffer, 0, 100, 1000).join().bytes())
                    .as("works again when there is space")
                    .isEqualTo(100);
        }
    }

    @Test
    void staysFailedAfterAFailedSync() throws Exception {
        try (VirtualFile file = open()) {
            syncResult.set(-Errno.EIO);
            FatalIoException first = EngineContract.thrownBy(FatalIoException.class, file::sync);
            assertThat(first.errno()).isEqualTo(Errno.EIO);
            syncResult.set(0);
            assertThatThrownBy(file::sync).isSameAs(first);
            assertThat(EngineContract.thrownBy(
                            FatalIoException.class, () -> file.syncAsync().join()))
                    .isSameAs(first);
        }
        try (VirtualFile other = files.open(folder.resolve("other"))) {
            files.script(OpCode.FSYNC, flight -> OptionalInt.of(-Errno.ENOSPC));
            FatalIoException failed = EngineContract.thrownBy(
                    FatalIoException.class, () -> other.syncAsync().join());
            files.answerAll();
            assertThatThrownBy(other::sync).isSameAs(failed);
        }
    }

    @Test
    void asksForNoSpaceThatIsNotThereAndGivesBackWhatItGot() throws Exception {
        try (VirtualFile file = open()) {
            file.truncate(100);
            free.set(1000);
            assertThatThrownBy(() -> file.reserve(2000))
                    .isInstanceOf(OperationFailedException.class)
                    .hasMessageContaining("2000 bytes are needed and 1000 are free");
            assertThat(asked)
                    .as("a file system that is asked takes all that is left first")
                    .hasValue(0);
            free.set(1 << 20);
            allocated.set(-Errno.ENOSPC); // someone else was faster
            assertThatThrownBy(() -> file.reserve(2000)).isInstanceOf(OperationFailedException.class);
            assertThat(asked).hasValue(1);
            assertThat(file.stat().size()).isEqualTo(100);
            allocated.set(-Errno.EOPNOTSUPP);
            assertThat(file.reserve(2000)).isFalse();
            allocated.set(-Errno.EIO);
            assertThatThrownBy(() -> file.reserve(2000)).isInstanceOf(FatalIoException.class);
        }
    }

    // ------------------------------------------------------------------ users' code

    @Test
    void goesOnWhileAUsersContinuationBlocks() throws Exception {
        try (VirtualFile file = open();
                OwnedBuffer buffer = files.engine.buffers().acquire();
                OwnedBuffer other = files.engine.buffers().acquire()) {
            CountDownLatch hold = new CountDownLatch(1);
            files.hold(OpCode.WRITE);
            CompletableFuture<Void> blocked = file.writeAsync(buffer, 0, 100, 0).thenAccept(result -> await(hold));
            Flight flight = files.driver.awaitInFlight(1).get(0);
            files.answerAll();
            files.release(flight);
            for (int i = 0; i < 200; i++) {
                assertThat(file.writeAsync(other, 0, 100, i).join().bytes()).isEqualTo(100);
            }
            assertThat(blocked).isNotDone();
            hold.countDown();
            blocked.join();
        }
    }

    private static void await(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void neverCompletesAFutureOnTheEngineThread() throws Exception {
        for (Executor executor : List.<Executor>of(
                Runnable::run,
                task -> {
                    throw new java.util.concurrent.RejectedExecutionException("full");
                },
                task -> {
                    throw new IllegalStateException("an executor's fault");
                })) {
            ScriptedDriver driver = new ScriptedDriver(8);
            IoEngineConfig config = IoEngineConfig.defaults().withPool(1, 4096).withExecutor(executor);
            try (IoEngine engine = TestEngines.scripted(config, driver, PoolMemory.ofJava(1, 4096));
                    VirtualFile file = VirtualFile.open(engine, folder.resolve("y"), OpenOptions.creating());
                    OwnedBuffer buffer = engine.buffers().acquire()) {
                AtomicReference<String> thread = new AtomicReference<>("");
                CompletableFuture<Void> seen = file.writeAsync(buffer, 0, 10, 0)
                        .thenAccept(result -> thread.set(Thread.currentThread().getName()));
                driver.complete(driver.awaitInFlight(1).get(0), 10);
                seen.join();
                assertThat(thread.get()).startsWith("millrace-").doesNotContain("engine");
            }
        }
    }

    @Test
    void refusesToBlockOrCloseOnTheEngineThread() throws Exception {
        try (VirtualFile file = open();
                OwnedBuffer buffer = files.engine.buffers().acquire()) {
            List<Runnable> blocking = List.of(
                    () -> quietly(() -> file.read(buffer, 0, 1, 0)),
                    () -> quietly(file::sync),
                    () -> quietly(file::close),
                    () -> quietly(() -> files.engine.syncDirectory(folder)),
                    files.engine::close);
            for (Runnable call : blocking) {
                AtomicReference<Throwable> thrown = new AtomicReference<>();
                CountDownLatch done = new CountDownLatch(1);
                files.engine.loop().execute(() -> {
                    try {
                        call.run();
                    } catch (Throwable t) {
                        thrown.set(t);
                    }
                    done.countDown();
                });
                done.await();
                assertThat(thrown.get()).isInstanceOf(IllegalStateException.class);
            }
            assertThat(buffer.isOwned()).isTrue();
            assertThat(files.engine.buffers().tryAcquire())
                    .as("the pool is still open")
                    .isPresent()
                    .get()
                    .satisfies(OwnedBuffer::close);
        }
    }

    private interface Call {
        void run() throws IoFailure;
    }

    private static void quietly(Call call) {
        try {
            call.run();
        } catch (IoFailure e) {
            throw new AssertionError(e);
        }
    }
}
