// SPDX-License-Identifier: Apache-2.0
package dev.millrace.io;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Assumptions;

/** Commands that start another with fewer rights than this process has. Where that cannot be done the test is skipped. */
final class Confined {
    /** Locked memory and threads are summed over a user's processes: one that has none. */
    private static final String USER =
            String.valueOf(50_000 + ProcessHandle.current().pid() % 10_000);

    private Confined() {}

    static boolean isRoot() throws IOException {
        return status("Uid:").matches("\\d+\\s+0\\s.*");
    }

    /** CAP_IPC_LOCK: to who has it RLIMIT_MEMLOCK is no limit. */
    static boolean mayLockMemory() throws IOException {
        return (Long.parseUnsignedLong(status("CapEff:"), 16) >>> 14 & 1) != 0;
    }

    private static String status(String name) throws IOException {
        return Files.readAllLines(Path.of("/proc/self/status")).stream()
                .filter(line -> line.startsWith(name))
                .map(line -> line.substring(name.length()).strip())
                .findFirst()
                .orElse("0");
    }

    /**
     * As a user who may not lock memory beyond the limit: root may, which hides every fault. Root's way to its own files
     * stays open, since what is to run lies there.
     */
    static List<String> unprivileged() throws IOException, InterruptedException {
        if (!isRoot()) {
            return List.of();
        }
        List<String> command = List.of(
                "setpriv",
                "--reuid=" + USER,
                "--regid=" + USER,
                "--clear-groups",
                "--bounding-set=-ipc_lock,-sys_resource",
                "--inh-caps=+dac_override",
                "--ambient-caps=+dac_override");
        List<String> trial = new ArrayList<>(command);
        trial.add("true");
        assumeRuns("another user cannot be become here (setpriv)", trial);
        return command;
    }

    /** Under limits of the shell, as {@code -l 64}, and without rights that would lift them. */
    static List<String> limited(String... limits) throws IOException, InterruptedException {
        String set = "ulimit " + String.join(" && ulimit ", limits);
        assumeRuns("the limit cannot be set here: " + set, List.of("bash", "-c", set));
        List<String> command = new ArrayList<>(List.of("bash", "-c", set + " && exec \"$@\"", "limited"));
        command.addAll(unprivileged());
        return command;
    }

    /** A helper that {@code make -C native tools} builds. */
    static Path tool(String name) {
        Path tool = Path.of(System.getProperty("user.dir"))
                .resolve("../../native/build")
                .resolve(name)
                .normalize();
        Assumptions.assumeTrue(Files.exists(tool), name + " is not built: run make -C native tools first");
        return tool;
    }

    static void assumeRuns(String otherwise, List<String> command) throws IOException, InterruptedException {
        int status;
        try {
            status = new ProcessBuilder(command)
                    .redirectErrorStream(true)
                    .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                    .start()
                    .waitFor();
        } catch (IOException absent) {
            status = -1;
        }
        Assumptions.assumeTrue(status == 0, otherwise);
    }
}
