// SPDX-License-Identifier: Apache-2.0
package dev.millrace.io;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millrace.io.engine.Errno;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Replacing a file where each step in turn fails. */
@Timeout(60)
class AtomicFileTest {
    private static final int MOST_CALLS = 100;

    @TempDir
    Path folder;

    private final AtomicInteger calls = new AtomicInteger();
    private final AtomicInteger failing = new AtomicInteger(-1);
    private final AtomicReference<String> failed = new AtomicReference<>("");
    private final ScriptedFiles files = new ScriptedFiles(2, 16 << 10, this::answer);

    private Object answer(String method, Object[] arguments) {
        if (List.of("open", "pwrite", "fsync", "rename", "chmod", "tryLock").contains(method)
                && calls.getAndIncrement() == failing.get()) {
            failed.set(method);
            return method.equals("pwrite") ? (Object) (long) -Errno.ENOSPC : (Object) (-Errno.EPERM);
        }
        return null;
    }

    @AfterEach
    void everythingIsBack() {
        files.close();
    }

    private List<String> names() throws IOException {
        try (Stream<Path> entries = Files.list(folder)) {
            return entries.map(entry -> entry.getFileName().toString()).toList();
        }
    }

    @Test
    void keepsTheOldContentAndRemovesTheTemporaryWhicheverStepFails() throws Exception {
        Path path = folder.resolve("manifest");
        byte[] old = {1, 2, 3};
        byte[] next = new byte[40_000];
        boolean failedAtAll = true;
        int steps = 0;
        for (int step = 0; failedAtAll && step < MOST_CALLS; step++) {
            Files.write(path, old);
            calls.set(0);
            failing.set(step);
            failed.set("");
            try {
                AtomicFile.replace(files.engine, path, ByteBuffer.wrap(next));
                failedAtAll = false;
            } catch (IoFailure failure) {
                steps++;
                // Only the last steps, those of the folder's fsync, come after the rename.
                boolean renamed = Files.size(path) == next.length;
                assertThat(failure).as("after " + failed.get()).isInstanceOf(IoFailure.class);
                assertThat(Files.readAllBytes(path)).isEqualTo(renamed ? next : old);
                if (renamed) {
                    assertThat(failure).isInstanceOf(FatalIoException.class).hasMessageContaining("the folder");
                }
            }
            assertThat(names()).as("after step " + step).containsExactly("manifest");
        }
        assertThat(failedAtAll).isFalse();
        assertThat(steps)
                .as("open, lock, chmod, three writes, two fsyncs, rename, open")
                .isEqualTo(10);
        assertThat(Files.readAllBytes(path)).isEqualTo(next);
    }
}
