// SPDX-License-Identifier: Apache-2.0
package dev.millrace.io;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.millrace.io.engine.EngineCounters;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;

/** What the copy loop puts on disk on every engine. */
@ParameterizedClass(name = "{0}")
@EnumSource(EngineKind.class)
class CopyLoopContractTest extends EngineContract {
    private static final int B = TestEngines.BUFFER;

    private VirtualFile open(String name, DirectMode direct) throws IoFailure {
        return VirtualFile.open(
                engine, folder.resolve(name), OpenOptions.creating().withDirect(direct));
    }

    private byte[] read(String name) throws Exception {
        return Files.readAllBytes(folder.resolve(name));
    }

    private void everythingIsBack() {
        assertThat(engine.buffers().available()).isEqualTo(engine.buffers().size());
    }

    // ------------------------------------------------------------------ chunks, lengths, places

    @Test
    void takesChunksOfAnySize() throws Exception {
        int length = 3 * B + 17;
        byte[] data = bytes(length, 1);
        for (DirectMode mode : List.of(DirectMode.OFF, DirectMode.REQUIRED)) {
            for (int chunk : new int[] {1, 251, 4096, 8191, B - 1, B, B + 1, 5 * B}) {
                try (VirtualFile file = open("chunks", mode)) {
                    Feeder feeder = new Feeder(file, 0, Long.MAX_VALUE, 3);
                    assertThat(feeder.feed(data, chunk).finish().outcome()).isEmpty();
                    assertThat(feeder.loop.position()).isEqualTo(length);
                    assertThat(feeder.loop.mostBuffersHeld()).isLessThanOrEqualTo(3);
                    everythingIsBack();
                }
                assertThat(read("chunks")).as(mode + ", chunks of " + chunk).isEqualTo(data);
            }
        }
    }

    @Test
    void writesStreamsOfAnyLength() throws Exception {
        for (DirectMode mode : List.of(DirectMode.OFF, DirectMode.REQUIRED)) {
            for (int length : new int[] {1, 511, 512, 4095, 4096, 4097, B - 1, B, B + 1, 2 * B, 6 * B + 513}) {
                for (int reservation = 0; reservation < 3; reservation++) {
                    byte[] data = bytes(length, length);
                    try (VirtualFile file = open("lengths", mode)) {
                        long reserved = 0;
                        if (reservation == 1) {
                            reserved = file.reserve(length) ? length : Long.MAX_VALUE;
                        } else if (reservation == 2) {
                            reserved = Long.MAX_VALUE;
                        }
                        Feeder feeder = new Feeder(file, 0, reserved, 2);
                        assertThat(feeder.feed(data, 5000).finish().outcome()).isEmpty();
                        everythingIsBack();
                    }
                    assertThat(read("lengths"))
                            .as(mode + ", " + length + " bytes, reservation " + reservation)
                            .isEqualTo(data);
                }
            }
        }
    }

    @Test
    void beginsInsideABlockAndKeepsWhatIsBeforeIt() throws Exception {
        byte[] before = bytes(3 * B, 7);
        for (DirectMode mode : List.of(DirectMode.OFF, DirectMode.REQUIRED)) {
            for (int start : new int[] {0, 1, 511, 512, 1000, 4096, 4109, B - 1, B, B + 5, 2 * B + 4096}) {
                for (int length : new int[] {1, 3000, 4096, B, 2 * B + 1}) {
                    Path path = Files.write(folder.resolve("starts"), Arrays.copyOf(before, start));
                    byte[] data = bytes(length, start + 1L);
                    try (VirtualFile file = VirtualFile.open(
                            engine, path, OpenOptions.updating().withDirect(mode))) {
                        Feeder feeder = new Feeder(file, start, 0, 2);
                        assertThat(feeder.feed(data, 4000).finish().outcome()).isEmpty();
                    }
                    byte[] expected = Arrays.copyOf(before, start + length);
                    System.arraycopy(data, 0, expected, start, length);
                    assertThat(Files.readAllBytes(path))
                            .as(mode + ", start " + start + ", length " + length)
                            .isEqualTo(expected);
                }
            }
        }
        everythingIsBack();
    }

    @Test
    void writesAndCutsNothingForAnEmptyStream() throws Exception {
        byte[] before = bytes(5000, 1);
        for (long start : new long[] {0, 100, 4096}) {
            Path path = Files.write(folder.resolve("empty"), before);
            try (VirtualFile file =
                    VirtualFile.open(engine, path, OpenOptions.updating().withDirect(DirectMode.REQUIRED))) {
                long written = engine.counters().bytesWritten();
                Feeder feeder = new Feeder(file, start, 0, 2);
                assertThat(feeder.feed(new byte[0], 1).finish().outcome()).isEmpty();
                assertThat(engine.counters().bytesWritten()).isEqualTo(written);
            }
            assertThat(Files.readAllBytes(path)).isEqualTo(before);
        }
    }

    @Test
    void cutsWhatWasReservedBeyondTheEnd() throws Exception {
        byte[] data = bytes(10_000, 4);
        try (VirtualFile file = open("cut", DirectMode.REQUIRED)) {
            assumeTrue(file.reserve(10L * B), "this engine cannot reserve");
            Feeder feeder = new Feeder(file, 0, 10L * B, 2);
            assertThat(feeder.feed(data, 777).finish().outcome()).isEmpty();
        }
        assertThat(read("cut")).isEqualTo(data);
    }

    @Test
    void reservesInStepsWhereTheLengthIsNotKnown() throws Exception {
        long length = CopyLoop.RESERVE_STEP + 3L * B + 5;
        byte[] chunk = bytes(1 << 20, 8);
        Path path = folder.resolve("steps");
        try (VirtualFile file = open("steps", DirectMode.REQUIRED)) {
            Feeder feeder = new Feeder(file, 0, 0, 4);
            long left = length;
            while (left > 0) {
                ByteBuffer part = ByteBuffer.wrap(chunk, 0, (int) Math.min(left, chunk.length));
                left -= part.remaining();
                while (!feeder.offer(part)) {
                    feeder.awaitReady();
                }
            }
            assertThat(feeder.finish().outcome()).isEmpty();
            assertThat(file.stat().size()).isEqualTo(length);
        }
        try (java.io.InputStream in = Files.newInputStream(path)) {
            long at = 0;
            while (at < length) {
                byte[] read = in.readNBytes(chunk.length);
                assertThat(read).isEqualTo(Arrays.copyOf(chunk, read.length));
                at += read.length;
            }
        }
    }

    @Test
    void writesWholeRegisteredBuffersAndNeedsNoKernelWorker() throws Exception {
        int buffers = 40;
        byte[] data = bytes(buffers * B + 100, 3);
        try (VirtualFile file = open("whole", DirectMode.REQUIRED)) {
            boolean reserved = file.reserve(data.length);
            EngineCounters before = engine.counters();
            Feeder feeder = new Feeder(file, 0, reserved ? data.length : Long.MAX_VALUE, 3);
            assertThat(feeder.feed(data, 10_007).finish().outcome()).isEmpty();
            EngineCounters after = engine.counters();
            long writes = after.fixed() + after.plain() - before.fixed() - before.plain();
            assertThat(writes).as("one write a buffer and one for the tail").isEqualTo(buffers + 1);
            long tail = file.roundUpToBlock(100);
            assertThat(after.bytesWritten() - before.bytesWritten()).isEqualTo((long) buffers * B + tail);
            if (engine.status().registeredBuffers() == engine.buffers().size()) {
                assertThat(after.plain() - before.plain())
                        .as("writes that are not fixed")
                        .isZero();
            } else {
                assertThat(kind).isNotEqualTo(EngineKind.IO_URING);
            }
            assertThat(after.kernelWorkers()).isZero();
        }
    }

    // ------------------------------------------------------------------ sharing and giving up

    @Test
    void letsManyLoopsShareASingleBuffer() throws Exception {
        engine.close();
        engine = TestEngines.open(config().withPool(1, B));
        int loops = 20;
        List<byte[]> data = new ArrayList<>();
        List<Thread> producers = new ArrayList<>();
        List<Throwable> problems = Collections.synchronizedList(new ArrayList<>());
        List<VirtualFile> files = new ArrayList<>();
        for (int i = 0; i < loops; i++) {
            byte[] bytes = bytes(2 * B + i * 1111, i);
            data.add(bytes);
            VirtualFile file = open("shared" + i, i % 2 == 0 ? DirectMode.REQUIRED : DirectMode.OFF);
            files.add(file);
            int chunk = 1000 + 777 * i;
            Thread producer = new Thread(() -> {
                try {
                    Feeder feeder = new Feeder(file, 0, Long.MAX_VALUE, 1 + chunk % 3);
                    feeder.feed(bytes, chunk);
                    assertThat(feeder.finish().outcome()).isEmpty();
                    assertThat(feeder.loop.mostBuffersHeld()).isEqualTo(1);
                } catch (Throwable t) {
                    problems.add(t);
                }
            });
            producers.add(producer);
            producer.start();
        }
        for (Thread producer : producers) {
            producer.join();
        }
        assertThat(problems).isEmpty();
        for (int i = 0; i < loops; i++) {
            files.get(i).close();
            assertThat(read("shared" + i)).isEqualTo(data.get(i));
        }
        everythingIsBack();
    }

    @Test
    void givesAllBuffersBackWhereverItIsAborted() throws Exception {
        Random random = new Random(11);
        for (int round = 0; round < 60; round++) {
            try (VirtualFile file = open("aborted", round % 2 == 0 ? DirectMode.REQUIRED : DirectMode.OFF)) {
                Feeder feeder = new Feeder(file, random.nextInt(5000), round % 3 == 0 ? 0 : Long.MAX_VALUE, 3);
                ByteBuffer chunk = ByteBuffer.wrap(bytes(random.nextInt(6 * B), round));
                while (chunk.hasRemaining() && feeder.offer(chunk)) {
                    chunk.limit(chunk.capacity());
                }
                boolean[] back = new boolean[1];
                java.util.concurrent.CountDownLatch told = new java.util.concurrent.CountDownLatch(1);
                feeder.loop.abort(() -> {
                    back[0] = engine.buffers().available() == engine.buffers().size();
                    told.countDown();
                });
                told.await();
                assertThat(back[0]).as("all back when it is told").isTrue();
            }
        }
    }

    @Test
    void tellsTheFailureWhenTheEngineIsClosedInTheMiddle() throws Exception {
        for (int round = 0; round < 10; round++) {
            IoEngine closing = TestEngines.open(config());
            VirtualFile file = VirtualFile.open(closing, folder.resolve("closing"), OpenOptions.creating());
            Feeder feeder = new Feeder(file, 0, Long.MAX_VALUE, 2);
            Thread closer = new Thread(closing::close);
            byte[] data = bytes(B + 1, 1);
            boolean failed = false;
            for (int i = 0; i < 2000 && !failed; i++) {
                if (i == 20) {
                    closer.start();
                }
                try {
                    feeder.feed(data, data.length);
                } catch (EngineClosedException | FileClosedException e) {
                    failed = true;
                }
            }
            assertThat(failed).isTrue();
            feeder.abort();
            feeder.outcome();
            closer.join();
            file.close();
            assertThat(closing.buffers().available())
                    .isEqualTo(closing.buffers().size());
        }
    }
}
