// SPDX-License-Identifier: Apache-2.0
package dev.millrace.benchmarks;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class WorkFolderTest {
    @TempDir
    Path parent;

    @Test
    void shouldRemoveWhatAKilledRunLeftAndNothingElse() throws IOException {
        Path left = Files.createDirectories(parent.resolve("demo-1/files"));
        Files.createFile(parent.resolve("demo-1/in-use"));
        Path other = Files.createDirectories(parent.resolve("demo-notes"));
        WorkFolder work = WorkFolder.create(parent, "demo-");
        assertThat(left).doesNotExist();
        assertThat(other).exists();
        assertThat(work.path()).exists();
        work.remove();
        assertThat(work.path()).doesNotExist();
    }
}
