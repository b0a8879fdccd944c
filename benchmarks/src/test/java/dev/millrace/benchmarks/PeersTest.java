// SPDX-License-Identifier: Apache-2.0
package dev.millrace.benchmarks;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class PeersTest {
    private static final Workload WORKLOAD = Workload.parse("one", "http", 1024, 512);

    @TempDir
    Path folder;

    private CommandPeer peer(String script, int ownTimes) {
        List<String> command = List.of("sh", "-c", script);
        return new CommandPeer(
                "tool",
                command,
                Map.of(),
                WORKLOAD,
                folder.resolve("files"),
                folder.resolve("err"),
                Duration.ofSeconds(1),
                ownTimes);
    }

    private String writes(int bytes) {
        return "head -c " + bytes + " /dev/zero > " + folder.resolve("files/object");
    }

    @Test
    void shouldMeasureACommandAndRemoveItsFiles() throws Exception {
        assertThat(peer(writes(1024), 0).round(1))
                .containsEntry("bytes", 1024L)
                .containsEntry("cold", false)
                .containsKeys("seconds", "memory_kib", "threads");
        assertThat(folder.resolve("files")).doesNotExist();
    }

    @Test
    void shouldTakeTheFiguresOfOneThatMeasuresItself() throws Exception {
        CommandPeer peer = peer(writes(1024) + "; echo '{\"seconds\": 7.5, \"fixed_writes\": 3}'", 1);
        assertThat(peer.round(0)).containsEntry("seconds", 7.5).containsEntry("cold", true);
    }

    @Test
    void shouldAddUpTheFiguresOfOneThatDoesItsWorkSeveralTimes() throws Exception {
        String line = "{\"bytes\": 1073741824, \"seconds\": 1.5, \"cpu_seconds\": 0.5, \"huge_kib\": 2048}";
        CommandPeer peer = peer(writes(1024) + "; echo '" + line + "'; echo '" + line + "'", 2);
        assertThat(peer.round(1))
                .containsEntry("bytes", 2.0 * (1 << 30))
                .containsEntry("seconds", 3.0)
                .containsEntry("cpu_seconds_per_gib", 0.5)
                .containsEntry("huge_kib", 2048);
        assertThat(peer.times()).isEqualTo(2);
    }

    @Test
    void shouldEndOneThatHangsAndSaySo() {
        assertThatThrownBy(() -> peer("sleep 60", 1).round(0))
                .isInstanceOf(PeerFailure.class)
                .hasMessage("hung: it was killed after 1 s");
    }

    @Test
    void shouldTellTheLastWordsOfOneThatFails() {
        assertThatThrownBy(() -> peer("echo no such bucket >&2; exit 3", 1).round(0))
                .isInstanceOf(PeerFailure.class)
                .hasMessage("failed with status 3: no such bucket");
    }

    @Test
    void shouldNotCountOneThatLeavesBytesOut() {
        assertThatThrownBy(() -> peer(writes(1000), 0).round(0))
                .isInstanceOf(PeerFailure.class)
                .hasMessageContaining("wrote 1000 of 1024 bytes");
    }

    @Test
    void shouldTellAJvmThatCrashesFromOneThatHangs() throws Exception {
        Duration limit = Duration.ofSeconds(1);
        try (JvmPeer crashes =
                new JvmPeer("c", List.of("sh", "-c", "echo out of memory >&2; exit 1"), folder.resolve("c"), limit)) {
            assertThatThrownBy(crashes::start).hasMessage("crashed with status 1: out of memory");
        }
        try (JvmPeer hangs = new JvmPeer("h", List.of("sleep", "60"), folder.resolve("h"), limit)) {
            assertThatThrownBy(hangs::start).hasMessageContaining("hung");
        }
    }

    @Test
    void shouldNameAWorkloadByWhatItDownloads() {
        assertThat(Workload.parse("one", "https", 1L << 30, 16 << 20).name()).isEqualTo("1 x 1 GiB, HTTPS");
        assertThat(Workload.parse("256", "http", 1L << 30, 16 << 20).name())
                .isEqualTo("256 x 16 MiB, 256 at once, HTTP");
        assertThatThrownBy(() -> Workload.parse("2000", "http", 1, 1)).hasMessageContaining("no workload 2000");
    }

    @Test
    void shouldReadTheTotalsOfStrace() {
        assertThat(SystemCalls.total(List.of(
                        "% time     seconds  usecs/call     calls    errors syscall",
                        " 60.00    0.000120          10        12         1 io_uring_enter",
                        "------ ----------- ----------- --------- --------- ----------------",
                        "100.00    0.000200          10      2029         1 total")))
                .isEqualTo(2029);
        assertThatThrownBy(() -> SystemCalls.total(List.of())).hasMessageContaining("no line of totals");
    }

    @Test
    void shouldKeepLinesUnderThePartialNameUntilTheEnd() throws IOException {
        ResultLines lines = ResultLines.create(folder, "run");
        lines.add(Map.of("a", 1));
        assertThat(folder.resolve("run.partial.jsonl")).content().isEqualTo("{\"a\":1}\n");
        assertThat(lines.end(true, "")).isEqualTo(folder.resolve("run"));
        assertThat(Files.readAllLines(folder.resolve("run.jsonl")))
                .containsExactly("{\"a\":1}", "{\"end\":\"complete\"}");
        ResultLines cut = ResultLines.create(folder, "cut");
        assertThat(cut.end(false, "the disk is full.")).isEqualTo(folder.resolve("cut.partial"));
        assertThat(folder.resolve("cut.partial.jsonl")).content().contains("the disk is full.");
    }

    @Test
    void shouldSayWhereResultsCannotBeWritten() throws IOException {
        Path file = Files.createFile(folder.resolve("file"));
        assertThatThrownBy(() -> ResultLines.create(file, "run"))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("Results cannot be written to " + file)
                .hasMessageContaining("RESULTS_DIR");
    }

    @Test
    void shouldRelayBothWaysWithADelay() throws Exception {
        try (ServerSocket server = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
                DelayRelay relay = DelayRelay.open(server.getLocalPort(), 20_000_000);
                Socket client = new Socket(InetAddress.getLoopbackAddress(), relay.port());
                Socket accepted = server.accept()) {
            long start = System.nanoTime();
            client.getOutputStream().write("ask".getBytes(StandardCharsets.US_ASCII));
            assertThat(new String(accepted.getInputStream().readNBytes(3), StandardCharsets.US_ASCII))
                    .isEqualTo("ask");
            OutputStream out = accepted.getOutputStream();
            out.write(new byte[1 << 20]);
            accepted.shutdownOutput();
            InputStream in = client.getInputStream();
            assertThat(in.readAllBytes()).hasSize(1 << 20);
            assertThat(System.nanoTime() - start).isGreaterThanOrEqualTo(40_000_000);
        }
    }
}
