// SPDX-License-Identifier: Apache-2.0
package dev.millrace.server;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millrace.io.SystemProbe;
import dev.millrace.testkit.Content;
import dev.millrace.testkit.EmbeddedS3;
import dev.millrace.testkit.Fault;
import dev.millrace.testkit.FaultProxy;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** {@code bin/millrace} as users start it; the store is in this process, so that what is counted is the command's own. */
@Tag("process")
@Timeout(300)
class LauncherTest {
    private static final int BUFFERS = 96;
    private static final long MIB = 1L << 20;

    private static EmbeddedS3 s3;

    @TempDir
    Path folder;

    @BeforeAll
    static void start() throws IOException {
        Launched.launcher();
        s3 = EmbeddedS3.start();
        s3.put("bucket", "p/ä 日本", Content.of("x"));
        s3.put("bucket", "p/one", Content.pattern(1, 3 * MIB));
        s3.put("bucket", "big", Content.pattern(2, BUFFERS * MIB));
    }

    @AfterAll
    static void stop() throws IOException {
        if (s3 != null) {
            s3.close();
        }
    }

    private static Map<String, String> environment(String... more) {
        Map<String, String> all = new HashMap<>(Map.of(
                "AWS_ACCESS_KEY_ID", s3.accessKey(),
                "AWS_SECRET_ACCESS_KEY", s3.secretKey(),
                "AWS_REGION", s3.region(),
                "AWS_ENDPOINT_URL_S3", s3.endpoint().toString()));
        for (int i = 0; i < more.length; i += 2) {
            all.put(more[i], more[i + 1]);
        }
        return all;
    }

    private static void assumeRing() {
        Assumptions.assumeTrue(
                SystemProbe.run(Optional.empty())
                        .filter(SystemProbe::uringAllowed)
                        .isPresent(),
                "io_uring cannot be had here");
    }

    private List<String> names() throws IOException {
        try (Stream<Path> all = Files.walk(folder)) {
            return all.filter(Files::isRegularFile)
                    .map(path -> folder.relativize(path).toString())
                    .sorted()
                    .toList();
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"C", "C.UTF-8", "POSIX"})
    void keysAreTheBytesOnDiskWhateverTheLocale(String locale) throws Exception {
        Launched get = Launched.run(
                folder, environment("LC_ALL", locale, "LANG", locale), List.of(), "get", "s3://bucket/p/", "out");
        assertThat(get.err()).isEmpty();
        assertThat(get.status()).isZero();
        assertThat(names()).containsExactly("out/one", "out/ä 日本");
    }

    @ParameterizedTest
    @CsvSource({"new,ffm", "new,jni", "new,jna", "old,jni", "old,jna", "old,none", "new,none"})
    void everyWayOfEveryJdkGivesTheSameFileInSilence(String age, String binding) throws Exception {
        Optional<String> home = age.equals("new") ? Launched.jdk(22, 9999) : Launched.jdk(17, 21);
        Assumptions.assumeTrue(home.isPresent(), "there is no JDK 17 to 21 beside the one that builds");
        List<String> way = binding.equals("none") ? List.of("--engine", "blocking") : List.of("--binding", binding);
        List<String> arguments = new ArrayList<>(List.of("get", "--json", "s3://bucket/p/one", "f"));
        arguments.addAll(1, way);
        Launched got =
                Launched.run(folder, environment("JAVA_HOME", home.get()), List.of(), arguments.toArray(String[]::new));
        assertThat(got.status()).as(got.err()).isZero();
        assertThat(got.err()).isEmpty();
        assertThat(got.json()).containsEntry("binding", binding);
        Launched other = Launched.run(folder, environment(), List.of(), "get", "s3://bucket/p/one", "g");
        assertThat(other.status()).as(other.err()).isZero();
        assertThat(Files.mismatch(folder.resolve("f"), folder.resolve("g"))).isEqualTo(-1);
    }

    @Test
    void namesTheBindingThatAJdkDoesNotHave() throws Exception {
        Optional<String> old = Launched.jdk(17, 21);
        Assumptions.assumeTrue(old.isPresent(), "there is no JDK 17 to 21 beside the one that builds");
        Launched refused = Launched.run(
                folder,
                environment("JAVA_HOME", old.get()),
                List.of(),
                "get",
                "--binding",
                "ffm",
                "s3://bucket/p/one",
                "f");
        assertThat(refused.status()).isEqualTo(1);
        assertThat(refused.err().lines()).hasSize(1);
        assertThat(refused.err()).contains("ffm").contains("it needs JDK 22 or later");
        Launched auto = Launched.run(
                folder, environment("JAVA_HOME", old.get()), List.of(), "get", "--json", "s3://bucket/p/one", "f");
        assertThat(auto.status()).as(auto.err()).isZero();
        assertThat(auto.json()).containsEntry("binding", "jni");
        Launched doctor = Launched.run(folder, environment("JAVA_HOME", old.get()), List.of(), "doctor");
        assertThat(doctor.out()).contains("binding jni").contains("ffm: it needs JDK 22 or later");
        Launched unknown =
                Launched.run(folder, environment(), List.of(), "get", "--binding", "jnx", "s3://bucket/p/one", "f");
        assertThat(unknown.status()).isEqualTo(2);
        assertThat(unknown.err()).contains("there is no binding jnx").contains("ffm, jni, jna");
    }

    @Test
    void worksFromAnyFolderAndThroughLinks() throws Exception {
        Path first = Files.createSymbolicLink(folder.resolve("first"), Launched.launcher());
        Path second = Files.createSymbolicLink(folder.resolve("second"), Path.of("first"));
        Process process = Launched.start(folder, environment(), List.of(second.toString(), "doctor"));
        Launched doctor = Launched.finish(folder, process);
        assertThat(doctor.err()).isEmpty();
        assertThat(doctor.status()).isZero();
        assertThat(doctor.out()).contains("engine:");
        assertThat(first).exists();
    }

    @Test
    void aCloneThatIsNotBuiltSaysWhatToDo() throws Exception {
        Path clone = Files.createDirectories(folder.resolve("clone/bin"));
        Path copy = Files.copy(Launched.launcher(), clone.resolve("millrace"));
        assertThat(copy.toFile().setExecutable(true)).isTrue();
        Launched bare =
                Launched.finish(folder, Launched.start(folder, environment(), List.of(copy.toString(), "doctor")));
        assertThat(bare.status()).isEqualTo(1);
        assertThat(bare.err()).contains("run make").hasLineCount(1);
    }

    @ParameterizedTest
    @ValueSource(strings = {"auto", "blocking"})
    void aDiskWithoutRoomIsNamedAndNothingIsLeft(String engine) throws Exception {
        String limited = "ulimit -f 1024; exec \"$@\""; // what a file may have: the same way out as a full disk's
        Launched get = Launched.run(
                folder,
                environment(),
                List.of("bash", "-c", limited, "limited"),
                "get",
                "--engine",
                engine,
                "s3://bucket/p/one",
                "new/f");
        assertThat(get.status()).isEqualTo(1);
        assertThat(get.err()).contains("s3://bucket/p/one", "EFBIG").hasLineCount(1);
        assertThat(names()).isEmpty();
        assertThat(folder).isEmptyDirectory();
    }

    // ------------------------------------------------------------------ signals

    @ParameterizedTest
    @CsvSource({"INT,130", "TERM,143"})
    void aSignalCleansUpAndEndsWithinTwoSeconds(String signal, int status) throws Exception {
        Assumptions.assumeFalse(
                signal.equals("INT") && isInterruptIgnored(), "SIGINT is ignored here, as it is in the background");
        try (FaultProxy proxy = FaultProxy.before(s3)) {
            proxy.on(request -> request.decodedPath().endsWith("/big"))
                    .then(new Fault.StallAfter(20 * MIB, Duration.ofMinutes(5)));
            Process process = Launched.start(
                    folder,
                    environment("AWS_ENDPOINT_URL_S3", proxy.endpoint().toString()),
                    List.of(Launched.launcher().toString(), "get", "s3://bucket/p/one", "s3://bucket/big", "out/"));
            long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(60);
            while (!isInTheMiddle() && System.nanoTime() < deadline) {
                Thread.sleep(20);
            }
            assertThat(isInTheMiddle()).isTrue();
            long before = System.nanoTime();
            new ProcessBuilder("kill", "-" + signal, Long.toString(process.pid()))
                    .start()
                    .waitFor();
            Launched ended = Launched.finish(folder, process);
            assertThat(System.nanoTime() - before).isLessThan(TimeUnit.SECONDS.toNanos(2));
            assertThat(ended.status()).as(ended.err()).isEqualTo(status);
            assertThat(ended.err())
                    .contains("Interrupted: 1 object is complete")
                    .hasLineCount(1);
            assertThat(names()).containsExactly("out/one");
        }
    }

    /** One object is here and something of another. */
    private boolean isInTheMiddle() throws IOException {
        return Files.exists(folder.resolve("out/one"))
                && names().stream().anyMatch(name -> name.endsWith(".millrace-part"));
    }

    /** A shell without job control starts what is in the background with SIGINT ignored, and children inherit it. */
    private static boolean isInterruptIgnored() throws IOException {
        String ignored = Files.readAllLines(Path.of("/proc/self/status")).stream()
                .filter(line -> line.startsWith("SigIgn:"))
                .findFirst()
                .orElse("SigIgn: 0");
        return (Long.parseUnsignedLong(ignored.substring("SigIgn:".length()).strip(), 16) >>> 1 & 1) != 0;
    }

    // ------------------------------------------------------------------ io_uring refused

    @Tag("slow")
    @ParameterizedTest
    @CsvSource({"setup,ENOSYS,io_uring_setup failed with ENOSYS", "all,EPERM,io_uring_setup failed with EPERM"})
    void refusedOtherwiseItGoesOnOnEpollToo(String calls, String errno, String reason) throws Exception {
        refusedByAFilterItGoesOnOnEpollAndSaysWhyInOneLine(calls, errno, reason);
    }

    @ParameterizedTest
    @CsvSource({"setup,EPERM,io_uring_setup failed with EPERM", "enter,EPERM,io_uring_enter failed with EPERM"})
    void refusedByAFilterItGoesOnOnEpollAndSaysWhyInOneLine(String calls, String errno, String reason)
            throws Exception {
        assumeRing();
        List<String> denying = Launched.denying(calls, errno);
        Launched auto = Launched.run(folder, environment(), denying, "get", "--json", "s3://bucket/p/one", "f");
        assertThat(auto.status()).as(auto.err()).isZero();
        assertThat(auto.err()).contains("epoll").contains(reason).hasLineCount(1);
        assertThat(auto.json()).containsEntry("engine", "epoll").containsEntry("objects", 1);

        Launched named =
                Launched.run(folder, environment(), denying, "get", "--engine", "io_uring", "s3://bucket/p/one", "g");
        assertThat(named.status()).isEqualTo(1);
        assertThat(named.err())
                .contains("The engine io_uring cannot be had")
                .contains(reason)
                .hasLineCount(1);
        assertThat(names()).containsExactly("f");

        Map<String, Object> doctor =
                Launched.run(folder, environment(), denying, "doctor", "--json").json();
        assertThat(doctor)
                .containsEntry("io_uring_allowed", false)
                .containsEntry("io_uring_errno", errno)
                .containsEntry("engine", "epoll")
                .containsEntry("seccomp", "filter");
        assertThat(doctor.get("io_uring_refusal").toString()).contains(reason);
    }

    @Test
    void withTheSwitchOffACallThatWouldKillIsNotMade() throws Exception {
        List<String> denying = Launched.denying("all", "KILL");
        Launched get = Launched.run(
                folder, environment("MILLRACE_IO_URING", "off"), denying, "get", "--json", "s3://bucket/p/one", "f");
        assertThat(get.status()).as(get.err()).isZero();
        assertThat(get.json()).containsEntry("engine", "epoll");
        Launched doctor = Launched.run(folder, environment("MILLRACE_IO_URING", "off"), denying, "doctor");
        assertThat(doctor.status()).as(doctor.err()).isZero();
    }

    // ------------------------------------------------------------------ system calls

    private List<String> trace(String calls, Map<String, String> environment, String... args) throws Exception {
        Assumptions.assumeTrue(Launched.isOnPath("strace"), "strace is not installed");
        Path log = folder.resolve("trace");
        Launched traced = Launched.run(
                folder,
                environment,
                List.of("strace", "-f", "-y", "-q", "-e", "trace=" + calls, "-e", "signal=none", "-o", log.toString()),
                args);
        Assumptions.assumeFalse(traced.err().contains("PTRACE"), "strace may not trace here");
        assertThat(traced.status()).as(traced.err()).isZero();
        List<String> lines = Files.readAllLines(log);
        Files.delete(log);
        return lines;
    }

    @Test
    void withTheSwitchOffNoCallOfItIsMade() throws Exception {
        String calls = "io_uring_setup,io_uring_enter,io_uring_register";
        assertThat(trace(calls, environment("MILLRACE_IO_URING", "off"), "get", "s3://bucket/p/one", "f"))
                .noneMatch(line -> line.contains("io_uring"));
        assertThat(trace(calls, environment("MILLRACE_IO_URING", "off"), "doctor"))
                .noneMatch(line -> line.contains("io_uring"));
    }

    @Test
    void bytesReachTheFileThroughTheRingAlone() throws Exception {
        assumeRing();
        String calls = "write,pwrite64,writev,pwritev,pwritev2,sendfile,splice,copy_file_range,io_uring_enter";
        List<String> lines = trace(calls, environment(), "get", "--engine", "io_uring", "s3://bucket/big", "f");
        assertThat(lines).noneMatch(line -> line.contains("millrace-part") && !line.contains("io_uring_enter"));
        // Making, probing and closing the engine costs a few as well, whatever is downloaded: an object of one buffer
        // shows how many.
        List<String> least = trace(calls, environment(), "get", "--engine", "io_uring", "s3://bucket/p/one", "g");
        assertThat(enters(lines)).isPositive();
        assertThat(enters(lines) - enters(least)).isLessThanOrEqualTo(2 * BUFFERS);
        assertThat(Content.pattern(2, BUFFERS * MIB).differenceFrom(folder.resolve("f")))
                .isEmpty();
    }

    private static long enters(List<String> lines) {
        return lines.stream().filter(line -> line.contains("io_uring_enter(")).count();
    }

    @Test
    void noKernelWorkerAndOnlyFixedWrites() throws Exception {
        assumeRing();
        Process process = Launched.start(
                folder,
                environment(),
                List.of(Launched.launcher().toString(), "get", "--json", "s3://bucket/big", "f"));
        boolean workers = false;
        while (process.isAlive()) {
            workers |= hasKernelWorkers(process.pid());
            Thread.sleep(5);
        }
        Launched get = Launched.finish(folder, process);
        assertThat(get.status()).as(get.err()).isZero();
        assertThat(workers).isFalse();
        assertThat(get.json())
                .containsEntry("kernel_workers", 0)
                .containsEntry("fixed_writes", BUFFERS)
                .containsEntry("plain_writes", 0)
                .containsEntry("bytes", (int) (BUFFERS * MIB));
    }

    private static boolean hasKernelWorkers(long pid) {
        try (Stream<Path> tasks = Files.list(Path.of("/proc/" + pid + "/task"))) {
            return tasks.anyMatch(task -> {
                try {
                    return Files.readString(task.resolve("comm")).startsWith("iou-wrk");
                } catch (IOException ended) {
                    return false;
                }
            });
        } catch (IOException ended) {
            return false;
        }
    }
}
