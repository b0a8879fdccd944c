// SPDX-License-Identifier: Apache-2.0
package dev.millrace.io;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Calls of io_uring that a filter refuses, before an engine starts and while it runs. */
@Timeout(120)
class DenialTest {
    @TempDir
    Path folder;

    /** As container runtimes and sysctls forbid it. */
    static Stream<Arguments> denials() {
        return denials("EPERM");
    }

    /** As old kernels and other modules do. */
    static Stream<Arguments> otherDenials() {
        return denials("ENOSYS", "EACCES");
    }

    private static Stream<Arguments> denials(String... errnos) {
        return Stream.of("setup", "enter", "register", "all")
                .flatMap(call -> Stream.of(errnos).map(errno -> Arguments.of(call, errno)));
    }

    @BeforeAll
    static void hasRing() {
        assumeTrue(
                SystemProbe.run(Optional.empty())
                        .filter(SystemProbe::uringAllowed)
                        .isPresent(),
                "io_uring cannot be had here");
    }

    private static String fact(String output, String name) {
        return output.lines()
                .filter(line -> line.startsWith(name + " "))
                .findFirst()
                .orElseThrow(() -> new AssertionError("no " + name + " in " + output))
                .substring(name.length() + 1);
    }

    private String session(List<String> before, String engine) throws Exception {
        return ChildJvm.run(before, List.of(), PoolSession.class, folder.toString(), engine, "64", "8", "65536");
    }

    private static String refusal(String call, String errno) {
        String name = call.equals("all") ? "setup" : call;
        return "io_uring_" + name + " failed with " + errno
                + (name.equals("setup") && errno.equals("ENOSYS")
                        ? " because this kernel, or the sandbox around it, has no io_uring"
                        : " which a seccomp filter does (container runtimes forbid io_uring");
    }

    @ParameterizedTest
    @MethodSource("denials")
    void refusedBeforeTheStartTheNextEngineRunsAndSaysWhy(String call, String errno) throws Exception {
        List<String> denying = List.of(Confined.tool("deny_uring").toString(), call, errno, "--");
        String output = session(denying, "auto");
        boolean works = call.equals("register"); // a ring needs no registration
        assertThat(fact(output, "engine")).isEqualTo(works ? "io_uring" : "epoll");
        assertThat(fact(output, "note"))
                .contains(refusal(call, errno))
                .contains(works ? "registered 0 of 8 buffers, the rest run unregistered" : "io_uring is refused");
        assertThat(output.lines().filter(line -> line.startsWith("note "))).hasSize(1);
        assertThat(fact(output, "plain")).isEqualTo("16");
        if (!works && errno.equals("EPERM")) {
            assertThat(fact(session(denying, "io_uring"), "refused"))
                    .startsWith("the engine io_uring cannot be had: ")
                    .contains(refusal(call, errno));
        }
    }

    @Tag("slow")
    @ParameterizedTest
    @MethodSource("otherDenials")
    void refusedOtherwiseBeforeTheStartTheNextEngineRunsAndSaysWhy(String call, String errno) throws Exception {
        refusedBeforeTheStartTheNextEngineRunsAndSaysWhy(call, errno);
    }

    @ParameterizedTest
    @MethodSource("denials")
    void refusedWhileItRunsEveryOperationEndsAndNoBufferIsLost(String call, String errno) throws Exception {
        List<String> later = List.of("env", "MR_DENY_LATER=" + call + " " + errno);
        String output = ChildJvm.run(
                later,
                List.of(),
                DenialSession.class,
                folder.toString(),
                Confined.tool("deny_later.so").toString());
        boolean ends = call.equals("enter") || call.equals("all");
        String why = "io_uring failed while it ran: io_uring_enter failed with " + errno
                + " which a seccomp filter does (container runtimes forbid io_uring";
        if (ends) {
            assertThat(fact(output, "refused")).startsWith("read of " + folder).contains(why);
            assertThat(fact(output, "notes")).contains(why);
            assertThat(fact(output, "endless")).isEqualTo("true");
        } else {
            assertThat(fact(output, "right")).isEqualTo(String.valueOf(20 * 32));
            assertThat(fact(output, "endless")).isEqualTo("false");
        }
        assertThat(fact(output, "switched")).isEqualTo("32 epoll");
        assertThat(fact(output, "back"))
                .contains(call.equals("register") ? "io_uring" : "the engine io_uring cannot be had: ")
                .contains(call.equals("register") ? "" : refusal(call, errno));
        assertThat(fact(output, "next")).isEqualTo(call.equals("register") ? "io_uring" : "epoll");
        assertThat(output).endsWith("ended\n").doesNotContain("\tat dev.millrace");
    }

    @Tag("slow")
    @ParameterizedTest
    @MethodSource("otherDenials")
    void refusedOtherwiseWhileItRunsEveryOperationEndsAndNoBufferIsLost(String call, String errno) throws Exception {
        refusedWhileItRunsEveryOperationEndsAndNoBufferIsLost(call, errno);
    }

    @ParameterizedTest
    @ValueSource(strings = {"EPERM", "ENOSYS", "EACCES"})
    void neverHangsAlsoWhereNobodyCanKnowWhatTheKernelStillDoes(String errno) throws Exception {
        List<String> both = new ArrayList<>(List.of(Confined.tool("deny_uring").toString(), "register", errno, "--"));
        both.addAll(List.of("env", "MR_DENY_LATER=enter " + errno));
        Process process = ChildJvm.start(
                both,
                List.of(),
                DenialSession.class,
                folder.toString(),
                Confined.tool("deny_later.so").toString());
        String output = new String(process.getInputStream().readAllBytes(), java.nio.charset.StandardCharsets.UTF_8);
        assertThat(fact(output, "refused")).contains("io_uring_enter failed with " + errno);
        assertThat(process.waitFor()).isNotZero();
        assertThat(output).as("kept from the pool").contains("a buffer is lost");
    }

    /** The sysctl is the whole machine's: what is said of it is shown by a file that lies over it for one process. */
    @Test
    void namesTheSysctlThatForbidsIt() throws Exception {
        assumeTrue(Confined.isRoot(), "only root can lay a file over a sysctl");
        Path value = Files.writeString(folder.resolve("value"), "2\n");
        String cover = "mount --bind '" + value + "' /proc/sys/kernel/io_uring_disabled && exec \"$@\"";
        List<String> covered = new ArrayList<>(List.of("unshare", "--mount", "bash", "-c", cover, "covered"));
        Confined.assumeRuns(
                "no file can be laid over /proc/sys/kernel/io_uring_disabled here",
                Stream.concat(covered.stream(), Stream.of("true")).toList());
        covered.addAll(List.of(Confined.tool("deny_uring").toString(), "setup", "EPERM", "--"));
        String output = session(covered, "auto");
        assertThat(fact(output, "engine")).isEqualTo("epoll");
        assertThat(fact(output, "note"))
                .isEqualTo("io_uring is refused: io_uring_setup failed with EPERM because the sysctl"
                        + " kernel.io_uring_disabled forbids it; set it to 0, or run with CAP_SYS_ADMIN where it is 1");
    }
}
