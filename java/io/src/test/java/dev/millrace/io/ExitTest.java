// SPDX-License-Identifier: Apache-2.0
package dev.millrace.io;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** A JVM ends though a thousand operations never do, and signals that stop it change nothing. */
@Timeout(120)
class ExitTest {
    private static final int SECONDS = 60;

    @TempDir
    Path folder;

    private Process start(EngineKind kind, String how) throws Exception {
        TestEngines.open(TestEngines.config(kind)).close(); // or skips
        if (kind != EngineKind.BLOCKING) {
            FileContractTest.makeFifo(folder.resolve("fifo"));
        }
        return ChildJvm.start(List.of(), List.of(), ExitSession.class, folder.toString(), kind.label(), how);
    }

    private static BufferedReader output(Process process) {
        return new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8));
    }

    private static void await(BufferedReader output, String start) throws IOException {
        String line;
        StringBuilder others = new StringBuilder();
        while ((line = output.readLine()) != null) {
            if (line.startsWith(start)) {
                return;
            }
            others.append(line).append('\n');
        }
        throw new AssertionError("it ended before it said " + start + ": " + others);
    }

    private static void signal(Process process, String name) throws Exception {
        assertThat(new ProcessBuilder("kill", "-" + name, String.valueOf(process.pid()))
                        .start()
                        .waitFor())
                .isZero();
    }

    @ParameterizedTest
    @CsvSource({
        "IO_URING,return,0", "IO_URING,exit,7", "IO_URING,hook,8", "IO_URING,wait,143",
        "EPOLL,return,0", "EPOLL,exit,7", "EPOLL,hook,8", "EPOLL,wait,143",
        "BLOCKING,return,0", "BLOCKING,exit,7", "BLOCKING,hook,8", "BLOCKING,wait,143"
    })
    void endsWithAThousandOperationsPending(EngineKind kind, String how, int status) throws Exception {
        Process process = start(kind, how);
        try (BufferedReader output = output(process)) {
            await(output, "pending ");
            if (how.equals("wait")) {
                signal(process, "TERM");
            }
            assertThat(process.waitFor(SECONDS, TimeUnit.SECONDS))
                    .as("it ended")
                    .isTrue();
        } finally {
            process.destroyForcibly();
        }
        assertThat(process.exitValue()).isEqualTo(status);
    }

    @ParameterizedTest
    @EnumSource
    void isNotChangedByBeingStoppedAndContinued(EngineKind kind) throws Exception {
        assumeTrue(Files.exists(Path.of("/proc/self/stat")), "this system does not say whether a process is stopped");
        Process process = start(kind, "work");
        try (BufferedReader output = output(process)) {
            await(output, "working");
            for (int i = 0; i < 20; i++) {
                signal(process, "STOP");
                for (int tries = 0; !isStopped(process); tries++) {
                    assertThat(tries).as("it does not stop").isLessThan(5000);
                    Thread.sleep(1);
                }
                signal(process, "CONT");
            }
            try (Writer input = process.outputWriter(StandardCharsets.UTF_8)) {
                input.write("enough\n");
            }
            await(output, "right ");
            assertThat(process.waitFor(SECONDS, TimeUnit.SECONDS)).isTrue();
        } finally {
            process.destroyForcibly();
        }
        assertThat(process.exitValue()).isZero();
    }

    /** State T, the first letter behind the name, which stands in parentheses. */
    private static boolean isStopped(Process process) throws IOException {
        String stat = Files.readString(Path.of("/proc/" + process.pid() + "/stat"));
        return stat.startsWith("T", stat.lastIndexOf(')') + 2);
    }
}
