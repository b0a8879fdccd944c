// SPDX-License-Identifier: Apache-2.0
package dev.millrace.io;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;

/** Replacing the content of a small file. */
@ParameterizedClass(name = "{0}")
@EnumSource(EngineKind.class)
class AtomicFileContractTest extends EngineContract {
    private List<String> names() throws IOException {
        try (Stream<Path> entries = Files.list(folder)) {
            return entries.map(entry -> entry.getFileName().toString()).sorted().toList();
        }
    }

    @Test
    void makesAndReplacesAndLeavesNothingBesideIt() throws Exception {
        Path path = folder.resolve("current");
        for (int size : new int[] {10, 0, 3 * TestEngines.BUFFER + 1, 4096}) {
            byte[] content = bytes(size, size);
            ByteBuffer source = ByteBuffer.allocate(size + 4)
                    .position(2)
                    .put(content)
                    .flip()
                    .position(2);
            AtomicFile.replace(engine, path, source);
            assertThat(Files.readAllBytes(path)).isEqualTo(content);
            assertThat(source.position()).isEqualTo(2);
            assertThat(names()).containsExactly("current");
        }
    }

    @Test
    void keepsPermissions() throws Exception {
        Path path = Files.write(folder.resolve("private"), new byte[1]);
        Files.setPosixFilePermissions(path, PosixFilePermissions.fromString("rw-r-----"));
        AtomicFile.replace(engine, path, ByteBuffer.allocate(5));
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(path)))
                .isEqualTo("rw-r-----");
    }

    @Test
    void refusesWhatIsNoFileAndLeavesNothing() throws Exception {
        Files.createDirectory(folder.resolve("folder"));
        FileContractTest.makeFifo(folder.resolve("fifo"));
        String temporaryName = "." + "0".repeat(32) + ".millrace-part";
        for (String name : List.of("folder", "fifo", temporaryName)) {
            UnsupportedFileException refused = thrownBy(
                    UnsupportedFileException.class,
                    () -> AtomicFile.replace(engine, folder.resolve(name), ByteBuffer.allocate(1)));
            assertThat(refused.operation()).isEqualTo("replace");
            assertThat(refused).hasMessageContaining(name);
        }
        thrownBy(
                UnsupportedFileException.class, () -> AtomicFile.replace(engine, Path.of("/"), ByteBuffer.allocate(1)));
        thrownBy(
                OperationFailedException.class,
                () -> AtomicFile.replace(engine, folder.resolve("none/x"), ByteBuffer.allocate(1)));
        assertThat(names()).containsExactly("fifo", "folder");
    }

    @Test
    void showsReadersOneWholeContentOrAnother() throws Exception {
        Path path = folder.resolve("shared");
        AtomicFile.replace(engine, path, ByteBuffer.wrap(new byte[20_000]));
        AtomicBoolean over = new AtomicBoolean();
        List<String> wrong = new ArrayList<>();
        Thread reader = new Thread(() -> {
            while (!over.get()) {
                try {
                    byte[] found = Files.readAllBytes(path);
                    for (byte one : found) {
                        if (found.length != 20_000 || one != found[0]) {
                            wrong.add(found.length + " bytes, mixed");
                            return;
                        }
                    }
                } catch (IOException e) {
                    wrong.add(e.toString());
                    return;
                }
            }
        });
        reader.start();
        for (int i = 0; i < 50; i++) {
            byte[] content = new byte[20_000];
            java.util.Arrays.fill(content, (byte) i);
            AtomicFile.replace(engine, path, ByteBuffer.wrap(content));
        }
        over.set(true);
        reader.join();
        assertThat(wrong).isEmpty();
    }
}
