// SPDX-License-Identifier: Apache-2.0
package dev.millrace.transfer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.millrace.io.AtomicFile;
import dev.millrace.io.BufferSlice;
import dev.millrace.io.CopyLoop;
import dev.millrace.io.DirectMode;
import dev.millrace.io.EngineKind;
import dev.millrace.io.IoEngine;
import dev.millrace.io.IoFailure;
import dev.millrace.io.MisalignedException;
import dev.millrace.io.OpenOptions;
import dev.millrace.io.OperationFailedException;
import dev.millrace.io.OwnedBuffer;
import dev.millrace.io.SequentialReader;
import dev.millrace.io.UnsupportedFileException;
import dev.millrace.io.VirtualFile;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Semaphore;

/**
 * The main class of a JVM that tries one file system, on each engine: {@code <place> <folder of another file system> <name
 * of the file system> buffered|either|<alignment> [full]}.
 */
final class FileSystemRounds {
    private static final int MIB = 1 << 20;
    private static final int SIZE = 3 * Engines.BUFFER + 777;

    private final IoEngine engine;
    private final Path place;
    private final Path elsewhere;
    private final String fileSystem;
    private final String expected;

    private FileSystemRounds(IoEngine engine, String[] arguments) {
        this.engine = engine;
        this.place = Path.of(arguments[0]);
        this.elsewhere = Path.of(arguments[1]);
        this.fileSystem = arguments[2];
        this.expected = arguments[3];
    }

    public static void main(String[] arguments) throws Exception {
        boolean full = arguments.length > 4;
        for (EngineKind kind : Engines.working().toList()) {
            FileSystemRounds rounds = new FileSystemRounds(Engines.open(kind), arguments);
            rounds.choosesByWhatThereIs();
            rounds.readsAndWrites();
            rounds.downloads();
            if (full) {
                rounds.fillsUp();
            }
            assertThat(rounds.engine.buffers().available()).isEqualTo(Engines.BUFFERS);
            System.out.println("held on " + kind.label());
        }
    }

    private static byte[] bytes(int length) {
        byte[] bytes = new byte[length];
        new Random(length).nextBytes(bytes);
        return bytes;
    }

    private VirtualFile open(Path path, DirectMode mode) throws IoFailure {
        return VirtualFile.open(engine, path, OpenOptions.creating().withDirect(mode));
    }

    private void choosesByWhatThereIs() throws IOException {
        Path old = Files.write(place.resolve("old"), bytes(100));
        Path next = place.resolve("next");
        boolean direct;
        try (VirtualFile file = open(next, DirectMode.PREFERRED)) {
            direct = file.isDirect();
            assertThat(file.stat().fileSystem()).contains(fileSystem);
            switch (expected) {
                case "buffered" -> assertThat(direct).isFalse();
                case "either" -> System.out.println("direct: " + direct + ", " + file.alignment());
                default -> {
                    assertThat(direct).isTrue();
                    assertThat(file.alignment().offset()).isEqualTo(Integer.parseInt(expected));
                }
            }
        }
        Files.delete(next);
        if (direct) {
            refusesWhatIsMisaligned(next);
        } else {
            for (Path path : List.of(old, next)) {
                UnsupportedFileException refused =
                        catchThrowableOfType(UnsupportedFileException.class, () -> open(path, DirectMode.REQUIRED));
                assertThat(refused).hasMessageContaining(path.toString()).hasMessageContaining(fileSystem);
            }
            assertThat(next).doesNotExist();
            assertThat(old).as("a file that was refused keeps its content").hasBinaryContent(bytes(100));
        }
        Files.delete(old);
    }

    private void refusesWhatIsMisaligned(Path path) throws IOException {
        try (VirtualFile file = open(path, DirectMode.REQUIRED);
                OwnedBuffer buffer = engine.buffers().acquire()) {
            int step = file.alignment().offset();
            for (long[] call : new long[][] {{step, step / 2}, {step / 2, 0}, {step + 1, 0}}) {
                for (MisalignedException misaligned : List.of(
                        catchThrowableOfType(
                                MisalignedException.class, () -> file.write(buffer, 0, (int) call[0], call[1])),
                        catchThrowableOfType(
                                MisalignedException.class,
                                () -> file.readVectored(
                                        List.of(new BufferSlice(buffer, 0, (int) call[0])), call[1])))) {
                    assertThat(misaligned).hasMessageContaining("multiples of " + step);
                }
            }
        }
        Files.delete(path);
    }

    private void readsAndWrites() throws Exception {
        Path path = place.resolve("file");
        byte[] content = bytes(SIZE);
        try (VirtualFile file = open(path, DirectMode.PREFERRED)) {
            boolean reserved = file.reserve(SIZE);
            copy(file, content, reserved ? SIZE : Long.MAX_VALUE);
            assertThat(file.stat().size()).isEqualTo(SIZE);
            for (int from : new int[] {0, 1, 511, 513, 4095, 4097, Engines.BUFFER + 1, SIZE - 1}) {
                ByteBuffer target = ByteBuffer.allocate(Math.min(9001, SIZE - from));
                file.readExact(target, from);
                assertThat(target.array()).isEqualTo(Arrays.copyOfRange(content, from, from + target.capacity()));
            }
            try (SequentialReader reader = SequentialReader.start(file, 777, Long.MAX_VALUE, 4)) {
                assertThat(readAll(reader)).isEqualTo(Arrays.copyOfRange(content, 777, SIZE));
            }
            file.sync();
        }
        assertThat(path).hasBinaryContent(content);
        AtomicFile.replace(engine, path, ByteBuffer.wrap(content, 0, 5000));
        assertThat(path).hasBinaryContent(Arrays.copyOf(content, 5000));
        assertThat(engine.deleteIfExists(path)).isTrue();
    }

    private static void copy(VirtualFile file, byte[] content, long reservedTo) throws Exception {
        Semaphore ready = new Semaphore(0);
        CopyLoop loop = CopyLoop.start(file, 0, reservedTo, 2, (buffer, at, length) -> {}, ready::release);
        ByteBuffer source = ByteBuffer.wrap(content);
        while (!loop.write(source)) {
            ready.acquire();
        }
        CompletableFuture<Optional<IoFailure>> end = new CompletableFuture<>();
        loop.finish(end::complete);
        assertThat(end.join()).isEmpty();
    }

    private static byte[] readAll(SequentialReader reader) throws IoFailure {
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        for (Optional<BufferSlice> next = reader.next(); next.isPresent(); next = reader.next()) {
            try (OwnedBuffer buffer = next.get().buffer()) {
                byte[] part = new byte[next.get().length()];
                buffer.get(next.get().at(), part, 0, part.length);
                all.writeBytes(part);
            }
        }
        return all.toByteArray();
    }

    private void downloads() throws IOException {
        byte[] content = bytes(SIZE);
        Path bucket = Files.createDirectories(elsewhere.resolve("objects/bucket"));
        Files.write(bucket.resolve("key"), content);
        try (LocalFolderSource source = LocalFolderSource.open(elsewhere.resolve("objects"));
                Downloader downloader = Downloader.open(engine, source, DownloaderConfig.defaults())) {
            Path target = place.resolve("downloaded");
            Rig.await(downloader.download(DownloadRequest.of(Rig.id("key"), target)));
            assertThat(target).hasBinaryContent(content);
            Files.delete(target);
        }
        try (var left = Files.list(place)) {
            assertThat(left.filter(entry -> !Files.isDirectory(entry))).isEmpty();
        }
    }

    /** Until there is no room, and on when there is some again. */
    private void fillsUp() throws IOException {
        Path current = place.resolve("current");
        AtomicFile.replace(engine, current, ByteBuffer.wrap(bytes(100)));
        Path path = place.resolve("filling");
        try (VirtualFile file = open(path, DirectMode.OFF)) {
            OperationFailedException tooMuch =
                    catchThrowableOfType(OperationFailedException.class, () -> file.reserve(1L << 30));
            assertThat(tooMuch.isOutOfSpace()).isTrue();
            assertThat(tooMuch)
                    .hasMessageContaining((1L << 30) + " bytes are needed")
                    .hasMessageContaining("are free");
            assertThat(file.stat().size()).isZero();
            long written = 0;
            Optional<OperationFailedException> full = Optional.empty();
            while (full.isEmpty()) {
                ByteBuffer source = ByteBuffer.wrap(bytes(MIB));
                try {
                    file.writeAll(source, written);
                } catch (OperationFailedException e) {
                    full = Optional.of(e);
                }
                written += source.position();
            }
            assertThat(full.get().isOutOfSpace()).isTrue();
            assertThat(full.get()).hasMessageContaining("at offset " + written);
            assertThat(file.stat().size()).as("what was said to be written").isEqualTo(written);
            OperationFailedException noRoom = catchThrowableOfType(
                    OperationFailedException.class,
                    () -> AtomicFile.replace(engine, current, ByteBuffer.wrap(bytes(MIB))));
            assertThat(noRoom.isOutOfSpace()).isTrue();
            assertThat(current).hasBinaryContent(bytes(100));
            file.truncate(MIB);
            file.writeAll(ByteBuffer.wrap(bytes(MIB)), MIB);
            assertThat(file.stat().size()).isEqualTo(2 * MIB);
        }
        Files.delete(path);
        Files.delete(current);
        try (var left = Files.list(place)) {
            assertThat(left).isEmpty();
        }
    }
}
