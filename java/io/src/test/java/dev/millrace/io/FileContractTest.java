// SPDX-License-Identifier: Apache-2.0
package dev.millrace.io;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.millrace.io.engine.Errno;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;

/** What a {@link VirtualFile} does on every engine. */
@ParameterizedClass(name = "{0}")
@EnumSource(EngineKind.class)
class FileContractTest extends EngineContract {
    private static final OpenOptions DIRECT = OpenOptions.creating().withDirect(DirectMode.REQUIRED);

    /** Sizes and offsets around the edges of sectors, blocks and buffers. */
    private static int[] edges() {
        return new int[] {1, 511, 512, 513, 1023, 4095, 4096, 4097, 8191, 8192, 12289, TestEngines.BUFFER - 1};
    }

    private VirtualFile open(String name, OpenOptions options) throws IoFailure {
        return VirtualFile.open(engine, folder.resolve(name), options);
    }

    private OwnedBuffer filled(byte[] bytes) throws IoFailure {
        OwnedBuffer buffer = engine.buffers().acquire();
        buffer.put(0, bytes, 0, bytes.length);
        return buffer;
    }

    private static byte[] taken(OwnedBuffer buffer, int at, int length) {
        byte[] bytes = new byte[length];
        buffer.get(at, bytes, 0, length);
        return bytes;
    }

    // ------------------------------------------------------------------ sizes and offsets

    @Test
    void readsBackWhatWasWrittenAroundEachEdge() throws Exception {
        try (VirtualFile file = open("edges", OpenOptions.creating());
                OwnedBuffer out = engine.buffers().acquire();
                OwnedBuffer in = engine.buffers().acquire()) {
            for (int size : edges()) {
                for (int offset : new int[] {0, 1, 511, 512, 4095, 4096, 4097}) {
                    byte[] data = bytes(size, 31L * size + offset);
                    int at = size % 7;
                    int length = Math.min(size, out.capacity() - at);
                    out.put(at, data, 0, length);
                    file.write(out, at, length, offset);
                    assertThat(file.read(in, 0, length, offset)).isEqualTo(length);
                    assertThat(taken(in, 0, length)).isEqualTo(taken(out, at, length));
                    assertThat(file.writeAsync(out, at, length, offset).join().bytes())
                            .isEqualTo(length);
                    IoResult result = file.readAsync(in, 0, length, offset).join();
                    assertThat(result.bytes()).isEqualTo(length);
                    assertThat(result.buffer()).isSameAs(in);
                    assertThat(taken(in, 0, length)).isEqualTo(taken(out, at, length));
                }
            }
        }
    }

    @Test
    void writesAndReadsDirectlyInMultiplesOfTheAlignment() throws Exception {
        try (VirtualFile file = open("direct", DIRECT)) {
            int step = file.alignment().offset();
            assertThat(file.isDirect()).isTrue();
            assertThat(step).isIn(512, 1024, 2048, 4096);
            try (OwnedBuffer out = engine.buffers().acquire();
                    OwnedBuffer in = engine.buffers().acquire()) {
                for (int blocks : new int[] {1, 2, 7, 8, TestEngines.BUFFER / step}) {
                    for (int first : new int[] {0, 1, 8, 9}) {
                        byte[] data = bytes(blocks * step, blocks + 100L * first);
                        out.put(0, data, 0, data.length);
                        file.write(out, 0, data.length, (long) first * step);
                        assertThat(file.readAsync(in, 0, data.length, (long) first * step)
                                        .join()
                                        .bytes())
                                .isEqualTo(data.length);
                        assertThat(taken(in, 0, data.length)).isEqualTo(data);
                    }
                }
            }
        }
    }

    @Test
    void saysTheNeededNumbersWhenADirectCallIsMisaligned() throws Exception {
        try (VirtualFile file = open("misaligned", DIRECT);
                OwnedBuffer buffer = engine.buffers().acquire()) {
            int step = file.alignment().offset();
            int memory = file.alignment().memory();
            List<long[]> wrong = new ArrayList<>();
            wrong.add(new long[] {0, step, 1});
            wrong.add(new long[] {0, step, step - 1});
            wrong.add(new long[] {0, step + 1, 0});
            wrong.add(new long[] {0, 1, 0});
            wrong.add(new long[] {memory - 1, step, 0});
            wrong.add(new long[] {1, step, step});
            for (long[] call : wrong) {
                int at = (int) call[0];
                int length = (int) call[1];
                MisalignedException read =
                        thrownBy(MisalignedException.class, () -> file.read(buffer, at, length, call[2]));
                MisalignedException write = thrownBy(
                        MisalignedException.class,
                        () -> file.writeAsync(buffer, at, length, call[2]).join());
                for (MisalignedException misaligned : List.of(read, write)) {
                    assertThat(misaligned.path()).isEqualTo(file.path());
                    assertThat(misaligned)
                            .hasMessageContaining("multiples of " + step)
                            .hasMessageContaining("memory in multiples of " + memory)
                            .hasMessageContaining("offset " + call[2]);
                }
                assertThat(buffer.isOwned()).isTrue();
            }
            assertThat(file.stat().size()).isZero();
        }
    }

    @Test
    void readsExactlyTheBytesBeforeAnUnalignedEndDirectly() throws Exception {
        for (int size : edges()) {
            byte[] data = bytes(size, size);
            Path path = folder.resolve("end" + size);
            Files.write(path, data);
            try (VirtualFile file =
                            VirtualFile.open(engine, path, OpenOptions.reading().withDirect(DirectMode.REQUIRED));
                    OwnedBuffer buffer = engine.buffers().acquire()) {
                buffer.fill(0, buffer.capacity(), (byte) 77);
                assertThat(file.read(buffer, 0, buffer.capacity(), 0)).isEqualTo(size);
                assertThat(taken(buffer, 0, size)).isEqualTo(data);
                long next = file.alignment().roundUp(size);
                int step = file.alignment().offset();
                assertThat(file.read(buffer, 0, step, next)).isZero();
                assertThat(file.readAsync(buffer, 0, step, next).join().bytes()).isZero();
                assertThat(file.readAsync(buffer, 0, buffer.capacity(), 0)
                                .join()
                                .bytes())
                        .isEqualTo(size);
            }
        }
    }

    @Test
    void readsNothingAtAndBeyondTheEnd() throws Exception {
        try (VirtualFile file = open("end", OpenOptions.creating());
                OwnedBuffer buffer = filled(bytes(100, 1))) {
            assertThat(file.read(buffer, 0, 10, 0)).isZero();
            file.write(buffer, 0, 100, 0);
            assertThat(file.read(buffer, 0, 100, 100)).isZero();
            assertThat(file.readAsync(buffer, 0, 100, 1L << 40).join().bytes()).isZero();
            assertThat(file.read(buffer, 0, 100, 40)).isEqualTo(60);
            assertThat(file.readAsync(buffer, 0, 100, 99).join().bytes()).isEqualTo(1);
        }
    }

    @Test
    void reachesBeyondFourGibibytes() throws Exception {
        long far = 5L << 30;
        byte[] data = bytes(4096, 5);
        try (VirtualFile file = open("sparse", OpenOptions.creating());
                OwnedBuffer buffer = filled(data)) {
            file.write(buffer, 0, data.length, far);
            file.writeAsync(buffer, 0, data.length, far + 4097).join();
            buffer.fill(0, data.length, (byte) 0);
            assertThat(file.read(buffer, 0, data.length, far)).isEqualTo(data.length);
            assertThat(taken(buffer, 0, data.length)).isEqualTo(data);
            buffer.fill(0, data.length, (byte) 0);
            assertThat(file.readAsync(buffer, 0, data.length, far + 4097).join().bytes())
                    .isEqualTo(data.length);
            assertThat(taken(buffer, 0, data.length)).isEqualTo(data);
            assertThat(file.stat().size()).isEqualTo(far + 4097 + 4096);
            assertThat(file.read(buffer, 0, 512, far - 512)).isEqualTo(512);
            assertThat(taken(buffer, 0, 512)).containsOnly(0);
        }
    }

    @Test
    void movesNothingForALengthOfZero() throws Exception {
        OwnedBuffer buffer = engine.buffers().acquire();
        try (VirtualFile file = open("zero", OpenOptions.creating())) {
            file.write(buffer, 5, 0, 99);
            assertThat(file.readAsync(buffer, 0, 0, 0).join().bytes()).isZero();
            assertThat(file.writeAsync(buffer, buffer.capacity(), 0, 7).join().bytes())
                    .isZero();
            assertThat(file.stat().size()).isZero();
            buffer.close();
            assertThatThrownBy(() -> file.writeAsync(buffer, 0, 0, 0)).isInstanceOf(IllegalStateException.class);
            assertThatThrownBy(() -> file.write(buffer, 0, 0, 0)).isInstanceOf(IllegalStateException.class);
        }
    }

    // ------------------------------------------------------------------ many, and ways to call

    @Test
    void keepsManyFilesApart() throws Exception {
        int count = 200;
        List<VirtualFile> files = new ArrayList<>();
        for (CompletableFuture<VirtualFile> opening : openings(count)) {
            files.add(opening.join());
        }
        List<CompletableFuture<IoResult>> writes = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            byte[] data = bytes(1000 + i, i);
            OwnedBuffer buffer = filled(data);
            writes.add(files.get(i).writeAsync(buffer, 0, data.length, i).whenComplete((r, e) -> buffer.close()));
        }
        writes.forEach(CompletableFuture::join);
        for (int i = 0; i < count; i++) {
            byte[] data = bytes(1000 + i, i);
            try (OwnedBuffer buffer = engine.buffers().acquire()) {
                assertThat(files.get(i).readAsync(buffer, 0, 4096, i).join().bytes())
                        .isEqualTo(data.length);
                assertThat(taken(buffer, 0, data.length)).isEqualTo(data);
            }
            files.get(i).close();
        }
    }

    private List<CompletableFuture<VirtualFile>> openings(int count) {
        List<CompletableFuture<VirtualFile>> openings = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            openings.add(VirtualFile.openAsync(engine, folder.resolve("many" + i), OpenOptions.creating()));
        }
        return openings;
    }

    @Test
    void servesVirtualThreadsThroughTheEngine() throws Exception {
        ExecutorService threads = TestEngines.virtualThreads().orElse(null);
        assumeTrue(threads != null, "this JDK has no virtual threads");
        try (VirtualFile file = open("virtual", OpenOptions.creating())) {
            long before = engine.counters().submitted();
            List<Future<Boolean>> answers = new ArrayList<>();
            for (int i = 0; i < 100; i++) {
                int number = i;
                answers.add(threads.submit(() -> {
                    byte[] data = bytes(4096, number);
                    try (OwnedBuffer buffer = filled(data)) {
                        file.write(buffer, 0, 4096, number * 4096L);
                        buffer.fill(0, 4096, (byte) 0);
                        return file.read(buffer, 0, 4096, number * 4096L) == 4096
                                && java.util.Arrays.equals(taken(buffer, 0, 4096), data);
                    }
                }));
            }
            for (Future<Boolean> answer : answers) {
                assertThat(answer.get()).isTrue();
            }
            assertThat(engine.counters().submitted() - before).isGreaterThanOrEqualTo(200);
            Future<?> other = threads.submit(() -> {
                try (VirtualFile own = open("virtual2", OpenOptions.creatingNew())) {
                    own.sync();
                    own.truncate(10_000);
                    assertThat(own.stat().size()).isEqualTo(10_000);
                    assertThat(own.tryLock()).isTrue();
                }
                engine.syncDirectory(folder);
                engine.rename(folder.resolve("virtual2"), folder.resolve("virtual3"), true);
                assertThat(engine.deleteIfExists(folder.resolve("virtual3"))).isTrue();
                return null;
            });
            other.get();
        } finally {
            threads.shutdown();
        }
    }

    @Test
    void runsBlockingCallsOfPlatformThreadsOnThose() throws Exception {
        try (VirtualFile file = open("blocking", OpenOptions.creating());
                OwnedBuffer buffer = engine.buffers().acquire()) {
            long before = engine.counters().submitted();
            for (int i = 0; i < 50; i++) {
                file.write(buffer, 0, 4096, i * 4096L);
            }
            assertThat(engine.counters().submitted()).isEqualTo(before);
        }
    }

    @Test
    void survivesInterruptedCallers() throws Exception {
        try (VirtualFile file = open("interrupted", OpenOptions.creating());
                OwnedBuffer buffer = filled(bytes(4096, 1))) {
            Thread.currentThread().interrupt();
            file.write(buffer, 0, 4096, 0);
            assertThat(Thread.currentThread().isInterrupted()).isTrue();
            assertThat(file.read(buffer, 0, 4096, 0)).isEqualTo(4096);
            file.sync();
            assertThat(file.stat().size()).isEqualTo(4096);
            assertThat(Thread.interrupted()).isTrue();
            assertThat(file.readAsync(buffer, 0, 4096, 0).join().bytes()).isEqualTo(4096);
        }
    }

    @Test
    void survivesInterruptsInTheMiddleOfCallsThatOthersShare() throws Exception {
        AtomicInteger done = new AtomicInteger();
        List<Throwable> problems = java.util.Collections.synchronizedList(new ArrayList<>());
        try (VirtualFile file = open("interrupts", OpenOptions.creating())) {
            List<Thread> workers = new ArrayList<>();
            for (int t = 0; t < 3; t++) {
                int place = t;
                Thread worker = new Thread(() -> {
                    try (OwnedBuffer buffer = engine.buffers().acquire()) {
                        for (int i = 0; i < 300; i++) {
                            file.write(buffer, 0, 8192, place * 8192L);
                            if (file.read(buffer, 0, 8192, place * 8192L) != 8192) {
                                throw new AssertionError("short");
                            }
                            done.incrementAndGet();
                        }
                    } catch (IOException | RuntimeException | Error e) {
                        problems.add(e);
                    }
                });
                worker.start();
                workers.add(worker);
            }
            while (workers.stream().anyMatch(Thread::isAlive)) {
                workers.forEach(Thread::interrupt);
                LockSupport.parkNanos(50_000);
            }
            for (Thread worker : workers) {
                worker.join();
            }
        }
        assertThat(problems).isEmpty();
        assertThat(done).hasValue(900);
    }

    // ------------------------------------------------------------------ opening

    @Test
    void createsOnlyWhatItIsAskedTo() throws Exception {
        Path path = folder.resolve("new");
        OperationFailedException missing =
                thrownBy(OperationFailedException.class, () -> VirtualFile.open(engine, path, OpenOptions.reading()));
        assertThat(missing.errno()).isEqualTo(Errno.ENOENT);
        assertThat(missing.path()).isEqualTo(path.toString());
        assertThat(missing.operation()).isEqualTo("open");
        assertThat(missing).hasMessageContaining(path.toString()).hasMessageContaining("ENOENT");
        assertThat(path).doesNotExist();
        VirtualFile.open(engine, path, OpenOptions.creatingNew()).close();
        OperationFailedException there = thrownBy(
                OperationFailedException.class, () -> VirtualFile.open(engine, path, OpenOptions.creatingNew()));
        assertThat(there.errno()).isEqualTo(Errno.EEXIST);
        Files.write(path, new byte[100]);
        VirtualFile.open(engine, path, OpenOptions.updating()).close();
        assertThat(Files.size(path)).isEqualTo(100);
        VirtualFile.open(engine, path, OpenOptions.creating()).close();
        assertThat(Files.size(path)).isZero();
    }

    @Test
    void namesWhatTheParentsOfAPathLack() throws Exception {
        OperationFailedException nowhere =
                thrownBy(OperationFailedException.class, () -> open("no/such/folder/x", OpenOptions.creating()));
        assertThat(nowhere.errno()).isEqualTo(Errno.ENOENT);
        Files.write(folder.resolve("file"), new byte[1]);
        OperationFailedException inFile =
                thrownBy(OperationFailedException.class, () -> open("file/x", OpenOptions.creating()));
        assertThat(inFile.errno()).isEqualTo(Errno.ENOTDIR);
        OperationFailedException tooLong =
                thrownBy(OperationFailedException.class, () -> open("x".repeat(300), OpenOptions.creating()));
        assertThat(tooLong.errno()).isEqualTo(Errno.ENAMETOOLONG);
        OperationFailedException async = thrownBy(
                OperationFailedException.class,
                () -> VirtualFile.openAsync(engine, folder.resolve("no/x"), OpenOptions.creating())
                        .join());
        assertThat(async.errno()).isEqualTo(Errno.ENOENT);
        assertThat(async.retryCanHelp()).isFalse();
    }

    @Test
    void refusesWhatIsNotARegularFile() throws Exception {
        for (OpenOptions options : List.of(
                OpenOptions.reading(),
                OpenOptions.updating(),
                DIRECT,
                OpenOptions.reading().withDirect(DirectMode.REQUIRED),
                OpenOptions.reading().withDirect(DirectMode.PREFERRED))) {
            UnsupportedFileException refused =
                    thrownBy(UnsupportedFileException.class, () -> VirtualFile.open(engine, folder, options));
            assertThat(refused).hasMessageContaining("a folder").hasMessageContaining(folder.toString());
            assertThatThrownBy(() -> VirtualFile.open(engine, Path.of("/dev/null"), options))
                    .isInstanceOf(UnsupportedFileException.class)
                    .hasMessageContaining("a device");
        }
        assertThat(Files.isDirectory(folder)).isTrue();
    }

    @Test
    void refusesAFifoWithoutWaitingForItsOtherEnd() throws Exception {
        Path fifo = folder.resolve("fifo");
        makeFifo(fifo);
        for (OpenOptions options : List.of(OpenOptions.reading(), OpenOptions.creating(), DIRECT)) {
            assertThatThrownBy(() -> VirtualFile.open(engine, fifo, options))
                    .isInstanceOf(UnsupportedFileException.class)
                    .hasMessageContaining("FIFO")
                    .hasMessageContaining(fifo.toString());
        }
        assertThat(Files.exists(fifo)).isTrue();
    }

    static void makeFifo(Path path) throws Exception {
        int status;
        try {
            status = new ProcessBuilder("mkfifo", path.toString()).start().waitFor();
        } catch (IOException e) {
            status = -1;
        }
        assumeTrue(status == 0, "mkfifo is not there");
    }

    @Test
    void closesTheFileOfACancelledOpen() throws Exception {
        for (int i = 0; i < 50; i++) {
            CompletableFuture<VirtualFile> opening =
                    VirtualFile.openAsync(engine, folder.resolve("cancelled" + i), OpenOptions.creating());
            if (!opening.cancel(true)) {
                opening.join().close();
            } else {
                assertThatThrownBy(opening::join).isInstanceOf(CancellationException.class);
            }
        }
        // The check for descriptors left behind is what this test is about.
    }

    @Test
    void setsPermissionsOfNewAndOpenFiles() throws Exception {
        try (VirtualFile file = open("private", OpenOptions.creatingNew().withMode(0600))) {
            assertThat(permissions("private")).isEqualTo("rw-------");
            assertThat(file.stat().permissions()).isEqualTo(0600);
            file.setPermissions(0640);
            assertThat(permissions("private")).isEqualTo("rw-r-----");
            assertThat(file.stat().permissions()).isEqualTo(0640);
        }
    }

    private String permissions(String name) throws IOException {
        return PosixFilePermissions.toString(Files.getPosixFilePermissions(folder.resolve(name)));
    }

    // ------------------------------------------------------------------ direct I/O, or not

    @Test
    void requiresDirectInputAndOutputOrNamesTheFileSystemAndLeavesNoFile() throws Exception {
        Path memory = inMemory();
        try {
            Path path = memory.resolve("x");
            UnsupportedFileException refused =
                    thrownBy(UnsupportedFileException.class, () -> VirtualFile.open(engine, path, DIRECT));
            assertThat(refused).hasMessageContaining(path.toString()).hasMessageContaining("tmpfs");
            assertThat(path).doesNotExist();
            Files.write(path, new byte[10]);
            assertThatThrownBy(() -> VirtualFile.open(engine, path, DIRECT))
                    .isInstanceOf(UnsupportedFileException.class);
            assertThat(path).as("a file that was there before").hasSize(10);
        } finally {
            remove(memory);
        }
    }

    @Test
    void stepsDownFromPreferredDirectInputAndOutput() throws Exception {
        Path memory = inMemory();
        try (VirtualFile file = VirtualFile.open(
                        engine, memory.resolve("x"), OpenOptions.creating().withDirect(DirectMode.PREFERRED));
                OwnedBuffer buffer = filled(bytes(100, 1))) {
            assertThat(file.isDirect()).isFalse();
            assertThat(file.alignment()).isEqualTo(Alignment.NONE);
            file.write(buffer, 3, 97, 1);
            assertThat(file.read(buffer, 0, 1000, 0)).isEqualTo(98);
        } finally {
            remove(memory);
        }
        try (VirtualFile file = open("here", OpenOptions.creatingNew().withDirect(DirectMode.PREFERRED))) {
            assertThat(file.isDirect()).isTrue();
        }
    }

    private static Path inMemory() throws IOException {
        Path memory = Path.of("/dev/shm");
        assumeTrue(
                Files.isWritable(memory) && Files.getFileStore(memory).type().equals("tmpfs"),
                "there is no tmpfs at /dev/shm");
        return Files.createTempDirectory(memory, "millrace-test");
    }

    private static void remove(Path memory) throws IOException {
        Files.deleteIfExists(memory.resolve("x"));
        Files.delete(memory);
    }

    // ------------------------------------------------------------------ wrong calls

    @Test
    void refusesPlacesThatDoNotExist() throws Exception {
        try (VirtualFile file = open("places", OpenOptions.creating());
                OwnedBuffer buffer = engine.buffers().acquire()) {
            int capacity = buffer.capacity();
            int[][] outside = {{-1, 1}, {0, -1}, {0, capacity + 1}, {capacity, 1}, {1, capacity}, {5, Integer.MAX_VALUE}
            };
            for (int[] place : outside) {
                assertThatThrownBy(() -> file.read(buffer, place[0], place[1], 0))
                        .isInstanceOf(IndexOutOfBoundsException.class);
                assertThatThrownBy(() -> file.writeAsync(buffer, place[0], place[1], 0))
                        .isInstanceOf(IndexOutOfBoundsException.class);
            }
            for (long position : new long[] {-1, Long.MIN_VALUE, Long.MAX_VALUE, Long.MAX_VALUE - 4095}) {
                assertThatThrownBy(() -> file.write(buffer, 0, 4096, position))
                        .isInstanceOf(IllegalArgumentException.class);
                assertThatThrownBy(() -> file.readAsync(buffer, 0, 4096, position))
                        .isInstanceOf(IllegalArgumentException.class);
            }
            OperationFailedException tooFar =
                    thrownBy(OperationFailedException.class, () -> file.write(buffer, 0, 4096, Long.MAX_VALUE - 4096));
            assertThat(tooFar.errno()).isIn(Errno.EFBIG, Errno.EINVAL);
            assertThat(buffer.isOwned()).isTrue();
            assertThatThrownBy(() -> file.truncate(-1)).isInstanceOf(IllegalArgumentException.class);
        }
    }

    @Test
    void refusesAForeignBuffer() throws Exception {
        try (IoEngine other = TestEngines.open(config());
                OwnedBuffer foreign = other.buffers().acquire();
                VirtualFile file = open("foreign", OpenOptions.creating())) {
            assertThatThrownBy(() -> file.write(foreign, 0, 1, 0)).isInstanceOf(IllegalArgumentException.class);
            assertThatThrownBy(() -> file.readAsync(foreign, 0, 1, 0)).isInstanceOf(IllegalArgumentException.class);
            assertThat(foreign.isOwned()).isTrue();
        }
    }

    @Test
    void refusesWhatTheFileIsNotOpenFor() throws Exception {
        Files.write(folder.resolve("readOnly"), new byte[10]);
        try (VirtualFile file = open("readOnly", OpenOptions.reading());
                OwnedBuffer buffer = engine.buffers().acquire()) {
            OperationFailedException write =
                    thrownBy(OperationFailedException.class, () -> file.write(buffer, 0, 10, 0));
            assertThat(write.errno()).isEqualTo(Errno.EBADF);
            assertThat(write).hasMessageContaining("readOnly").hasMessageContaining("reading only");
            assertThat(thrownBy(
                                    OperationFailedException.class,
                                    () -> file.writeAsync(buffer, 0, 10, 0).join())
                            .errno())
                    .isEqualTo(Errno.EBADF);
            assertThat(buffer.isOwned()).isTrue();
            assertThatThrownBy(() -> file.truncate(5)).isInstanceOf(OperationFailedException.class);
            assertThatThrownBy(() -> file.truncate(50)).isInstanceOf(OperationFailedException.class);
        }
        assertThat(Files.size(folder.resolve("readOnly"))).isEqualTo(10);
        OpenOptions writeOnly = new OpenOptions(false, true, true, false, false, DirectMode.OFF, 0666);
        try (VirtualFile file = open("writeOnly", writeOnly);
                OwnedBuffer buffer = engine.buffers().acquire()) {
            file.write(buffer, 0, 10, 0);
            assertThat(thrownBy(OperationFailedException.class, () -> file.read(buffer, 0, 10, 0))
                            .errno())
                    .isEqualTo(Errno.EBADF);
        }
    }

    @Test
    void saysThatAFileOrEngineIsClosed() throws Exception {
        VirtualFile closed = open("closed", OpenOptions.creating());
        closed.close();
        closed.close();
        VirtualFile orphan = open("orphan", OpenOptions.creating());
        OwnedBuffer buffer = engine.buffers().acquire();
        FileClosedException gone = thrownBy(FileClosedException.class, () -> closed.read(buffer, 0, 1, 0));
        assertThat(gone.path()).endsWith("closed");
        assertThat(gone.operation()).isEqualTo("read");
        assertThatThrownBy(closed::sync).isInstanceOf(FileClosedException.class);
        assertThatThrownBy(closed::stat).isInstanceOf(FileClosedException.class);
        thrownBy(
                FileClosedException.class,
                () -> closed.writeAsync(buffer, 0, 1, 0).join());
        thrownBy(FileClosedException.class, () -> closed.syncAsync().join());
        engine.close();
        assertThatThrownBy(() -> orphan.write(buffer, 0, 1, 0)).isInstanceOf(EngineClosedException.class);
        assertThatThrownBy(orphan::sync).isInstanceOf(EngineClosedException.class);
        assertThatThrownBy(orphan::stat).isInstanceOf(EngineClosedException.class);
        thrownBy(
                EngineClosedException.class,
                () -> orphan.readAsync(buffer, 0, 1, 0).join());
        thrownBy(EngineClosedException.class, () -> orphan.syncAsync().join());
        assertThatThrownBy(() -> open("late", OpenOptions.creating())).isInstanceOf(EngineClosedException.class);
        thrownBy(
                EngineClosedException.class,
                () -> VirtualFile.openAsync(engine, folder.resolve("late"), OpenOptions.creating())
                        .join());
        assertThatThrownBy(() -> engine.syncDirectory(folder)).isInstanceOf(EngineClosedException.class);
        assertThatThrownBy(() -> engine.deleteIfExists(folder.resolve("orphan")))
                .isInstanceOf(EngineClosedException.class);
        assertThat(buffer.isOwned()).isTrue();
        buffer.close();
        orphan.close();
        assertThat(folder.resolve("late")).doesNotExist();
    }

    // ------------------------------------------------------------------ length, space, locks, names

    @Test
    void reservesSpaceAndSetsTheLength() throws Exception {
        try (VirtualFile file = open("reserved", DIRECT)) {
            boolean reserved = file.reserve(1_000_000);
            assertThat(reserved).isEqualTo(kind != EngineKind.BLOCKING);
            if (reserved) {
                assertThat(file.stat().size()).isEqualTo(file.roundUpToBlock(1_000_000));
            }
            assertThat(file.reserve(0)).isTrue();
            file.truncate(777);
            assertThat(file.stat().size()).isEqualTo(777);
            file.truncate(100_000);
            assertThat(file.stat().size()).isEqualTo(100_000);
        }
    }

    @Test
    void saysHowMuchSpaceIsFreeAndHowMuchIsNeeded() throws Exception {
        try (VirtualFile file = open("tooLarge", OpenOptions.creating())) {
            long needed = engine.freeBytes(folder) + (1L << 40);
            OperationFailedException full = thrownBy(OperationFailedException.class, () -> file.reserve(needed));
            assertThat(full.isOutOfSpace()).isTrue();
            assertThat(full.retryCanHelp()).isTrue();
            assertThat(full)
                    .hasMessageContaining(needed + " bytes are needed")
                    .hasMessageContaining(" are free")
                    .hasMessageContaining(file.path());
            assertThatThrownBy(() -> file.reserve(Long.MAX_VALUE)).isInstanceOf(OperationFailedException.class);
            assertThat(file.stat().allocatedBytes())
                    .as("nothing was taken on the way")
                    .isZero();
            assertThat(file.stat().size()).isZero();
        }
    }

    @Test
    void makesDataDurable() throws Exception {
        try (VirtualFile file = open("durable", OpenOptions.creating());
                OwnedBuffer buffer = filled(bytes(5000, 9))) {
            file.write(buffer, 0, 5000, 0);
            file.sync();
            file.syncAsync().join();
            engine.syncDirectory(folder);
        }
        assertThat(Files.readAllBytes(folder.resolve("durable"))).isEqualTo(bytes(5000, 9));
        FatalIoException noFolder =
                thrownBy(FatalIoException.class, () -> engine.syncDirectory(folder.resolve("none")));
        assertThat(noFolder.path()).endsWith("none");
    }

    @Test
    void excludesAnotherOpenFile() throws Exception {
        try (VirtualFile first = open("locked", OpenOptions.creating());
                VirtualFile second = open("locked", OpenOptions.updating())) {
            assertThat(first.tryLock()).isTrue();
            assertThat(second.tryLock()).isFalse();
        }
        try (VirtualFile third = open("locked", OpenOptions.updating())) {
            assertThat(third.tryLock()).isTrue();
        }
    }

    @Test
    void excludesOtherEngines() throws Exception {
        for (EngineKind otherKind : EngineKind.values()) {
            try (IoEngine other = IoEngine.open(TestEngines.config(otherKind))) {
                Path path = folder.resolve("shared" + otherKind);
                try (VirtualFile ours = VirtualFile.open(engine, path, OpenOptions.creating());
                        VirtualFile theirs = VirtualFile.open(other, path, OpenOptions.updating())) {
                    assertThat(ours.tryLock()).as("first").isTrue();
                    assertThat(theirs.tryLock()).as("second on " + otherKind).isFalse();
                }
            } catch (EngineUnavailableException e) {
                // This machine has no such engine: its own run of this test says so.
                assertThat(kind).isNotEqualTo(otherKind);
            }
        }
    }

    @Test
    void excludesLocksOfFileChannels() throws Exception {
        Path path = folder.resolve("channel");
        try (VirtualFile file = VirtualFile.open(engine, path, OpenOptions.creating());
                FileChannel channel = FileChannel.open(path, StandardOpenOption.WRITE);
                FileLock held = channel.lock()) {
            assertThat(held.isValid()).isTrue();
            assertThat(file.tryLock()).isFalse();
        }
    }

    @Test
    void describesAFileThatWasRenamed() throws Exception {
        try (VirtualFile file = open("before", OpenOptions.creating());
                OwnedBuffer buffer = filled(bytes(3000, 2))) {
            file.write(buffer, 0, 3000, 0);
            engine.rename(folder.resolve("before"), folder.resolve("after"), false);
            Files.write(folder.resolve("before"), new byte[1]);
            file.write(buffer, 0, 3000, 1000);
            assertThat(file.stat().size()).isEqualTo(4000);
            assertThat(file.stat().isRegularFile()).isTrue();
        }
    }

    @Test
    void renamesAndRemoves() throws Exception {
        Path from = Files.write(folder.resolve("from"), new byte[] {1});
        Path to = Files.write(folder.resolve("to"), new byte[] {2});
        OperationFailedException there = thrownBy(OperationFailedException.class, () -> engine.rename(from, to, true));
        assertThat(there.errno()).isEqualTo(Errno.EEXIST);
        engine.rename(from, to, false);
        assertThat(Files.readAllBytes(to)).containsExactly(1);
        assertThat(engine.deleteIfExists(to)).isTrue();
        assertThat(engine.deleteIfExists(to)).isFalse();
        OperationFailedException missing =
                thrownBy(OperationFailedException.class, () -> engine.rename(from, to, false));
        assertThat(missing.errno()).isEqualTo(Errno.ENOENT);
        assertThat(engine.freeBytes(folder)).isPositive();
    }

    @Test
    void waitsForOperationsUnderWayBeforeItCloses() throws Exception {
        for (int round = 0; round < 20; round++) {
            VirtualFile file = open("closing" + round, OpenOptions.creating());
            List<CompletableFuture<IoResult>> writes = new ArrayList<>();
            List<OwnedBuffer> buffers = new ArrayList<>();
            for (int i = 0; i < TestEngines.BUFFERS; i++) {
                OwnedBuffer buffer = engine.buffers().acquire();
                buffers.add(buffer);
                writes.add(file.writeAsync(buffer, 0, TestEngines.BUFFER, (long) i * TestEngines.BUFFER));
            }
            CountDownLatch closed = new CountDownLatch(2);
            for (int t = 0; t < 2; t++) {
                new Thread(() -> {
                            try {
                                file.close();
                                closed.countDown();
                            } catch (IoFailure e) {
                                throw new AssertionError(e);
                            }
                        })
                        .start();
            }
            closed.await();
            for (OwnedBuffer buffer : buffers) {
                assertThat(buffer.isOwned()).isTrue();
                buffer.close();
            }
            writes.forEach(write -> assertThat(write.join().bytes()).isEqualTo(TestEngines.BUFFER));
            assertThat(Files.size(Path.of(file.path()))).isEqualTo((long) TestEngines.BUFFERS * TestEngines.BUFFER);
        }
    }

    @Test
    void copiesBetweenByteBuffersToo() throws Exception {
        try (OwnedBuffer buffer = engine.buffers().acquire()) {
            ByteBuffer source = ByteBuffer.wrap(bytes(100, 3));
            buffer.put(10, source);
            assertThat(source.hasRemaining()).isFalse();
            ByteBuffer target = ByteBuffer.allocate(100);
            buffer.get(10, target);
            assertThat(target.array()).isEqualTo(source.array());
        }
    }

    // ------------------------------------------------------------------ files that others change

    @Test
    void opensAFileThatComesAndGoesOrSaysThatItIsNotThere() throws Exception {
        Path path = folder.resolve("flickers");
        AtomicBoolean over = new AtomicBoolean();
        CompletableFuture<Void> other = CompletableFuture.runAsync(() -> {
            try {
                while (!over.get()) {
                    Path next = Files.write(folder.resolve("next"), new byte[100]);
                    Files.move(next, path, StandardCopyOption.ATOMIC_MOVE);
                    LockSupport.parkNanos(300_000); // there for longer than one opening takes
                    Files.delete(path);
                }
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        });
        for (int tries = 0; tries < 1000 && !other.isDone(); tries++) {
            try (VirtualFile file = open("flickers", OpenOptions.reading())) {
                assertThat(file.stat().size()).isEqualTo(100);
                assertThat(file.stat().isRegularFile()).isTrue();
            } catch (OperationFailedException gone) {
                assertThat(gone.errno()).isEqualTo(Errno.ENOENT);
            }
        }
        over.set(true);
        other.join();
    }
}
