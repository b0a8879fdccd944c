// SPDX-License-Identifier: Apache-2.0
package dev.millrace.server;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millrace.server.churn.FakeManagementServer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** {@code millrace bench ondemand-download-churn}: its options, what it prints and its exit status. */
@Timeout(120)
class ChurnCommandTest {
    private static final List<String> CHURN = List.of("bench", "ondemand-download-churn");

    private FakeManagementServer server;

    @TempDir
    Path folder;

    @BeforeEach
    void start() throws IOException {
        server = FakeManagementServer.start().with(1, 1, 10);
    }

    @AfterEach
    void stop() {
        server.close();
    }

    private static Cli bench(String... arguments) {
        List<String> all = new ArrayList<>(CHURN);
        all.addAll(List.of(arguments));
        return Cli.run(all.toArray(String[]::new));
    }

    private Cli churn(String... arguments) {
        return churnFor("50ms", arguments);
    }

    private Cli churnFor(String runtime, String... arguments) {
        List<String> all =
                new ArrayList<>(List.of("--mgmt-api-endpoint", server.endpoint() + "/", "--runtime", runtime));
        all.addAll(List.of(arguments));
        return bench(all.toArray(String[]::new));
    }

    @Test
    void printsOneObjectOfTheNamesThatAreDocumented() {
        Cli said = churn();
        assertThat(said.err()).isEmpty();
        assertThat(said.status()).isZero();
        assertThat(said.out().lines()).hasSize(1);
        assertThat(said.json().keySet())
                .containsExactly(
                        "downloads_count",
                        "downloads_bytes",
                        "evictions_count",
                        "timeline_restarts",
                        "runtime",
                        "mib_per_s",
                        "download_latency_ms",
                        "eviction_latency_ms",
                        "server_cpu_seconds",
                        "server_cpu_seconds_per_gib",
                        "server_rss_bytes",
                        "benchmark_cpu_seconds",
                        "benchmark_process_cpu_seconds",
                        "engine",
                        "binding");
        assertThat((Integer) said.json().get("downloads_count")).isEqualTo((int) server.count("downloaded"));
        assertThat((String) said.json().get("runtime")).matches("([0-9]+s )?[0-9]+ms|[0-9]+s");
    }

    @Test
    void takesTargetsTokenAndEngine() throws IOException {
        server.wantsToken("0123456789abcdef").with(1, 2, 10);
        Path token = Files.writeString(folder.resolve("token"), "# for tests\n\n 0123456789abcdef manage\n");
        Cli said = churn(
                "--token-file",
                token.toString(),
                "--set-io-engine",
                "epoll",
                "--tasks-per-target",
                "2",
                "--concurrency-per-target",
                "3",
                "--limit-to-first-n-targets",
                "1",
                FakeManagementServer.id(1) + "/" + FakeManagementServer.id(2));
        assertThat(said.status()).as(said.err()).isZero();
        assertThat(said.json()).containsEntry("engine", "epoll");
    }

    @Test
    void aPartialResultIsPrintedAndTheStatusIsOne() {
        server.onNextLayerDie();
        Cli said = churnFor("50s");
        assertThat(said.status()).isEqualTo(1);
        assertThat(said.json()).containsEntry("partial", true).containsKey("reason");
        assertThat(said.err()).startsWith("millrace: The server at ").endsWith(". The results are partial\n");
        assertThat(said.err().lines()).hasSize(1);
    }

    @Test
    void whatCannotBeginIsOneSentenceAndNothingElse() throws IOException {
        Path empty = Files.writeString(folder.resolve("empty"), "# none\n");
        server.wantsToken("0123456789abcdef");
        assertFails(churn(), "wants a token");
        assertFails(churn("--token-file", folder.resolve("none").toString()), "no such file or folder");
        assertFails(churn("--token-file", empty.toString()), "has no token");
        server.die();
        assertFails(churn(), "cannot be reached");
        assertFails(bench("--spawn"), "start the benchmark by it too");
    }

    private static void assertFails(Cli said, String words) {
        assertThat(said.status()).as(said.err()).isEqualTo(1);
        assertThat(said.out()).isEmpty();
        assertThat(said.err()).startsWith("millrace: ").contains(words);
        assertThat(said.err().lines()).hasSize(1);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "--runtime 0s | The runtime is 0s and must be longer than 0",
                "--runtime soon | 'soon' is no length of time",
                "--tasks-per-target 0 | The tasks per target is 0",
                "--concurrency-per-target x | 'x' is not an int",
                "--limit-to-first-n-targets 0 | The limit of targets is 0",
                "--mgmt-api-endpoint ftp://x | is not understood",
                "--mgmt-api-endpoint http://a:b:c | The endpoint",
                "nobody | 'nobody' is no target",
                "1/2 | '1' is not the id of a tenant",
                "--layers 3 | --layers needs --spawn",
                "--layer-size 1MiB | --layer-size needs --spawn",
                "--spawn-dir x | --spawn-dir needs --spawn",
                "--s3-endpoint http://x | --s3-endpoint needs --spawn",
                "--s3-bucket b | --s3-bucket needs --s3-endpoint",
                "--spawn --layers 0 | --layers must be at least 1",
                "--spawn --mgmt-api-endpoint http://x | take one",
                "--spawn a/b | has one target",
                "--wrong | Unknown option: '--wrong'",
            })
    void wrongUsageIsTwo(String arguments, String words) {
        Cli said = bench(arguments.split(" ", -1));
        assertThat(said.status()).isEqualTo(2);
        assertThat(said.out()).isEmpty();
        assertThat(said.err())
                .startsWith("millrace: ")
                .contains(words)
                .endsWith("See millrace bench ondemand-download-churn --help\n");
        assertThat(said.err().lines()).hasSize(1);
    }

    @Test
    void aBenchmarkMustBeNamed() {
        Cli said = Cli.run("bench");
        assertThat(said.status()).isEqualTo(2);
        assertThat(said.err()).contains("A benchmark is missing: ondemand-download-churn. See millrace bench --help");
    }

    @Test
    @Tag("process")
    void aSignalEndsItWithWhatWasDoneUntilThen() throws Exception {
        List<String> command = new ArrayList<>(List.of(Launched.launcher().toString()));
        command.addAll(CHURN);
        command.addAll(List.of("--mgmt-api-endpoint", server.endpoint().toString(), "--runtime", "5m"));
        Process process = Launched.start(folder, Map.of(), command);
        while (process.isAlive() && !server.awaitDownloads(20, 1, TimeUnit.SECONDS)) {
            // it starts
        }
        process.destroy();
        Launched said = Launched.finish(folder, process);
        assertThat(said.status()).as(said.err()).isEqualTo(143);
        assertThat(said.json()).containsEntry("partial", true).containsEntry("reason", "Interrupted");
        assertThat((Integer) said.json().get("downloads_count")).isEqualTo((int) server.count("downloaded"));
    }
}
