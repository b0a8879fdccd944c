// SPDX-License-Identifier: Apache-2.0
package dev.millrace.benchmarks.io;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.millrace.io.engine.DirectOption;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What the kernel says of a file's descriptors: a benchmark that ran another way must not pass. */
class ProcFactsTest {
    @TempDir
    Path folder;

    private static FileChannel direct(Path path) throws IOException {
        try {
            return FileChannel.open(path, DirectOption.DIRECT);
        } catch (IOException | UnsupportedOperationException e) {
            return Assumptions.abort("the file system of " + path + " has no direct I/O");
        }
    }

    @Test
    void seesWhetherAFileIsOpenPastThePageCache() throws IOException {
        Path buffered = Files.writeString(folder.resolve("buffered"), "x");
        Path past = Files.writeString(folder.resolve("direct"), "x");
        try (FileChannel one = FileChannel.open(buffered);
                FileChannel other = direct(past)) {
            assertThat(ProcFacts.isDirect(buffered)).isFalse();
            assertThat(ProcFacts.isDirect(past)).isTrue();
            assertThat(one.isOpen() && other.isOpen()).isTrue();
        }
    }

    @Test
    void refusesToSayItOfAFileThatIsNotOpenOrOpenBothWays() throws IOException {
        Path path = Files.writeString(folder.resolve("file"), "x");
        assertThatThrownBy(() -> ProcFacts.isDirect(path)).isInstanceOf(IOException.class);
        try (FileChannel one = FileChannel.open(path);
                FileChannel other = direct(path)) {
            assertThatThrownBy(() -> ProcFacts.isDirect(path)).isInstanceOf(IOException.class);
            assertThat(one.isOpen() && other.isOpen()).isTrue();
        }
    }
}
