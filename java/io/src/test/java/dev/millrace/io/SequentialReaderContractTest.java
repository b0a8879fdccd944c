// SPDX-License-Identifier: Apache-2.0
package dev.millrace.io;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayOutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;

/** Reading a file from front to back, ahead of the consumer. */
@ParameterizedClass(name = "{0}")
@EnumSource(EngineKind.class)
class SequentialReaderContractTest extends EngineContract {
    private static final int SIZE = 20 * TestEngines.BUFFER + 777;

    private byte[] content = new byte[0];

    private VirtualFile file(DirectMode mode) throws Exception {
        content = bytes(SIZE, 11);
        Path path = Files.write(folder.resolve("long"), content);
        return VirtualFile.open(engine, path, OpenOptions.reading().withDirect(mode));
    }

    private static byte[] readAll(SequentialReader reader) throws IoFailure {
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        for (Optional<BufferSlice> next = reader.next(); next.isPresent(); next = reader.next()) {
            BufferSlice slice = next.get();
            try (OwnedBuffer buffer = slice.buffer()) {
                byte[] part = new byte[slice.length()];
                buffer.get(slice.at(), part, 0, part.length);
                all.writeBytes(part);
            }
        }
        return all.toByteArray();
    }

    @Test
    void handsOutAnyRangeInOrderWithAndWithoutThePageCache() throws Exception {
        for (DirectMode mode : List.of(DirectMode.OFF, DirectMode.PREFERRED)) {
            try (VirtualFile file = file(mode)) {
                Random random = new Random(3);
                for (int i = 0; i < 40; i++) {
                    int from = random.nextInt(SIZE + 10);
                    long to = i % 4 == 0 ? Long.MAX_VALUE : from + random.nextInt(SIZE);
                    int buffers = 1 + random.nextInt(4);
                    try (SequentialReader reader = SequentialReader.start(file, from, to, buffers)) {
                        int last = (int) Math.min(to, SIZE);
                        byte[] expected = from >= last ? new byte[0] : Arrays.copyOfRange(content, from, last);
                        assertThat(Arrays.equals(readAll(reader), expected))
                                .as("bytes " + from + " to " + to)
                                .isTrue();
                        assertThat(reader.next()).as("the end stays the end").isEmpty();
                        assertThat(reader.mostBuffersHeld()).isLessThanOrEqualTo(buffers);
                    }
                }
            }
        }
    }

    @Test
    void leavesNothingBehindWhereverItIsClosed() throws Exception {
        try (VirtualFile file = file(DirectMode.PREFERRED)) {
            for (int taken = 0; taken < 25; taken++) {
                SequentialReader reader = SequentialReader.start(file, 1, Long.MAX_VALUE, 4);
                for (int i = 0; i < taken; i++) {
                    reader.next().ifPresent(slice -> slice.buffer().close());
                }
                reader.close();
                reader.close();
                assertThat(reader.readsInFlight()).isZero();
                assertThat(engine.buffers().available()).isEqualTo(TestEngines.BUFFERS);
                assertThatThrownBy(reader::next).isInstanceOf(IllegalStateException.class);
            }
        }
    }

    @Test
    void sharesThePoolWithMoreReadersThanItHasBuffersFor() throws Exception {
        ExecutorService threads = TestEngines.virtualThreads().orElse(null);
        Assumptions.assumeTrue(threads != null, "this JDK has no virtual threads");
        try (VirtualFile file = file(DirectMode.PREFERRED)) {
            List<Future<Boolean>> answers = new ArrayList<>();
            for (int i = 0; i < 20; i++) {
                int from = i;
                answers.add(threads.submit(() -> {
                    try (SequentialReader reader = SequentialReader.start(file, from, Long.MAX_VALUE, 4)) {
                        return Arrays.equals(readAll(reader), Arrays.copyOfRange(content, from, SIZE));
                    }
                }));
            }
            for (Future<Boolean> answer : answers) {
                assertThat(answer.get()).isTrue();
            }
        } finally {
            threads.shutdown();
        }
    }

    @Test
    void refusesRangesThatAreNone() throws Exception {
        try (VirtualFile file = file(DirectMode.OFF)) {
            for (long[] wrong : new long[][] {{-1, 5, 1}, {5, 4, 1}, {0, 5, 0}}) {
                assertThatThrownBy(() -> SequentialReader.start(file, wrong[0], wrong[1], (int) wrong[2]))
                        .isInstanceOf(IllegalArgumentException.class)
                        .hasMessageContaining(file.path());
            }
        }
    }

    @Test
    void saysThatTheFileIsClosedWhereItsBytesWouldHaveCome() throws Exception {
        VirtualFile file = file(DirectMode.OFF);
        file.close();
        try (SequentialReader reader = SequentialReader.start(file, 0, 10, 2)) {
            thrownBy(FileClosedException.class, reader::next);
            thrownBy(FileClosedException.class, reader::next);
        }
    }
}
