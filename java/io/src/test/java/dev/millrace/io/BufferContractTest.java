// SPDX-License-Identifier: Apache-2.0
package dev.millrace.io;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.millrace.io.engine.Crc64Nvme;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicReference;
import java.util.zip.CRC32C;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;

/** What a buffer and its pool do on every engine. */
@ParameterizedClass(name = "{0}")
@EnumSource(EngineKind.class)
class BufferContractTest extends EngineContract {
    private static final int B = TestEngines.BUFFER;

    private List<OwnedBuffer> takeAll() {
        List<OwnedBuffer> all = new ArrayList<>();
        while (engine.buffers().available() > 0) {
            all.add(engine.buffers().tryAcquire().orElseThrow());
        }
        assertThat(engine.buffers().tryAcquire()).isEmpty();
        return all;
    }

    @Test
    void isAlignedWholeAndApartFromItsNeighbours() {
        List<OwnedBuffer> all = takeAll();
        assertThat(all).hasSize(TestEngines.BUFFERS);
        for (int i = 0; i < all.size(); i++) {
            all.get(i).fill(0, B, (byte) (i + 1));
        }
        for (int i = 0; i < all.size(); i++) {
            OwnedBuffer buffer = all.get(i);
            assertThat(buffer.capacity()).isEqualTo(B);
            assertThat(buffer.get(0)).isEqualTo((byte) (i + 1));
            assertThat(buffer.get(B - 1)).isEqualTo((byte) (i + 1));
            ByteBuffer view = buffer.<ByteBuffer>withMemory(memory -> memory);
            assertThat(view.alignmentOffset(0, 4096)).isZero();
            assertThat(view.order()).isEqualTo(ByteOrder.nativeOrder());
            assertThat(buffer.isRegistered()).isEqualTo(engine.status().registeredBuffers() > i);
        }
        all.forEach(OwnedBuffer::close);
    }

    @Test
    void refusesAccessOutsideItsBounds() throws Exception {
        try (OwnedBuffer buffer = engine.buffers().acquire()) {
            assertThatThrownBy(() -> buffer.get(B)).isInstanceOf(IndexOutOfBoundsException.class);
            assertThatThrownBy(() -> buffer.get(-1)).isInstanceOf(IndexOutOfBoundsException.class);
            assertThatThrownBy(() -> buffer.put(B - 1, new byte[2], 0, 2))
                    .isInstanceOf(IndexOutOfBoundsException.class);
            assertThatThrownBy(() -> buffer.put(B, ByteBuffer.allocate(1)))
                    .isInstanceOf(IndexOutOfBoundsException.class);
            assertThatThrownBy(() -> buffer.get(1, ByteBuffer.allocate(B)))
                    .isInstanceOf(IndexOutOfBoundsException.class);
            assertThatThrownBy(() -> buffer.fill(B - 1, 2, (byte) 0)).isInstanceOf(IndexOutOfBoundsException.class);
            assertThatThrownBy(() -> buffer.update(new CRC32C(), 1, B)).isInstanceOf(IndexOutOfBoundsException.class);
            for (int[] place : new int[][] {{0, B + 1}, {-1, 5}, {5, -1}, {B, 1}, {1, Integer.MAX_VALUE}}) {
                assertThatThrownBy(() -> buffer.crc64Nvme(0, place[0], place[1]))
                        .isInstanceOf(IndexOutOfBoundsException.class);
            }
        }
    }

    @Test
    void checksumsItsBytes() throws Exception {
        byte[] nine = "123456789".getBytes(java.nio.charset.StandardCharsets.US_ASCII);
        try (OwnedBuffer buffer = engine.buffers().acquire()) {
            buffer.put(3, nine, 0, 9);
            assertThat(buffer.crc64Nvme(0, 3, 9)).isEqualTo(0xAE8B14860A799888L);
            assertThat(buffer.crc64Nvme(buffer.crc64Nvme(0, 3, 4), 7, 5)).isEqualTo(0xAE8B14860A799888L);
            CRC32C crc = new CRC32C();
            buffer.update(crc, 3, 9);
            assertThat(crc.getValue()).isEqualTo(0xE3069283L);
            byte[] more = bytes(10_007, 1);
            buffer.put(1, more, 0, more.length);
            assertThat(buffer.crc64Nvme(5, 1, more.length))
                    .isEqualTo(Crc64Nvme.update(5, ByteBuffer.wrap(more), 0, more.length));
        }
    }

    @Test
    void cannotBeTouchedFromTheHandOverToTheCompletion() throws Exception {
        try (VirtualFile file = VirtualFile.open(engine, folder.resolve("x"), OpenOptions.creating())) {
            OwnedBuffer buffer = engine.buffers().acquire();
            buffer.handOver();
            assertThat(buffer.isOwned()).isFalse();
            assertThatThrownBy(() -> buffer.get(0)).isInstanceOf(IllegalStateException.class);
            assertThatThrownBy(() -> buffer.put(0, new byte[1], 0, 1)).isInstanceOf(IllegalStateException.class);
            assertThatThrownBy(() -> buffer.fill(0, 1, (byte) 0)).isInstanceOf(IllegalStateException.class);
            assertThatThrownBy(() -> buffer.crc64Nvme(0, 0, 1)).isInstanceOf(IllegalStateException.class);
            assertThatThrownBy(() -> buffer.withMemory(memory -> memory))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("in flight");
            assertThatThrownBy(() -> file.write(buffer, 0, 1, 0)).isInstanceOf(IllegalStateException.class);
            assertThatThrownBy(() -> file.readAsync(buffer, 0, 1, 0)).isInstanceOf(IllegalStateException.class);
            buffer.giveBack();
            file.write(buffer, 0, 1, 0);
            buffer.close();
            assertThatThrownBy(() -> buffer.get(0)).isInstanceOf(IllegalStateException.class);
            assertThatThrownBy(() -> file.write(buffer, 0, 1, 0))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("closed");
        }
    }

    @Test
    void comesBackWithEachResultBeforeTheFutureIsComplete() throws Exception {
        try (VirtualFile file = VirtualFile.open(engine, folder.resolve("x"), OpenOptions.creating());
                VirtualFile reading = VirtualFile.open(engine, folder.resolve("x"), OpenOptions.reading());
                OwnedBuffer buffer = engine.buffers().acquire()) {
            for (int i = 0; i < 200; i++) {
                boolean owned = file.writeAsync(buffer, 0, 4096, i)
                        .thenApply(result -> result.buffer() == buffer && buffer.isOwned())
                        .join();
                assertThat(owned).isTrue();
                boolean afterFailure = reading.writeAsync(buffer, 0, 4096, i)
                        .handle((result, failure) -> failure != null && buffer.isOwned())
                        .join();
                assertThat(afterFailure).isTrue();
            }
        }
    }

    @Test
    void comesBackAfterACancel() throws Exception {
        try (VirtualFile file = VirtualFile.open(engine, folder.resolve("x"), OpenOptions.creating())) {
            for (int round = 0; round < 30; round++) {
                List<CompletableFuture<IoResult>> writes = new ArrayList<>();
                for (int i = 0; i < TestEngines.BUFFERS; i++) {
                    OwnedBuffer buffer = engine.buffers().acquire();
                    writes.add(file.writeAsync(buffer, 0, B, (long) i * B));
                    buffer.close(); // when the kernel is done
                }
                writes.forEach(write -> {
                    write.cancel(true);
                    write.cancel(false);
                });
                // All come back, or this waits for ever.
                List<OwnedBuffer> all = new ArrayList<>();
                for (int i = 0; i < TestEngines.BUFFERS; i++) {
                    all.add(engine.buffers().acquire());
                }
                all.forEach(OwnedBuffer::close);
            }
        }
    }

    @Test
    void canBeClosedOftenAndFromTwoThreads() throws Exception {
        for (int round = 0; round < 200; round++) {
            OwnedBuffer buffer = engine.buffers().acquire();
            Thread other = new Thread(buffer::close);
            other.start();
            buffer.close();
            other.join();
            buffer.close();
            assertThat(engine.buffers().available()).isEqualTo(TestEngines.BUFFERS);
        }
    }

    @Test
    void servesThoseInLineFirstComeFirstServed() {
        List<OwnedBuffer> all = takeAll();
        List<Integer> order = new ArrayList<>();
        List<OwnedBuffer> given = new ArrayList<>();
        for (int i = 0; i < 5; i++) {
            int number = i;
            BufferPool.Waiter waiter = engine.buffers().acquireThen(buffer -> {
                order.add(number);
                given.add(buffer.orElseThrow());
            });
            if (i == 2) {
                assertThat(waiter.cancel()).isTrue();
                assertThat(waiter.cancel()).isFalse();
            }
        }
        all.forEach(OwnedBuffer::close);
        assertThat(order).containsExactly(0, 1, 3, 4);
        given.forEach(OwnedBuffer::close);
    }

    @Test
    void letsNobodyJumpTheLine() {
        List<OwnedBuffer> all = takeAll();
        List<OwnedBuffer> given = new ArrayList<>();
        engine.buffers().acquireThen(first -> {
            // Whoever asks while the first in line is being served does not get what belongs to the second.
            given.add(first.orElseThrow());
            assertThat(engine.buffers().tryAcquire()).isEmpty();
        });
        engine.buffers().acquireThen(second -> given.add(second.orElseThrow()));
        all.get(0).close();
        all.get(1).close();
        assertThat(given).hasSize(2);
        given.forEach(OwnedBuffer::close);
        all.subList(2, all.size()).forEach(OwnedBuffer::close);
    }

    @Test
    void neverMakesTheEngineThreadWait() throws Exception {
        AtomicReference<Throwable> refusal = new AtomicReference<>();
        CountDownLatch done = new CountDownLatch(1);
        engine.loop().execute(() -> {
            try {
                engine.buffers().acquire();
            } catch (IllegalStateException | EngineClosedException e) {
                refusal.set(e);
            }
            done.countDown();
        });
        done.await();
        assertThat(refusal.get()).isInstanceOf(IllegalStateException.class);
    }

    @Test
    void tellsThoseInLineThatTheEngineCloses() throws Exception {
        List<OwnedBuffer> all = takeAll();
        List<Throwable> told = Collections.synchronizedList(new ArrayList<>());
        List<Thread> waiters = new ArrayList<>();
        for (int i = 0; i < 5; i++) {
            Thread waiter = new Thread(() -> {
                try (OwnedBuffer buffer = engine.buffers().acquire()) {
                    told.add(new AssertionError("got " + buffer));
                } catch (EngineClosedException e) {
                    told.add(e);
                }
            });
            waiter.start();
            waiters.add(waiter);
        }
        while (waiters.stream().anyMatch(waiter -> waiter.getState() != Thread.State.WAITING)) {
            Thread.onSpinWait();
        }
        engine.close();
        for (Thread waiter : waiters) {
            waiter.join();
        }
        assertThat(told).hasSize(5).allSatisfy(e -> assertThat(e).isInstanceOf(EngineClosedException.class));
        assertThatThrownBy(() -> engine.buffers().acquire()).isInstanceOf(EngineClosedException.class);
        assertThat(engine.buffers().tryAcquire()).isEmpty();
        all.forEach(OwnedBuffer::close);
    }

    @Test
    void lendsItsMemoryForOneCall() throws Exception {
        try (OwnedBuffer buffer = engine.buffers().acquire()) {
            buffer.fill(0, B, (byte) 5);
            int sum = buffer.withMemory(memory -> {
                assertThat(memory.position()).isZero();
                assertThat(memory.limit()).isEqualTo(B);
                assertThatThrownBy(buffer::close).isInstanceOf(IllegalStateException.class);
                assertThatThrownBy(buffer::handOver).isInstanceOf(IllegalStateException.class);
                assertThatThrownBy(() -> buffer.get(0)).isInstanceOf(IllegalStateException.class);
                memory.put(0, (byte) 6);
                return (int) memory.get(1);
            });
            assertThat(sum).isEqualTo(5);
            assertThat(buffer.get(0)).isEqualTo((byte) 6);
            assertThatThrownBy(() -> buffer.withMemory(memory -> {
                        throw new IllegalArgumentException("within");
                    }))
                    .hasMessage("within");
            assertThat(buffer.isOwned()).isTrue();
        }
    }

    @Test
    void isSafeToReadThroughAViewThatWasKeptBeyondTheEngine() throws Exception {
        OwnedBuffer buffer = engine.buffers().acquire();
        buffer.fill(0, B, (byte) 9);
        ByteBuffer view = buffer.<ByteBuffer>withMemory(memory -> memory.slice(100, 1000));
        buffer.close();
        engine.close();
        for (int i = 0; i < 20; i++) {
            System.gc();
            byte[] read = new byte[1000];
            view.get(0, read);
            assertThat(read).containsOnly(read[0]);
        }
        assertThat(view.get(999)).isIn((byte) 0, (byte) 9);
    }

    @Test
    void staysUsableAfterTheEngineForWhoStillHoldsIt() throws Exception {
        OwnedBuffer buffer = engine.buffers().acquire();
        buffer.fill(0, B, (byte) 4);
        engine.close();
        assertThat(buffer.get(B - 1)).isEqualTo((byte) 4);
        assertThat(buffer.crc64Nvme(0, 0, 10)).isNotZero();
        buffer.close();
    }

    @Test
    void isReportedAndGivenBackWhenItIsDropped() throws Exception {
        drop();
        for (int i = 0; i < 500 && engine.buffers().available() < TestEngines.BUFFERS; i++) {
            System.gc();
            Thread.sleep(10);
        }
        assertThat(engine.buffers().available()).isEqualTo(TestEngines.BUFFERS);
        assertThat(engine.buffers().droppedLeases()).isEqualTo(1);
    }

    private void drop() throws EngineClosedException {
        engine.buffers().acquire().fill(0, 10, (byte) 1);
    }

    @Test
    void isNotTakenForDroppedWhileAnOperationHoldsIt() throws Exception {
        try (VirtualFile file = VirtualFile.open(engine, folder.resolve("x"), OpenOptions.creating())) {
            for (int i = 0; i < 20; i++) {
                CompletableFuture<IoResult> write =
                        file.writeAsync(engine.buffers().acquire(), 0, B, 0);
                System.gc();
                write.join().buffer().close();
            }
        }
        assertThat(engine.buffers().droppedLeases()).isZero();
    }
}
