// SPDX-License-Identifier: Apache-2.0
package dev.millrace.io;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeFalse;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The limits of a process: each is worked within, or named in one sentence with its value and the remedy. */
@Timeout(120)
class LimitsTest {
    private static final int BUFFERS = 32;
    private static final int MIB = 1 << 20;

    @TempDir
    Path folder;

    @BeforeAll
    static void hasAHome() throws IOException {
        assumeFalse(
                TestEngines.binding().equals("jna") && Confined.isRoot(),
                "JNA unpacks its native part into its user's home, and the user that root becomes here has none");
    }

    /** What a session printed. */
    private record Facts(List<String> lines) {
        String of(String name) {
            return all(name).stream().findFirst().orElseThrow(() -> new AssertionError("no " + name + " in " + lines));
        }

        int number(String name) {
            return Integer.parseInt(of(name));
        }

        List<String> all(String name) {
            return lines.stream()
                    .filter(line -> line.startsWith(name + " "))
                    .map(line -> line.substring(name.length() + 1))
                    .toList();
        }
    }

    private String[] arguments(String engine, int slots, String... more) {
        List<String> arguments = new ArrayList<>(List.of(
                folder.toString(), engine, String.valueOf(slots), String.valueOf(BUFFERS), String.valueOf(MIB)));
        arguments.addAll(List.of(more));
        return arguments.toArray(String[]::new);
    }

    private Facts session(List<String> before, String engine, int slots, String... more) throws Exception {
        String output = ChildJvm.run(before, List.of("-Xmx128m"), PoolSession.class, arguments(engine, slots, more));
        Facts facts = new Facts(output.lines().toList());
        assertThat(facts.lines())
                .as("said once, in one line")
                .filteredOn(line -> line.contains("runs on the engine"))
                .hasSizeLessThanOrEqualTo(1);
        assertThat(output).endsWith("ended\n");
        return facts;
    }

    private static void assumeRing() {
        assumeTrue(
                SystemProbe.run(Optional.empty())
                        .filter(SystemProbe::uringAllowed)
                        .isPresent(),
                "io_uring cannot be had here");
    }

    /** Before Linux 6.14 and from 5.12 a ring's own memory is not counted against the limit. */
    private static void assumeCounted(boolean counted) {
        assumeTrue(counted, "this kernel does not count a ring against RLIMIT_MEMLOCK");
    }

    // ------------------------------------------------------------------ RLIMIT_MEMLOCK

    @Test
    void registersAsManyBuffersAsTheLimitAllowsAndUsesTheOthersToo() throws Exception {
        assumeRing();
        Facts facts = session(Confined.limited("-l 8192"), "auto", 64);
        int registered = facts.number("registered");
        assertThat(facts.of("engine")).isEqualTo("io_uring");
        assertThat(registered).isBetween(1, 7);
        assertThat(facts.number("fixed")).isEqualTo(2 * registered);
        assertThat(facts.number("plain")).isEqualTo(2 * (BUFFERS - registered));
        assertThat(facts.all("note"))
                .containsExactly("RLIMIT_MEMLOCK is 8 MiB: registered " + registered
                        + " of 32 buffers, the rest run unregistered; raise it with ulimit -l");
    }

    @Test
    void takesASmallerRingWhereTheFullOneDoesNotFit() throws Exception {
        assumeRing();
        Facts facts = session(Confined.limited("-l 64"), "auto", 1024);
        assertThat(facts.of("engine")).isEqualTo("io_uring");
        int slots = facts.number("slots");
        assumeCounted(slots < 1024);
        assertThat(slots).isBetween(32, 512);
        assertThat(facts.number("registered")).isZero();
        assertThat(facts.number("plain")).isEqualTo(2 * BUFFERS);
        assertThat(facts.all("note"))
                .containsExactly(
                        "RLIMIT_MEMLOCK is 64 KiB over all processes of this user: a ring of " + slots
                                + " entries instead of 1024; raise it with ulimit -l",
                        "RLIMIT_MEMLOCK is 64 KiB: registered 0 of 32 buffers, the rest run unregistered; raise it with"
                                + " ulimit -l");
    }

    @Test
    void runsOnEpollWhereNoRingFitsAndNamesTheLimitOnce() throws Exception {
        assumeRing();
        List<String> none = Confined.limited("-l 0");
        Facts facts = session(none, "auto", 1024);
        assumeCounted(!facts.of("engine").equals("io_uring"));
        assertThat(facts.of("engine")).isEqualTo("epoll");
        assertThat(facts.number("slots")).isEqualTo(1024);
        assertThat(facts.number("plain")).isEqualTo(2 * BUFFERS);
        assertThat(facts.all("note"))
                .singleElement()
                .asString()
                .isEqualTo(
                        "io_uring is refused: io_uring_setup failed with ENOMEM because RLIMIT_MEMLOCK is 0 bytes over"
                                + " all processes of this user; raise it with ulimit -l");

        Facts named = session(none, "io_uring", 1024);
        assertThat(named.of("refused"))
                .startsWith("the engine io_uring cannot be had: ")
                .contains("RLIMIT_MEMLOCK is 0 bytes", "raise it with ulimit -l");
    }

    @Test
    void registersTheWholePoolWithoutALimit() throws Exception {
        assumeRing();
        Facts facts = session(Confined.mayLockMemory() ? List.of() : Confined.limited("-l unlimited"), "io_uring", 64);
        assertThat(facts.number("registered")).isEqualTo(BUFFERS);
        assertThat(facts.number("fixed")).isEqualTo(2 * BUFFERS);
        assertThat(facts.number("plain")).isZero();
        assertThat(facts.all("note")).isEmpty();
    }

    @Test
    void takesFewerRingsWhereAllDoNotFit() throws Exception {
        assumeRing();
        Facts facts = session(Confined.limited("-l 64"), "auto", 1024, "rings=8");
        assertThat(facts.of("engine")).isEqualTo("io_uring");
        int rings = facts.number("rings");
        assumeCounted(rings < 8);
        assertThat(facts.all("note").get(1))
                .isEqualTo("RLIMIT_MEMLOCK is 64 KiB over all processes of this user: "
                        + (rings == 1 ? "1 ring" : rings + " rings") + " instead of 8; raise it with ulimit -l");
        assertThat(facts.all("note")).hasSize(3).allMatch(note -> note.contains("raise it with ulimit -l"));
        assertThat(facts.number("plain")).isEqualTo(2 * BUFFERS);
    }

    @Test
    void registersAgainWhatFittedWhenTheEngineBeforeASwitchIsGone() throws Exception {
        assumeRing();
        Facts facts = session(Confined.limited("-l 8192"), "io_uring", 64, "anew");
        int registered = facts.number("registered");
        assertThat(registered).isBetween(1, 7);
        assertThat(facts.number("again")).isEqualTo(registered);
        assertThat(facts.number("fixed")).isEqualTo(4 * registered);
        assertThat(facts.number("plain")).isEqualTo(4 * (BUFFERS - registered));
    }

    @Test
    void sharesTheBudgetOfAUserBetweenProcessesAndHarmsNone() throws Exception {
        assumeRing();
        List<String> limited = Confined.limited("-l 8192");
        Process first = ChildJvm.start(limited, List.of("-Xmx128m"), PoolSession.class, arguments("auto", 64, "wait"));
        int had;
        try (BufferedReader output =
                new BufferedReader(new InputStreamReader(first.getInputStream(), StandardCharsets.UTF_8))) {
            Facts before = new Facts(until(output, "ready"));
            had = before.number("registered");
            Facts second = session(limited, "auto", 64);
            int left = second.all("registered").isEmpty() ? 0 : second.number("registered");
            assertThat(had + left).isLessThanOrEqualTo(7);
            assertThat(second.all("note"))
                    .isNotEmpty()
                    .allSatisfy(note -> assertThat(note).contains("RLIMIT_MEMLOCK is 8 MiB"));
            try (Writer input = first.outputWriter(StandardCharsets.UTF_8)) {
                input.write("go\n");
            }
            assertThat(until(output, "ended")).isNotEmpty();
            assertThat(first.waitFor()).isZero();
        } finally {
            first.destroyForcibly();
        }
        assertThat(session(limited, "auto", 64).number("registered"))
                .as("what was given back is there again")
                .isEqualTo(had);
    }

    private static List<String> until(BufferedReader output, String last) throws IOException {
        List<String> lines = new ArrayList<>();
        String line;
        while ((line = output.readLine()) != null) {
            lines.add(line);
            if (line.equals(last)) {
                return lines;
            }
        }
        throw new AssertionError("it ended before it said " + last + ": " + lines);
    }

    @Test
    void worksWhereHugePagesAreRefused() throws Exception {
        List<String> before = List.of(Confined.tool("no_huge_pages").toString());
        Facts facts = session(before, "auto", 64);
        assertThat(facts.of("huge")).isEqualTo("false");
        assertThat(facts.number("fixed") + facts.number("plain")).isEqualTo(2 * BUFFERS);
    }

    // ------------------------------------------------------------------ descriptors, threads

    @Test
    void worksWith256Descriptors() throws Exception {
        worksOnTheBestEngine(session(Confined.limited("-n 256"), "auto", 64));
    }

    @Test
    void worksWith200Threads() throws Exception {
        assumeTrue(
                Confined.isRoot(),
                "threads are summed over a user's processes, and only root can become one that has none");
        worksOnTheBestEngine(session(Confined.limited("-u 200"), "auto", 64));
    }

    private static void worksOnTheBestEngine(Facts facts) {
        assertThat(facts.number("fixed") + facts.number("plain")).isEqualTo(2 * BUFFERS);
        boolean ring = SystemProbe.run(Optional.empty())
                .filter(SystemProbe::uringAllowed)
                .isPresent();
        assertThat(facts.of("engine")).isEqualTo(ring ? "io_uring" : "epoll");
    }
}
