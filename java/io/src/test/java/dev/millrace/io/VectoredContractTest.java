// SPDX-License-Identifier: Apache-2.0
package dev.millrace.io;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.millrace.io.engine.Errno;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.ExecutorService;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;

/** Reads and writes of several buffers at once. */
@ParameterizedClass(name = "{0}")
@EnumSource(EngineKind.class)
class VectoredContractTest extends EngineContract {
    /** Beyond IOV_MAX, which is 1024. */
    private static final int MANY = 1100;

    private static final int SMALL = 4096;

    @Override
    IoEngineConfig config() {
        return super.config().withPool(MANY, 2 * SMALL);
    }

    private Path path(String name) {
        return folder.resolve(name);
    }

    private List<OwnedBuffer> acquire(int count) throws IoFailure {
        List<OwnedBuffer> buffers = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            buffers.add(engine.buffers().acquire());
        }
        return buffers;
    }

    private static void close(List<OwnedBuffer> buffers) {
        buffers.forEach(OwnedBuffer::close);
    }

    /** Pieces of the lengths given, each at a place of its own in its buffer, filled with consecutive data. */
    private static List<BufferSlice> pieces(List<OwnedBuffer> buffers, int[] lengths, byte[] data) {
        List<BufferSlice> pieces = new ArrayList<>();
        int from = 0;
        for (int i = 0; i < lengths.length; i++) {
            int at = (SMALL - lengths[i]) / 2;
            buffers.get(i).put(at, data, from, lengths[i]);
            pieces.add(new BufferSlice(buffers.get(i), at, lengths[i]));
            from += lengths[i];
        }
        return pieces;
    }

    private static byte[] content(List<BufferSlice> pieces, int total) {
        ByteBuffer all = ByteBuffer.allocate(total);
        for (BufferSlice piece : pieces) {
            if (all.hasRemaining()) {
                byte[] part = new byte[Math.min(piece.length(), all.remaining())];
                piece.buffer().get(piece.at(), part, 0, part.length);
                all.put(part);
            }
        }
        return all.array();
    }

    private static void wipe(List<BufferSlice> pieces) {
        pieces.forEach(piece -> piece.buffer().fill(0, SMALL, (byte) 0));
    }

    @Test
    void writesAndReadsPiecesInOrderBlockingAndAsFutures() throws Exception {
        int[] lengths = {1, 0, 4095, 4096, 17, 0, 512, 3};
        int total = Arrays.stream(lengths).sum();
        List<OwnedBuffer> buffers = acquire(lengths.length);
        byte[] data = bytes(total, 3);
        List<BufferSlice> pieces = pieces(buffers, lengths, data);
        try (VirtualFile file = VirtualFile.open(engine, path("x"), OpenOptions.creating())) {
            file.writeVectored(pieces, 5);
            assertThat(Arrays.copyOfRange(Files.readAllBytes(path("x")), 5, 5 + total))
                    .isEqualTo(data);
            wipe(pieces);
            assertThat(file.readVectored(pieces, 5)).isEqualTo(total);
            assertThat(content(pieces, total)).isEqualTo(data);
            assertThat(file.writeVectoredAsync(pieces, 10_000).join()).isEqualTo(total);
            wipe(pieces);
            assertThat(file.readVectoredAsync(pieces, 10_000).join()).isEqualTo(total);
            assertThat(content(pieces, total)).isEqualTo(data);
            assertThat(file.stat().size()).isEqualTo(10_000 + total);
        }
        close(buffers);
    }

    @Test
    void takesMorePiecesThanOneSystemCallCould() throws Exception {
        List<OwnedBuffer> buffers = acquire(MANY);
        int[] lengths = new int[MANY];
        Arrays.fill(lengths, SMALL);
        byte[] data = bytes(MANY * SMALL, 4);
        List<BufferSlice> pieces = pieces(buffers, lengths, data);
        for (DirectMode mode : List.of(DirectMode.OFF, DirectMode.PREFERRED)) {
            try (VirtualFile file = VirtualFile.open(
                    engine, path("many"), OpenOptions.creating().withDirect(mode))) {
                file.writeVectored(pieces, 0);
                assertThat(Files.readAllBytes(path("many"))).isEqualTo(data);
                wipe(pieces);
                assertThat(file.readVectoredAsync(pieces, 0).join()).isEqualTo(data.length);
                assertThat(content(pieces, data.length)).isEqualTo(data);
            }
        }
        close(buffers);
    }

    @Test
    void endsAtTheEndOfTheFile() throws Exception {
        byte[] data = bytes(3 * SMALL + 100, 5);
        Files.write(path("short"), data);
        List<OwnedBuffer> buffers = acquire(6);
        List<BufferSlice> pieces = buffers.stream()
                .map(buffer -> new BufferSlice(buffer, 0, SMALL))
                .toList();
        for (DirectMode mode : List.of(DirectMode.OFF, DirectMode.PREFERRED)) {
            try (VirtualFile file = VirtualFile.open(
                    engine, path("short"), OpenOptions.reading().withDirect(mode))) {
                wipe(pieces);
                assertThat(file.readVectored(pieces, 0)).isEqualTo(data.length);
                assertThat(content(pieces, data.length)).isEqualTo(data);
                assertThat(file.readVectored(pieces, 4 * SMALL)).isZero();
                assertThat(file.readVectoredAsync(pieces, 2 * SMALL).join()).isEqualTo(SMALL + 100);
            }
        }
        close(buffers);
    }

    @Test
    void servesVirtualThreads() throws Exception {
        ExecutorService threads = TestEngines.virtualThreads().orElse(null);
        org.junit.jupiter.api.Assumptions.assumeTrue(threads != null, "this JDK has no virtual threads");
        List<OwnedBuffer> buffers = acquire(4);
        List<BufferSlice> pieces = pieces(buffers, new int[] {9, 4096, 1, 77}, bytes(4183, 6));
        try (VirtualFile file = VirtualFile.open(engine, path("virtual"), OpenOptions.creating())) {
            long read = threads.submit(() -> {
                        file.writeVectored(pieces, 0);
                        return file.readVectored(pieces, 0);
                    })
                    .get();
            assertThat(read).isEqualTo(4183);
        } finally {
            threads.shutdown();
        }
        close(buffers);
    }

    @Test
    void checksEachPieceBeforeItTakesAny() throws Exception {
        List<OwnedBuffer> buffers = acquire(3);
        try (VirtualFile direct = VirtualFile.open(
                        engine, path("direct"), OpenOptions.creating().withDirect(DirectMode.REQUIRED));
                VirtualFile file = VirtualFile.open(engine, path("buffered"), OpenOptions.creating())) {
            int step = direct.alignment().offset();
            BufferSlice good = new BufferSlice(buffers.get(0), 0, step);
            for (BufferSlice wrong :
                    List.of(new BufferSlice(buffers.get(1), 0, step - 1), new BufferSlice(buffers.get(1), 1, step))) {
                MisalignedException misaligned =
                        thrownBy(MisalignedException.class, () -> direct.writeVectored(List.of(good, wrong), step));
                assertThat(misaligned)
                        .hasMessageContaining("offset " + 2 * step)
                        .hasMessageContaining(wrong.length() + " bytes from buffer position " + wrong.at());
                thrownBy(
                        MisalignedException.class,
                        () -> direct.readVectoredAsync(List.of(good, wrong), 0).join());
            }
            BufferSlice outside = new BufferSlice(buffers.get(1), 1, 2 * SMALL);
            assertThatThrownBy(() -> file.writeVectored(List.of(good, outside), 0))
                    .isInstanceOf(IndexOutOfBoundsException.class);
            assertThatThrownBy(() -> file.readVectoredAsync(List.of(good), -1))
                    .isInstanceOf(IllegalArgumentException.class);
            assertThatThrownBy(() -> file.readVectored(List.of(good), Long.MAX_VALUE))
                    .isInstanceOf(IllegalArgumentException.class);
            assertThatThrownBy(() -> file.readVectored(List.of(good, good), 0))
                    .as("one buffer twice")
                    .isInstanceOf(IllegalStateException.class);
            assertThat(buffers).allMatch(OwnedBuffer::isOwned);
            assertThat(direct.stat().size()).isZero();
            assertThat(file.stat().size()).isZero();
            assertThat(file.readVectored(List.of(), 0)).isZero();
        }
        VirtualFile closed = VirtualFile.open(engine, path("closed"), OpenOptions.creating());
        closed.close();
        List<BufferSlice> one = List.of(new BufferSlice(buffers.get(0), 0, 1));
        thrownBy(FileClosedException.class, () -> closed.writeVectored(one, 0));
        thrownBy(
                FileClosedException.class,
                () -> closed.readVectoredAsync(one, 0).join());
        assertThat(buffers).allMatch(OwnedBuffer::isOwned);
        close(buffers);
    }

    @Test
    void namesTheFailureOfAFileOpenForReading() throws Exception {
        Files.write(path("read"), new byte[10]);
        List<OwnedBuffer> buffers = acquire(2);
        try (VirtualFile file = VirtualFile.open(engine, path("read"), OpenOptions.reading())) {
            List<BufferSlice> pieces = pieces(buffers, new int[] {5, 5}, new byte[10]);
            OperationFailedException refused =
                    thrownBy(OperationFailedException.class, () -> file.writeVectored(pieces, 0));
            assertThat(refused.errno()).isEqualTo(Errno.EBADF);
            assertThat(refused.transferred()).isZero();
            assertThat(refused.path()).isEqualTo(file.path());
            assertThat(refused.operation()).isEqualTo("write");
        }
        close(buffers);
    }

    @Test
    void gathersAndScattersAnyMemoryThroughFewOperations() throws Exception {
        byte[] data = bytes(5 * SMALL + 100, 7);
        List<ByteBuffer> sources = new ArrayList<>();
        for (int from = 0; from < data.length; from += 1000) {
            int count = Math.min(1000, data.length - from);
            sources.add(
                    from % 2000 == 0
                            ? ByteBuffer.wrap(data, from, count)
                            : ByteBuffer.allocateDirect(count)
                                    .put(data, from, count)
                                    .flip());
            sources.add(ByteBuffer.allocate(0));
        }
        try (VirtualFile file = VirtualFile.open(engine, path("any"), OpenOptions.creating())) {
            file.writeAll(sources, 3);
            assertThat(sources).noneMatch(ByteBuffer::hasRemaining);
            assertThat(file.stat().size()).isEqualTo(3 + data.length);
        }
        for (DirectMode mode : List.of(DirectMode.OFF, DirectMode.PREFERRED)) {
            try (VirtualFile file =
                    VirtualFile.open(engine, path("any"), OpenOptions.reading().withDirect(mode))) {
                List<ByteBuffer> targets = List.of(
                        ByteBuffer.allocate(1),
                        ByteBuffer.allocate(0),
                        ByteBuffer.allocateDirect(7000),
                        ByteBuffer.allocate(data.length));
                assertThat(file.read(targets, 3)).isEqualTo(data.length);
                ByteBuffer all = ByteBuffer.allocate(data.length);
                targets.forEach(target -> all.put(target.flip()));
                assertThat(all.array()).isEqualTo(data);
            }
        }
    }
}
