// SPDX-License-Identifier: Apache-2.0
package dev.millrace.layers.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.millrace.io.EngineKind;
import java.io.BufferedReader;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A data folder and a second process. */
@Tag("slow")
class FolderLockTest {
    @TempDir
    Path folder;

    /** Takes the lock of a folder, says so, and ends when its input does. */
    static final class Holder {
        private Holder() {}

        public static void main(String[] arguments) throws Exception {
            FolderLock lock = FolderLock.take(Combination.engine(EngineKind.BLOCKING), Path.of(arguments[0]));
            System.out.println("held");
            System.in.readAllBytes();
            lock.close();
        }
    }

    private Process start() throws Exception {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Dmillrace.native.dir=" + System.getProperty("millrace.native.dir"),
                "-cp",
                System.getProperty("java.class.path"),
                Holder.class.getName(),
                folder.toString()));
        return new ProcessBuilder(command)
                .redirectError(ProcessBuilder.Redirect.DISCARD)
                .start();
    }

    @Test
    void refusesASecondProcessAndNamesTheFirstUntilItEnds() throws Exception {
        Process holder = start();
        try (BufferedReader says = holder.inputReader()) {
            assertThat(says.readLine()).isEqualTo("held");
            assertThatThrownBy(() -> FolderLock.take(Combination.engine(EngineKind.BLOCKING), folder))
                    .isInstanceOf(StoreFailure.FolderInUse.class)
                    .hasMessageContaining("process " + holder.pid());
            holder.getOutputStream().close();
            assertThat(holder.waitFor(30, TimeUnit.SECONDS)).isTrue();
            FolderLock.take(Combination.engine(EngineKind.BLOCKING), folder).close();
        } finally {
            holder.destroyForcibly();
        }
    }
}
