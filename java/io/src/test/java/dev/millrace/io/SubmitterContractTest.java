// SPDX-License-Identifier: Apache-2.0
package dev.millrace.io;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ForkJoinPool;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReferenceArray;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Whoever hands an operation in may end at once: the kernel ties a request to the thread that entered it. */
@ParameterizedClass(name = "{0}")
@EnumSource(EngineKind.class)
class SubmitterContractTest extends EngineContract {
    private static final int ROUNDS = 50;
    private static final int READS = 64;
    private static final int SIZE = 16 << 10;
    /** Beyond what the kernel reads ahead: each read meets cold pages. */
    private static final int STRIDE = 256 << 10;

    enum Submitter {
        THREADS,
        POOL,
        FORK_JOIN,
        VIRTUAL;

        private ExecutorService open() {
            return switch (this) {
                case THREADS -> Executors.newCachedThreadPool();
                case POOL -> Executors.newFixedThreadPool(4);
                case FORK_JOIN -> new ForkJoinPool(4);
                case VIRTUAL -> {
                    var threads = TestEngines.virtualThreads();
                    assumeTrue(threads.isPresent(), "this JDK has no virtual threads");
                    yield threads.get();
                }
            };
        }
    }

    @Override
    IoEngineConfig config() {
        return TestEngines.config(kind).withPool(READS, SIZE);
    }

    @ParameterizedTest
    @EnumSource
    void readsColdPagesForThreadsThatEndRightAfterSubmitting(Submitter submitter) throws Exception {
        Path path = folder.resolve("cold");
        List<OwnedBuffer> buffers = new ArrayList<>();
        for (int i = 0; i < READS; i++) {
            buffers.add(engine.buffers().acquire());
        }
        try (VirtualFile file = VirtualFile.open(engine, path, OpenOptions.creating())) {
            for (int i = 0; i < READS; i++) {
                buffers.get(i).fill(0, SIZE, (byte) (i + 1));
                file.write(buffers.get(i), 0, SIZE, (long) i * STRIDE);
            }
            file.sync();
            long before = bytesFromDisk();
            for (int round = 0; round < ROUNDS; round++) {
                emptyCacheOf(path);
                AtomicReferenceArray<CompletableFuture<IoResult>> reads = new AtomicReferenceArray<>(READS);
                ExecutorService submitters = submitter.open();
                for (int i = 0; i < READS; i++) {
                    int at = i;
                    // Each buffer gets another place in each round, so that what it holds already is wrong.
                    long position = (long) place(at, round) * STRIDE;
                    submitters.execute(() -> reads.set(at, file.readAsync(buffers.get(at), 0, SIZE, position)));
                }
                submitters.shutdown();
                assertThat(submitters.awaitTermination(20, TimeUnit.SECONDS)).isTrue();
                for (int i = 0; i < READS; i++) {
                    assertThat(reads.get(i).join().bytes()).isEqualTo(SIZE);
                    byte expected = (byte) (place(i, round) + 1);
                    assertThat(buffers.get(i).get(0)).isEqualTo(expected);
                    assertThat(buffers.get(i).get(SIZE - 1)).isEqualTo(expected);
                }
            }
            assumeTrue(
                    bytesFromDisk() - before >= (long) ROUNDS * READS * SIZE / 2,
                    "the pages were not cold: this file system keeps them");
        } finally {
            buffers.forEach(OwnedBuffer::close);
        }
    }

    private static int place(int buffer, int round) {
        return (buffer + round + 1) % READS;
    }

    /** dd of GNU's coreutils drops what is cached of a file where it is told so (POSIX_FADV_DONTNEED). */
    private static void emptyCacheOf(Path path) throws InterruptedException {
        int status;
        try {
            status = new ProcessBuilder("dd", "if=" + path, "iflag=nocache", "count=0", "status=none")
                    .start()
                    .waitFor();
        } catch (IOException absent) {
            status = -1;
        }
        assumeTrue(status == 0, "there is no dd here that empties the cache of a file");
    }

    /** What this process has had read from disks. */
    private static long bytesFromDisk() throws IOException {
        Path accounts = Path.of("/proc/self/io");
        assumeTrue(Files.isReadable(accounts), "this system does not say what was read from disks");
        return Files.readAllLines(accounts).stream()
                .filter(line -> line.startsWith("read_bytes: "))
                .mapToLong(line -> Long.parseLong(line.substring("read_bytes: ".length())))
                .findFirst()
                .orElse(0);
    }
}
