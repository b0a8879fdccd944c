// SPDX-License-Identifier: Apache-2.0
package dev.millrace.io;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;

/** Reads and writes of any memory at any offset, through the pool. */
@ParameterizedClass(name = "{0}")
@EnumSource(EngineKind.class)
class AnyMemoryContractTest extends EngineContract {
    private static final int SIZE = 3 * TestEngines.BUFFER + 777;

    private byte[] content;

    private VirtualFile file(DirectMode mode) throws Exception {
        content = bytes(SIZE, 42);
        Path path = Files.write(folder.resolve("any"), content);
        return VirtualFile.open(engine, path, OpenOptions.reading().withDirect(mode));
    }

    private void readsLikeTheArray(VirtualFile file, int from, int length, boolean direct) throws Exception {
        ByteBuffer target = direct ? ByteBuffer.allocateDirect(length + 5) : ByteBuffer.allocate(length + 5);
        target.position(3).limit(3 + length);
        int expected = Math.max(0, Math.min(length, SIZE - from));
        assertThat(file.read(target, from))
                .as("from " + from + ", length " + length)
                .isEqualTo(expected);
        assertThat(target.position()).isEqualTo(3 + expected);
        byte[] got = new byte[expected];
        target.get(3, got);
        assertThat(Arrays.equals(got, 0, expected, content, Math.min(from, SIZE), Math.min(from, SIZE) + expected))
                .as("bytes from " + from + ", length " + length)
                .isTrue();
    }

    @Test
    void readsAnyOffsetAndLengthWithAndWithoutThePageCache() throws Exception {
        for (DirectMode mode : List.of(DirectMode.OFF, DirectMode.PREFERRED)) {
            try (VirtualFile file = file(mode)) {
                Random random = new Random(7);
                for (int i = 0; i < 200; i++) {
                    readsLikeTheArray(
                            file, random.nextInt(SIZE + 100), random.nextInt(2 * TestEngines.BUFFER), i % 2 == 0);
                }
                int b = TestEngines.BUFFER;
                for (int from :
                        new int[] {0, 1, 511, 512, 513, 4095, 4096, b - 1, b, b + 1, SIZE - 1, SIZE, SIZE + 1}) {
                    for (int length : new int[] {0, 1, 512, 4096, 4097, b - 1, b, b + 1, SIZE, SIZE + 1}) {
                        readsLikeTheArray(file, from, length, false);
                    }
                }
            }
        }
    }

    @Test
    void readsAsFuturesWithMoreAtOnceThanThereAreBuffers() throws Exception {
        try (VirtualFile file = file(DirectMode.PREFERRED)) {
            List<CompletableFuture<Integer>> futures = new ArrayList<>();
            List<ByteBuffer> targets = new ArrayList<>();
            for (int i = 0; i < 50; i++) {
                ByteBuffer target = ByteBuffer.allocate(TestEngines.BUFFER + i);
                targets.add(target);
                futures.add(file.readAsync(target, 3L * i));
            }
            for (int i = 0; i < 50; i++) {
                assertThat(futures.get(i).join()).isEqualTo(TestEngines.BUFFER + i);
                assertThat(Arrays.equals(
                                targets.get(i).array(),
                                Arrays.copyOfRange(content, 3 * i, 3 * i + TestEngines.BUFFER + i)))
                        .isTrue();
            }
        }
    }

    @Test
    void saysHowMuchThereWasWhereAFileEndsBeforeAnExactRead() throws Exception {
        try (VirtualFile file = file(DirectMode.PREFERRED)) {
            file.readExact(ByteBuffer.allocate(SIZE), 0);
            ByteBuffer target = ByteBuffer.allocate(100);
            EndOfFileException failure = thrownBy(EndOfFileException.class, () -> file.readExact(target, SIZE - 40));
            assertThat(failure.transferred()).isEqualTo(40);
            assertThat(failure)
                    .hasMessageContaining("100 bytes")
                    .hasMessageContaining("after 40")
                    .hasMessageContaining("any");
            assertThat(target.position()).isEqualTo(40);
        }
    }

    @Test
    void writesAnyMemoryAndRefusesWhatDirectInputAndOutputCannotTake() throws Exception {
        byte[] data = bytes(SIZE, 5);
        Path path = folder.resolve("written");
        try (VirtualFile file = VirtualFile.open(engine, path, OpenOptions.creating())) {
            ByteBuffer source = ByteBuffer.wrap(data);
            file.writeAll(source, 0);
            assertThat(source.hasRemaining()).isFalse();
            file.writeAll(ByteBuffer.allocateDirect(3), 11);
        }
        Arrays.fill(data, 11, 14, (byte) 0);
        assertThat(Files.readAllBytes(path)).isEqualTo(data);
        try (VirtualFile file =
                VirtualFile.open(engine, path, OpenOptions.updating().withDirect(DirectMode.PREFERRED))) {
            if (file.isDirect()) {
                thrownBy(MisalignedException.class, () -> file.writeAll(ByteBuffer.allocate(100), 0));
                thrownBy(MisalignedException.class, () -> file.writeAll(ByteBuffer.allocate(4096), 1));
            }
            file.writeAll(ByteBuffer.allocate(8192), 4096);
        }
        Arrays.fill(data, 4096, 4096 + 8192, (byte) 0);
        assertThat(Files.readAllBytes(path)).isEqualTo(data);
    }

    @Test
    void refusesNegativeOffsetsAndGivesItsBufferBackAfterAFailure() throws Exception {
        VirtualFile file = file(DirectMode.OFF);
        thrownBy(IllegalArgumentException.class, () -> file.read(ByteBuffer.allocate(1), -1));
        thrownBy(IllegalArgumentException.class, () -> file.readExact(ByteBuffer.allocate(2), Long.MAX_VALUE));
        file.close();
        thrownBy(FileClosedException.class, () -> file.read(ByteBuffer.allocate(1), 0));
        thrownBy(
                FileClosedException.class,
                () -> file.readAsync(ByteBuffer.allocate(1), 0).join());
        assertThat(file.read(ByteBuffer.allocate(0), 0)).isZero();
    }
}
