// SPDX-License-Identifier: Apache-2.0
package dev.millrace.io;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.millrace.io.engine.EngineLoop;
import dev.millrace.io.engine.Errno;
import dev.millrace.io.engine.JavaSyscalls;
import dev.millrace.io.engine.OpCode;
import dev.millrace.io.engine.PoolMemory;
import dev.millrace.io.engine.Registration;
import dev.millrace.io.engine.ScriptedDriver;
import dev.millrace.io.engine.ScriptedDriver.Flight;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Where each operation of a switched engine runs, and when the engine before is closed. */
@Timeout(60)
class SwitchTest {
    private static final int SIZE = 4096;
    private static final int BUFFERS = 4;

    @TempDir
    Path folder;

    private final JavaSyscalls files = new JavaSyscalls();
    private final PoolMemory memory = PoolMemory.ofJava(BUFFERS, SIZE);
    /** Of each start, oldest first. */
    private final List<ScriptedDriver> drivers = Collections.synchronizedList(new ArrayList<>());

    private Optional<EngineUnavailableException> refusal = Optional.empty();
    private int registers = BUFFERS;
    private IoEngine engine;

    @BeforeEach
    void open() throws Exception {
        engine = new IoEngine(
                IoEngineConfig.defaults().withPool(BUFFERS, SIZE),
                new EngineFactory.Opened(
                        Foundation.of(files, memory, "scripted"), lane(EngineKind.IO_URING, false), this::lane));
    }

    @AfterEach
    void nothingIsLeft() {
        drivers.forEach(this::answerAll);
        engine.close();
        assertThat(engine.buffers().available()).isEqualTo(BUFFERS);
        assertThat(drivers).allMatch(ScriptedDriver::isDestroyed);
        assertThat(drivers).allMatch(driver -> driver.callsAfterDestroy() == 0);
    }

    private Lanes.Started lane(EngineKind kind, boolean besideOthers) throws EngineUnavailableException {
        if (refusal.isPresent()) {
            throw refusal.get();
        }
        ScriptedDriver driver = new ScriptedDriver(8, flight -> OptionalInt.empty(), files);
        driver.registrations(pool -> {
            int got = registers;
            return new Registration(got, got < BUFFERS ? Optional.of("only " + got) : Optional.empty());
        });
        drivers.add(driver);
        Lane lane = new Lane(kind, EngineLoop.start("millrace-engine-scripted", 64, () -> driver));
        lane.register(memory, besideOthers).join();
        return new Lanes.Started(kind, List.of(lane), List.of());
    }

    private void answerAll(ScriptedDriver driver) {
        driver.script(flight -> OptionalInt.of(driver.perform(flight.operation())));
        try {
            driver.awaitInFlight(0).forEach(flight -> release(driver, flight));
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    private static void release(ScriptedDriver driver, Flight flight) {
        driver.complete(flight, driver.perform(flight.operation()));
    }

    private VirtualFile file(String name) throws IoFailure {
        return VirtualFile.open(engine, folder.resolve(name), OpenOptions.creating());
    }

    private static void await(String what, BooleanSupplier condition) {
        for (int i = 0; !condition.getAsBoolean(); i++) {
            assertThat(i).as(what).isLessThan(20_000);
            LockSupport.parkNanos(1_000_000);
        }
    }

    @Test
    void endsWhatHasBegunWhereItBeganAndBeginsTheNextOnTheOther() throws Exception {
        try (VirtualFile file = file("f");
                OwnedBuffer first = engine.buffers().acquire();
                OwnedBuffer second = engine.buffers().acquire()) {
            CompletableFuture<IoResult> begun = file.writeAsync(first, 0, SIZE, 0);
            Flight flight = drivers.get(0).awaitInFlight(1).get(0);
            engine.switchTo(EngineKind.EPOLL);
            assertThat(engine.kind()).isEqualTo(EngineKind.EPOLL);
            assertThat(engine.status().rings())
                    .extracting(EngineStatus.Ring::ending)
                    .containsExactly(false, true);
            CompletableFuture<IoResult> next = file.writeAsync(second, 0, SIZE, SIZE);
            Flight other = drivers.get(1).awaitInFlight(1).get(0);
            release(drivers.get(1), other);
            assertThat(next.join().bytes()).isEqualTo(SIZE);
            assertThat(drivers.get(0).inFlight()).isEqualTo(1);
            assertThat(drivers.get(0).isDestroyed())
                    .as("a buffer is still the kernel's")
                    .isFalse();
            assertThat(begun).isNotDone();
            release(drivers.get(0), flight);
            assertThat(begun.join().bytes()).isEqualTo(SIZE);
            await("the engine before is gone", () -> drivers.get(0).isDestroyed());
            await("and forgotten", () -> engine.status().rings().size() == 1);
            assertThat(file.stat().size()).isEqualTo(2 * SIZE);
        }
    }

    @Test
    void goesOnWithAShortResultWhereItBegan() throws Exception {
        try (VirtualFile file = file("f");
                OwnedBuffer buffer = engine.buffers().acquire()) {
            CompletableFuture<IoResult> begun = file.writeAsync(buffer, 0, SIZE, 0);
            Flight flight = drivers.get(0).awaitInFlight(1).get(0);
            engine.switchTo(EngineKind.EPOLL);
            drivers.get(0).complete(flight, drivers.get(0).perform(flight.operation(), 100));
            await("the rest", () -> drivers.get(0).inFlight() == 1);
            answerAll(drivers.get(0));
            assertThat(begun.join().bytes()).isEqualTo(SIZE);
            assertThat(drivers.get(1).inFlight()).isZero();
        }
    }

    @Test
    void cancelsWhereItBegan() throws Exception {
        try (VirtualFile file = file("f");
                OwnedBuffer buffer = engine.buffers().acquire()) {
            CompletableFuture<IoResult> begun = file.writeAsync(buffer, 0, SIZE, 0);
            drivers.get(0).awaitInFlight(1);
            engine.switchTo(EngineKind.EPOLL);
            begun.cancel(true);
            await("the buffer is back", buffer::isOwned);
            await("the engine before is gone", () -> drivers.get(0).isDestroyed());
            begun.cancel(true); // of what is gone
        }
    }

    @Test
    void movesACopyToTheOtherEngineBetweenTwoWrites() throws Exception {
        byte[] data = EngineContract.bytes(5 * SIZE + 10, 1);
        try (VirtualFile file = file("copy")) {
            answerAll(drivers.get(0));
            Feeder feeder = new Feeder(file, 0, Long.MAX_VALUE, 2);
            feeder.feed(java.util.Arrays.copyOf(data, 2 * SIZE), SIZE);
            engine.switchTo(EngineKind.EPOLL);
            answerAll(drivers.get(1));
            await("the engine before is gone", () -> drivers.get(0).isDestroyed());
            feeder.feed(java.util.Arrays.copyOfRange(data, 2 * SIZE, data.length), SIZE);
            assertThat(feeder.finish().outcome()).isEmpty();
        }
        assertThat(Files.readAllBytes(folder.resolve("copy"))).isEqualTo(data);
    }

    @Test
    void keepsAListOfPiecesOnOneEngine() throws Exception {
        try (VirtualFile file = file("list")) {
            List<BufferSlice> pieces = new ArrayList<>();
            for (int i = 0; i < BUFFERS; i++) {
                pieces.add(new BufferSlice(engine.buffers().acquire(), 0, SIZE));
            }
            CompletableFuture<Long> begun = file.writeVectoredAsync(pieces, 0);
            drivers.get(0).awaitInFlight(BUFFERS);
            engine.switchTo(EngineKind.EPOLL);
            answerAll(drivers.get(0));
            assertThat(begun.join()).isEqualTo((long) BUFFERS * SIZE);
            await("the engine before is gone", () -> drivers.get(0).isDestroyed());
            pieces.forEach(piece -> piece.buffer().close());
        }
    }

    @Test
    void closesWhatEndsAndWhatRuns() throws Exception {
        try (VirtualFile file = file("f");
                OwnedBuffer first = engine.buffers().acquire();
                OwnedBuffer second = engine.buffers().acquire()) {
            CompletableFuture<IoResult> begun = file.writeAsync(first, 0, SIZE, 0);
            drivers.get(0).awaitInFlight(1);
            engine.switchTo(EngineKind.EPOLL);
            CompletableFuture<IoResult> next = file.writeAsync(second, 0, SIZE, SIZE);
            drivers.get(1).awaitInFlight(1);
            engine.close();
            for (CompletableFuture<IoResult> future : List.of(begun, next)) {
                assertThat(EngineContract.thrownBy(EngineClosedException.class, future::join))
                        .hasMessageContaining("write");
            }
            assertThat(drivers).allMatch(ScriptedDriver::isDestroyed);
            assertThatThrownBy(() -> engine.switchTo(EngineKind.IO_URING)).isInstanceOf(EngineClosedException.class);
        }
    }

    @Test
    void goesOnOnAnotherEngineWhereOneHasFailed() throws Exception {
        try (VirtualFile file = file("f");
                OwnedBuffer buffer = engine.buffers().acquire()) {
            CompletableFuture<IoResult> begun = file.writeAsync(buffer, 0, SIZE, 0);
            drivers.get(0).awaitInFlight(1);
            drivers.get(0).breakTurns(Errno.EPERM);
            assertThat(EngineContract.thrownBy(EngineClosedException.class, begun::join))
                    .hasMessageContaining("EPERM");
            assertThat(EngineContract.thrownBy(EngineClosedException.class, () -> file.read(buffer, 0, SIZE, 0)))
                    .hasMessageContaining("EPERM");
            assertThat(engine.status().notes()).anyMatch(note -> note.contains("EPERM"));
            engine.switchTo(EngineKind.IO_URING); // the same kind, made anew
            answerAll(drivers.get(1));
            assertThat(file.writeAsync(buffer, 0, SIZE, 0).join().bytes()).isEqualTo(SIZE);
            await("what has failed is forgotten", () -> engine.status().rings().size() == 1);
            assertThat(engine.status().notes()).isEmpty();
        }
    }

    @Test
    void keepsTheBufferThatAFailedEngineMayStillWriteToAndNoOther() throws Exception {
        drivers.get(0).failDestroy(new IllegalStateException("scripted"));
        try (VirtualFile file = file("f")) {
            OwnedBuffer lost = engine.buffers().acquire();
            CompletableFuture<IoResult> begun = file.readAsync(lost, 0, SIZE, 0);
            drivers.get(0).awaitInFlight(1);
            drivers.get(0).breakTurns(Errno.EPERM);
            EngineContract.thrownBy(EngineClosedException.class, begun::join);
            engine.switchTo(EngineKind.EPOLL);
            answerAll(drivers.get(1));
            lost.close();
            for (int i = 0; i < 2 * BUFFERS; i++) {
                try (OwnedBuffer buffer = engine.buffers().acquire()) {
                    file.writeAsync(buffer, 0, SIZE, 0).join();
                }
            }
            assertThat(engine.buffers().available()).isEqualTo(BUFFERS - 1);
        }
        engine.close();
        engine = new IoEngine( // for the check of nothingIsLeft
                IoEngineConfig.defaults().withPool(BUFFERS, SIZE),
                new EngineFactory.Opened(
                        Foundation.of(files, PoolMemory.ofJava(BUFFERS, SIZE), "scripted"),
                        lane(EngineKind.IO_URING, false),
                        this::lane));
    }

    @Test
    void registersAllOrNothingBesideOthersAndTheRestWhenTheyAreGone() throws Exception {
        assertThat(engine.status().registeredBuffers()).isEqualTo(BUFFERS);
        try (VirtualFile file = file("f");
                OwnedBuffer buffer = engine.buffers().acquire();
                OwnedBuffer other = engine.buffers().acquire()) {
            file.writeAsync(buffer, 0, SIZE, 0);
            Flight held = drivers.get(0).awaitInFlight(1).get(0);
            assertThat(held.operation().flags).isEqualTo(OpCode.FLAG_FIXED_BUFFER);
            registers = 2;
            engine.switchTo(EngineKind.EPOLL);
            assertThat(drivers.get(1).unregistered()).isEqualTo(1);
            assertThat(engine.status().registeredBuffers()).isZero();
            assertThat(engine.status().notes()).containsExactly("only 2");
            file.writeAsync(other, 0, SIZE, 0);
            Flight plain = drivers.get(1).awaitInFlight(1).get(0);
            assertThat(plain.operation().flags).isZero();
            registers = 3;
            release(drivers.get(0), held);
            await("the rest", () -> engine.status().registeredBuffers() == 3);
            assertThat(engine.status().notes()).containsExactly("only 3");
            release(drivers.get(1), plain);
            await("both are back", () -> buffer.isOwned() && other.isOwned());
        }
    }

    @Test
    void changesNothingWhereItIsRefused() throws Exception {
        EngineStatus before = engine.status();
        refusal = Optional.of(new EngineUnavailableException("the engine epoll cannot be had: scripted"));
        assertThatThrownBy(() -> engine.switchTo(EngineKind.EPOLL)).hasMessageContaining("scripted");
        assertThat(engine.status()).isEqualTo(before);
        refusal = Optional.empty();
    }

    @Test
    void refusesToPileUpEnginesThatCannotEnd() throws Exception {
        try (VirtualFile file = file("f")) {
            List<CompletableFuture<Void>> syncs = new ArrayList<>();
            int switches = 0;
            Optional<EngineUnavailableException> refused = Optional.empty();
            while (refused.isEmpty()) {
                syncs.add(file.syncAsync());
                drivers.get(switches).awaitInFlight(1);
                try {
                    engine.switchTo(switches % 2 == 0 ? EngineKind.EPOLL : EngineKind.IO_URING);
                    switches++;
                } catch (EngineUnavailableException e) {
                    refused = Optional.of(e);
                }
            }
            assertThat(switches).isEqualTo(Lanes.MOST_ENDING);
            assertThat(refused.get()).hasMessageContaining(Lanes.MOST_ENDING + " engine threads");
            drivers.forEach(this::answerAll);
            syncs.forEach(CompletableFuture::join);
            await("all are gone", () -> engine.status().rings().size() == 1);
            engine.switchTo(engine.kind() == EngineKind.EPOLL ? EngineKind.IO_URING : EngineKind.EPOLL);
        }
    }

    @Test
    void isRefusedOnAnEngineThread() {
        CompletableFuture<Throwable> thrown = new CompletableFuture<>();
        engine.loop()
                .execute(() -> thrown.complete(
                        EngineContract.thrownBy(IllegalStateException.class, () -> engine.switchTo(EngineKind.EPOLL))));
        assertThat(thrown.join()).hasMessageContaining("engine thread");
    }
}
