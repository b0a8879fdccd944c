// SPDX-License-Identifier: Apache-2.0
package dev.millrace.io;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.reflect.Proxy;
import java.nio.ByteBuffer;
import java.nio.file.FileSystem;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Wrong calls that have no place in the contract of what they are made on: each ends in a typed exception that names the
 * file and what is wrong, and changes nothing. (Misaligned, closed and foreign are in {@link FileContractTest}.)
 */
@ParameterizedClass(name = "{0}")
@EnumSource(EngineKind.class)
class BadInputContractTest extends EngineContract {
    private VirtualFile open(String name) throws IoFailure {
        return VirtualFile.open(engine, folder.resolve(name), OpenOptions.creating());
    }

    @Test
    void namesTheFileAndTheFaultOfAWrongCall() throws Exception {
        try (VirtualFile file = open("named");
                OwnedBuffer buffer = engine.buffers().acquire();
                IoEngine other = TestEngines.open(config());
                OwnedBuffer foreign = other.buffers().acquire()) {
            int more = buffer.capacity() + 1;
            ByteBuffer readOnly = ByteBuffer.allocate(10).asReadOnlyBuffer();
            List<BufferSlice> slices = List.of(new BufferSlice(foreign, 0, 1));
            Map<String, List<ThrowingCallable>> wrong = Map.of(
                    "offset -1",
                    List.of(
                            () -> file.read(buffer, 0, 1, -1),
                            () -> file.writeAsync(buffer, 0, 1, -1),
                            () -> file.read(ByteBuffer.allocate(1), -1),
                            () -> file.writeAll(ByteBuffer.allocate(1), -1),
                            () -> file.readVectored(List.of(new BufferSlice(buffer, 0, 1)), -1)),
                    "do not lie in a buffer of " + buffer.capacity(),
                    List.of(
                            () -> file.read(buffer, 0, more, 0),
                            () -> file.writeAsync(buffer, 1, more - 1, 0),
                            () -> file.writeVectored(List.of(new BufferSlice(buffer, -1, 1)), 0)),
                    "belongs to another engine",
                    List.of(
                            () -> file.write(foreign, 0, 1, 0),
                            () -> file.readAsync(foreign, 0, 1, 0),
                            () -> file.writeVectored(slices, 0)),
                    "read-only",
                    List.of(
                            () -> file.read(readOnly, 0),
                            () -> file.readAsync(readOnly, 0),
                            () -> file.readExact(readOnly, 0),
                            () -> file.read(List.of(ByteBuffer.allocate(1), readOnly), 0)),
                    "-1 bytes",
                    List.of(() -> file.truncate(-1), () -> file.reserve(-1)));
            wrong.forEach((fault, calls) -> calls.forEach(call -> assertThatThrownBy(call)
                    .isInstanceOfAny(IllegalArgumentException.class, IndexOutOfBoundsException.class)
                    .hasMessageContaining(file.path())
                    .hasMessageContaining(fault)));
            for (ThrowingCallable tooLong : List.<ThrowingCallable>of(
                    () -> file.truncate(Long.MAX_VALUE), () -> file.reserve(Long.MAX_VALUE))) {
                assertThat(thrownBy(OperationFailedException.class, tooLong).path())
                        .isEqualTo(file.path());
            }
            assertThat(file.stat().size()).isZero();
            assertThat(buffer.isOwned()).isTrue();
            assertThat(foreign.isOwned()).isTrue();
        }
    }

    @Test
    void takesReadOnlyAndHeapMemoryToWriteFrom() throws Exception {
        try (VirtualFile file = open("sources")) {
            file.writeAll(ByteBuffer.wrap(bytes(100, 1)).asReadOnlyBuffer(), 0);
            file.writeAll(List.of(ByteBuffer.allocateDirect(1).asReadOnlyBuffer(), ByteBuffer.allocate(1)), 100);
            assertThat(file.stat().size()).isEqualTo(102);
        }
    }

    @Test
    void writesWhereItIsToldAndNeverAtTheEndInstead() throws Exception {
        Path path = Files.write(folder.resolve("there"), new byte[100]);
        try (VirtualFile file = VirtualFile.open(engine, path, OpenOptions.updating());
                OwnedBuffer buffer = engine.buffers().acquire()) {
            buffer.fill(0, 10, (byte) 1);
            file.write(buffer, 0, 10, 0);
            file.writeAsync(buffer, 0, 10, 200).join();
            byte[] found = Files.readAllBytes(path);
            assertThat(found).hasSize(210);
            assertThat(found[9]).isEqualTo((byte) 1);
            assertThat(found[10]).isZero();
            assertThat(found[199]).isZero();
            assertThat(found[200]).isEqualTo((byte) 1);
        }
    }

    @Test
    void refusesOptionsThatMeanNothing() {
        for (boolean[] flags : new boolean[][] {
            {false, false, false, false, false}, {true, true, false, true, false}, {true, false, false, false, true}
        }) {
            assertThatThrownBy(() ->
                            new OpenOptions(flags[0], flags[1], flags[2], flags[3], flags[4], DirectMode.OFF, 0666))
                    .isInstanceOf(IllegalArgumentException.class);
        }
        assertThatThrownBy(() -> OpenOptions.creating().withMode(010000))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("010000");
    }

    private interface PathCall {
        void on(Path path) throws Exception;
    }

    private List<PathCall> callsWithAPath() {
        return List.of(
                path -> VirtualFile.open(engine, path, OpenOptions.reading()),
                path -> VirtualFile.openAsync(engine, path, OpenOptions.creating())
                        .join(),
                path -> AtomicFile.replace(engine, path, ByteBuffer.allocate(1)),
                path -> engine.rename(path, folder.resolve("x"), true),
                path -> engine.rename(folder.resolve("x"), path, true),
                path -> engine.deleteIfExists(path),
                path -> engine.syncDirectory(path),
                path -> engine.exists(path),
                path -> engine.freeBytes(path));
    }

    @Test
    void refusesPathsThatWouldNameAnotherFileToTheSystem() throws Exception {
        Path archive = folder.resolve("archive.zip");
        Path there = Files.write(folder.resolve("there"), new byte[3]);
        try (FileSystem zip = FileSystems.newFileSystem(archive, Map.of("create", "true"))) {
            Path inside = zip.getPath(there.toString());
            for (PathCall call : callsWithAPath()) {
                UnsupportedFileException refused = thrownBy(UnsupportedFileException.class, () -> call.on(inside));
                assertThat(refused).hasMessageContaining("a path of jar").hasMessageContaining(there.toString());
            }
        }
        Path cut = withNul(there);
        for (PathCall call : callsWithAPath()) {
            assertThat(thrownBy(UnsupportedFileException.class, () -> call.on(cut)))
                    .hasMessageContaining("NUL")
                    .hasMessageContaining(there.toString());
        }
        assertThat(there).hasSize(3);
    }

    /** No JDK makes such a path; one of another making may come. */
    private static Path withNul(Path path) {
        return (Path) Proxy.newProxyInstance(
                Path.class.getClassLoader(),
                new Class<?>[] {Path.class},
                (proxy, method, arguments) -> switch (method.getName()) {
                    case "toString" -> path + "\0.txt";
                    case "toAbsolutePath" -> proxy;
                    default -> method.invoke(path, arguments);
                });
    }

    @Test
    void saysThatAFileIsClosedToEachOfItsCalls() throws Exception {
        VirtualFile closed = open("closed");
        closed.close();
        for (ThrowingCallable call : List.<ThrowingCallable>of(
                () -> closed.truncate(1),
                () -> closed.reserve(0),
                () -> closed.reserve(1),
                () -> closed.setPermissions(0600),
                closed::tryLock,
                () -> closed.writeAll(ByteBuffer.allocate(1), 0),
                () -> closed.readExact(ByteBuffer.allocate(1), 0),
                () -> closed.read(List.of(ByteBuffer.allocate(1)), 0))) {
            assertThat(thrownBy(FileClosedException.class, call).path()).isEqualTo(closed.path());
        }
    }

    @Test
    void refusesTheEmptyPath() {
        for (OpenOptions options : List.of(OpenOptions.reading(), OpenOptions.creating())) {
            assertThatThrownBy(() -> VirtualFile.open(engine, Path.of(""), options))
                    .isInstanceOf(IoFailure.class);
        }
    }

    @Test
    void doesNotTakeASizelessFileSystemForAFullOne() throws Exception {
        Path sizeless = Path.of("/proc");
        org.junit.jupiter.api.Assumptions.assumeTrue(Files.isDirectory(sizeless.resolve("self")), "there is no procfs");
        assertThat(engine.freeBytes(sizeless)).isEqualTo(Long.MAX_VALUE);
    }
}
