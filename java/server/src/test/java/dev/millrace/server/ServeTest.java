// SPDX-License-Identifier: Apache-2.0
package dev.millrace.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import dev.millrace.io.EngineKind;
import dev.millrace.io.IoEngineConfig;
import dev.millrace.layers.json.HistoricLayerInfo;
import dev.millrace.layers.json.LayerMapInfo;
import dev.millrace.layers.json.LayerMapJson;
import dev.millrace.layers.stats.ResidenceStatus;
import dev.millrace.layers.store.EvictionOutcome;
import dev.millrace.layers.store.EvictionReason;
import dev.millrace.layers.store.Layer;
import dev.millrace.layers.store.LayerStore;
import dev.millrace.layers.store.LayerStoreConfig;
import dev.millrace.layers.store.ResidentLayer;
import dev.millrace.server.http.Client;
import dev.millrace.server.http.OpenApi;
import dev.millrace.server.http.RandomRequests;
import dev.millrace.server.http.RandomRequestsTest;
import java.io.IOException;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The API over a real store: a folder with generated layers. */
class ServeTest {
    private static final String TENANT = "0123456789abcdef0123456789abcdef";
    private static final String TIMELINE = "fedcba9876543210fedcba9876543210";
    private static final String PATH = "/v1/tenant/" + TENANT + "/timeline/" + TIMELINE;
    private static final int LAYERS = 6;

    @TempDir
    static Path shared;

    @TempDir
    Path folder;

    private RunningServer server;
    private Client client;

    @BeforeAll
    static void generate() {
        Cli made = make("remote", "--layers", Integer.toString(LAYERS), "--kind", "mixed", "--timeline", TIMELINE);
        assertThat(made.status()).as(made.err()).isZero();
    }

    private static Cli make(String remote, String... options) {
        List<String> all = new ArrayList<>(List.of(
                "generate",
                "--remote",
                shared.resolve(remote).toUri().toString(),
                "--tenant",
                TENANT,
                "--layer-size",
                "64KiB",
                "--io-engine",
                "blocking",
                "--temp-dir",
                shared.resolve("temporary").toString()));
        all.addAll(List.of(options));
        return Cli.run(all.toArray(String[]::new));
    }

    @AfterAll
    static void leavesNothingBehind() throws IOException {
        try (Stream<Path> left = Files.list(shared.resolve("temporary"))) {
            assertThat(left).isEmpty();
        }
    }

    @BeforeEach
    void start() throws Exception {
        server = open("remote", 0);
        server.attached().get();
        client = new Client(server.port());
    }

    private RunningServer open(String remoteName, int port) throws Exception {
        return open(remoteName, port, LayerStoreConfig.defaults());
    }

    private RunningServer open(String remoteName, int port, LayerStoreConfig config) throws Exception {
        LayerStore.Remote remote = RemoteAddress.parse(
                        shared.resolve(remoteName).toUri().toString())
                .open(StoreAddress.of(Optional.empty(), Optional.empty(), false, false, 8, Map.of()), false);
        IoEngineConfig engine = IoEngineConfig.defaults()
                .withEngine(EngineKind.BLOCKING)
                .withSwitching()
                .withPool(32, 1 << 16);
        return RunningServer.open(
                new RunningServer.Settings(
                        engine,
                        folder.resolve("data"),
                        remote,
                        config,
                        new ListenAddress("127.0.0.1", port),
                        Optional.empty(),
                        false,
                        7),
                "test");
    }

    @AfterEach
    void stop() {
        server.close();
    }

    private LayerMapInfo map(String query) throws Exception {
        HttpResponse<String> response = client.get(PATH + "/layer" + query);
        assertThat(response.statusCode()).as(response.body()).isEqualTo(200);
        try (JsonParser parser = new JsonFactory().createParser(response.body())) {
            return LayerMapJson.read(parser);
        }
    }

    private List<Path> files() throws IOException {
        Path layers = folder.resolve("data/tenants/" + TENANT + "/timelines/" + TIMELINE);
        try (Stream<Path> files = Files.list(layers)) {
            return files.filter(file -> !file.getFileName().toString().startsWith("."))
                    .toList();
        }
    }

    private HistoricLayerInfo layer(int index) throws Exception {
        return map("").historicLayers().get(index);
    }

    @Test
    void aClientFindsItsTargetsAsItAlwaysDid() throws Exception {
        // Bodies of null and slashes at the end, as existing clients send them.
        HttpResponse<String> tenants = client.send("GET", "/v1/tenant/", "null");
        assertThat(tenants.body())
                .startsWith("[{\"id\":\"" + TENANT + "\",\"state\":{\"slug\":\"Active\"},\"current_physical_size\":0,")
                .contains("\"attachment_status\":{\"slug\":\"attached\"},\"generation\":1}");
        Map<String, Object> tenant = Client.json(client.send("GET", "/v1/tenant/" + TENANT + "/", "null"));
        assertThat(tenant).containsEntry("walredo", null).containsEntry("timelines", List.of(TIMELINE));
        Map<String, Object> timeline = Client.json(client.get(PATH));
        assertThat(timeline)
                .containsEntry("tenant_id", TENANT)
                .containsEntry("timeline_id", TIMELINE)
                .containsEntry("layer_count", LAYERS)
                .containsEntry("resident_layer_count", 0)
                .containsEntry("remote_layer_count", LAYERS);
        assertThat(client.get("/v1/tenant/" + TENANT + "/timeline").body()).contains(TIMELINE);
        assertThat(client.get("/v1/tenant/" + TIMELINE).statusCode()).isEqualTo(404);
        assertThat(client.get("/v1/tenant/" + TENANT + "/timeline/" + TENANT).statusCode())
                .isEqualTo(404);
        assertThat(client.get("/").body()).contains(PATH + "/layer");
    }

    @Test
    void downloadsAndEvictsAndRemembersBoth() throws Exception {
        String path = PATH + "/layer/" + layer(0).name();
        assertThat(map("").historicLayers()).hasSize(LAYERS).allMatch(HistoricLayerInfo::remote);
        assertThat(client.send("DELETE", path, "null").statusCode()).isEqualTo(304);
        Map<String, Object> first = Client.json(client.send("GET", path + "/", "null"));
        assertThat(first).containsEntry("downloaded", true).containsEntry("bytes", (int) layer(0).fileSize());
        assertThat(files()).hasSize(1);
        assertThat(Files.size(files().get(0))).isEqualTo(layer(0).fileSize());
        assertThat(Client.json(client.get(path + "-00000001"))).containsEntry("downloaded", false);
        assertThat(layer(0).remote()).isFalse();
        assertThat(client.send("DELETE", path, "").statusCode()).isEqualTo(200);
        assertThat(files()).isEmpty();
        assertThat(layer(0).remote()).isTrue();
        assertThat(layer(0).accessStats().residenceEvents().toList())
                .extracting(event -> event.status())
                .containsExactly(ResidenceStatus.EVICTED, ResidenceStatus.RESIDENT, ResidenceStatus.EVICTED);
        assertThat(layer(0).accessStats().first()).as("a download is no access").isEmpty();
        assertThat(map("?reset=AllStats")
                        .historicLayers()
                        .get(0)
                        .accessStats()
                        .residenceEvents()
                        .toList())
                .hasSize(3);
        assertThat(layer(0).accessStats().residenceEvents().toList()).isEmpty();
        assertThat(client.get(PATH + "/layer/unknown").statusCode()).isEqualTo(404);
        assertThat(client.send("DELETE", PATH + "/layer/unknown", "").statusCode())
                .isEqualTo(404);
        String metrics = client.get("/metrics").body();
        assertThat(metrics)
                .contains("millrace_ondemand_downloads_total{reason=\"Explicit\",task_kind=\"MgmtRequest\"} 1.0")
                .contains("millrace_evictions_completed_total 1.0")
                .contains("millrace_resident_layers 0.0")
                .contains("millrace_remote_layers " + LAYERS + ".0");
    }

    /** Line by line what the description of the API says of {@code /metrics}; after a download, a second one, and an eviction. */
    @Test
    void showsEveryFigureThatIsPromised() throws Exception {
        String path = PATH + "/layer/" + layer(0).name();
        long bytes = layer(0).fileSize();
        client.get(path);
        client.send("DELETE", path, "");
        client.get(path);
        String cause = "{reason=\"Explicit\",task_kind=\"MgmtRequest\"} ";
        List<String> lines = client.get("/metrics").body().lines().toList();
        assertThat(lines)
                .contains("millrace_resident_bytes " + (double) bytes)
                .anyMatch(line -> line.startsWith("millrace_remote_bytes "))
                .contains("millrace_ondemand_downloads_total" + cause + "2.0")
                .contains("millrace_ondemand_downloaded_bytes_total" + cause + (double) (2 * bytes))
                .contains("millrace_download_waits_total 2.0")
                .anyMatch(line -> line.startsWith("millrace_download_wait_seconds_total "))
                .contains("millrace_evictions_started_total 1.0")
                .contains("millrace_evictions_completed_total 1.0")
                .contains("millrace_evictions_total{reason=\"Explicit\"} 1.0")
                .contains("millrace_evictions_cancelled_total{reason=\"reader_came\"} 0.0")
                .contains("millrace_redownloaded_after_total{seconds=\"60\"} 0.0")
                .contains("millrace_io_seconds_count{op=\"download\"} 2")
                .contains("millrace_io_seconds_count{op=\"unlink\"} 1")
                .contains("millrace_io_seconds_count{op=\"open\"} 0")
                .contains("millrace_io_seconds_count{op=\"read\"} 0")
                .contains("millrace_io_engine{engine=\"blocking\"} 1.0")
                .anyMatch(line -> line.startsWith("libmetrics_launch_timestamp "));
        assertThat(lines.stream()
                        .filter(line -> line.startsWith("millrace_io_seconds_sum"))
                        .map(line -> line.substring(0, line.indexOf(' '))))
                .containsExactlyInAnyOrder(
                        "millrace_io_seconds_sum{op=\"download\"}",
                        "millrace_io_seconds_sum{op=\"unlink\"}",
                        "millrace_io_seconds_sum{op=\"open\"}",
                        "millrace_io_seconds_sum{op=\"read\"}");
        assertThat(lines.stream().filter(line -> line.startsWith("millrace_io_engine{") && line.endsWith(" 1.0")))
                .hasSize(1);
        assertThat(lines.stream().filter(line -> line.contains(TENANT) || line.contains("layer/")))
                .as("labels that grow with what there is")
                .isEmpty();
    }

    @Test
    void anEvictionThatWaitsForReadersGoesOn() throws Exception {
        Layer layer = server.store().timelines().get(0).requireLayer(layer(0).name());
        String path = PATH + "/layer/" + layer.name();
        client.get(path);
        CompletableFuture<EvictionOutcome> end;
        try (ResidentLayer reader = layer.keepResident().orElseThrow()) {
            assertThat(reader.path()).exists();
            assertThat(client.send("DELETE", path + "?timeout=0s", "").statusCode())
                    .isEqualTo(202);
            assertThat(layer(0).remote()).isFalse();
            assertThat(files()).hasSize(1);
            end = layer.evict(EvictionReason.EXPLICIT);
        }
        assertThat(end.get()).isEqualTo(EvictionOutcome.EVICTED);
        assertThat(files()).isEmpty();
        assertThat(client.send("DELETE", path, "").statusCode()).isEqualTo(304);
    }

    @Test
    void saysWhatIsWrongWithTheStoreOrTheDisk() throws Exception {
        String other = "00000000000000000000000000000002";
        assertThat(make("broken", "--layers", "2", "--kind", "blob", "--timeline", other)
                        .status())
                .isZero();
        Files.delete(shared.resolve("broken/tenants/" + TENANT + "/timelines/" + other + "/blob_00000001-00000001"));
        server.close();
        server = open("broken", 0, LayerStoreConfig.defaults().withBounds(1000, 100, 0));
        server.attached().get();
        client = new Client(server.port());
        String layers = "/v1/tenant/" + TENANT + "/timeline/" + other + "/layer/";
        HttpResponse<String> noSpace = client.get(layers + "blob_00000000");
        assertThat(noSpace.statusCode()).isEqualTo(507);
        assertThat(Client.message(noSpace)).contains("65536", "1000");
        server.close();
        server = open("broken", 0);
        server.attached().get();
        client = new Client(server.port());
        assertThat(client.get(layers + "blob_00000000").statusCode()).isEqualTo(200);
        HttpResponse<String> missing = client.get(layers + "blob_00000001");
        assertThat(missing.statusCode()).isEqualTo(502);
        assertThat(Client.message(missing)).contains("blob_00000001");
    }

    @Test
    void fetchesAllAndMakesRoom() throws Exception {
        String bulk = PATH + "/download_remote_layers";
        assertThat(client.get(bulk).statusCode()).isEqualTo(404);
        HttpResponse<String> started = client.send("POST", bulk, "{\"max_concurrent_downloads\":2}");
        assertThat(started.statusCode()).isEqualTo(202);
        server.store()
                .timelines()
                .get(0)
                .lastBulkDownload()
                .orElseThrow()
                .done()
                .get();
        Map<String, Object> status = Client.json(client.get(bulk));
        assertThat(status)
                .containsEntry("task_id", Client.json(started).get("task_id"))
                .containsEntry("state", "Completed")
                .containsEntry("total_layer_count", LAYERS)
                .containsEntry("successful_download_count", LAYERS)
                .containsEntry("failed_download_count", 0);
        assertThat(files()).hasSize(LAYERS);
        long one = layer(0).fileSize();
        Map<String, Object> freed =
                Client.json(client.put("/v1/disk_usage_eviction/run", "{\"evict_bytes\":" + (one + 1) + "}"));
        assertThat(freed).containsEntry("enough", true).containsEntry("evicted_layers", 2);
        assertThat(files()).hasSize(LAYERS - 2);
        Map<String, Object> all =
                Client.json(client.put("/v1/disk_usage_eviction/run", "{\"evict_bytes\":" + 100 * one + "}"));
        assertThat(all).containsEntry("enough", false).containsEntry("evicted_layers", LAYERS - 2);
        assertThat(files()).isEmpty();
    }

    @Test
    void detachesAttachesAndReadsAnew() throws Exception {
        assertThat(client.put(PATH + "/attach", "").statusCode()).isEqualTo(409);
        assertThat(client.put(PATH + "/reload", "null").statusCode()).isEqualTo(200);
        assertThat(client.put(PATH + "/detach", "").body()).isEqualTo("null");
        assertThat(client.get(PATH).statusCode()).isEqualTo(404);
        assertThat(client.put(PATH + "/detach", "").statusCode()).isEqualTo(404);
        assertThat(client.put(PATH + "/reload", "").statusCode()).isEqualTo(404);
        assertThat(Client.json(client.put(PATH + "/attach", ""))).containsEntry("layer_count", LAYERS);
        String none = "/v1/tenant/" + TENANT + "/timeline/" + TENANT + "/attach";
        assertThat(client.put(none, "").statusCode()).isEqualTo(404);
    }

    @Test
    void saysHowItIsAndSwitchesWhileItRuns() throws Exception {
        assertThat(Client.json(client.get("/v1/status")))
                .containsEntry("id", 7)
                .containsEntry("phase", "ready")
                .containsEntry("engine", "blocking");
        assertThat(client.put("/v1/io_engine", "\"epoll\"").body()).isEqualTo("null");
        assertThat(Client.json(client.get("/v1/io_engine"))).containsEntry("engine", "epoll");
        assertThat(client.put("/v1/io_mode", "\"buffered\"").body()).isEqualTo("null");
        assertThat(Client.json(client.get("/v1/io_mode"))).containsEntry("io_mode", "buffered");
        assertThat(Client.json(client.get(PATH + "/layer/" + layer(1).name()))).containsEntry("downloaded", true);
    }

    @Test
    void statisticsAndTheLaunchTimeBeginAnewWithTheServer() throws Exception {
        String path = PATH + "/layer/" + layer(0).name();
        client.get(path);
        HttpResponse<String> before = client.get("/v1/status");
        assertThat(layer(0).accessStats().residenceEvents().toList()).hasSize(2);
        server.close();
        start();
        HttpResponse<String> after = client.get("/v1/status");
        String header = "PAGESERVER_LAUNCH_TIMESTAMP";
        assertThat(after.headers().firstValue(header))
                .isPresent()
                .isNotEqualTo(before.headers().firstValue(header));
        assertThat(layer(0).remote()).isFalse();
        assertThat(layer(0).accessStats().residenceEvents().toList()).hasSize(1);
    }

    @Test
    void whoComesSecondHearsWhoWasFirst() throws Exception {
        assertThatThrownBy(() -> open("remote", 0))
                .isInstanceOf(IOException.class)
                .hasMessageContaining(folder.resolve("data").toString())
                .hasMessageContaining(Long.toString(ProcessHandle.current().pid()));
        Cli taken = Cli.run(
                "serve",
                "--data",
                folder.resolve("other").toString(),
                "--remote",
                shared.resolve("remote").toUri().toString(),
                "--io-engine",
                "blocking",
                "--listen",
                "127.0.0.1:" + server.port());
        assertThat(taken.status()).isEqualTo(1);
        assertThat(taken.err()).contains("cannot listen on 127.0.0.1:" + server.port());
    }

    @Test
    void refusesCommandLinesThatCannotBe() {
        String remote = shared.resolve("remote").toUri().toString();
        String data = folder.resolve("other").toString();
        Map<List<String>, String> wrong = Map.of(
                List.of("--remote", remote, "--listen", "0.0.0.0:0"), "--token-file",
                List.of("--remote", remote, "--listen", "9898"), "HOST:PORT",
                List.of("--remote", remote, "--listen", "a:b:1"), "HOST:PORT",
                List.of("--remote", "http://x"), "s3://bucket/prefix",
                List.of("--remote", remote + "nowhere"), "no folder",
                List.of("--remote", remote, "--token-file", data + "/tokens"), "does not exist",
                List.of("--remote", remote, "--max-resident-bytes", "many"), "no number of bytes",
                List.of("--remote", remote, "--max-usage-pct", "101"), "101",
                List.of("--remote", remote, "--generation", "-1"), "--generation",
                List.of("--remote", remote, "--io-engine", "aio"), "aio");
        wrong.forEach((options, message) -> {
            List<String> all = new ArrayList<>(List.of("serve", "--data", data));
            all.addAll(options);
            Cli refused = Cli.run(all.toArray(String[]::new));
            assertThat(refused.status()).as(refused.err()).isIn(1, 2);
            assertThat(refused.err()).contains(message).hasLineCount(1);
        });
        assertThat(Files.exists(folder.resolve("other"))).isFalse();
    }

    @Test
    void generatesTheSameFromTheSame() throws Exception {
        String other = "00000000000000000000000000000001";
        Cli first = make("others", "--layers", "3", "--kind", "blob", "--timeline", other, "--seed", "5");
        assertThat(first.status()).as(first.err()).isZero();
        Path blob = shared.resolve("others/tenants/" + TENANT + "/timelines/" + other + "/blob_00000001-00000001");
        byte[] bytes = Files.readAllBytes(blob);
        assertThat(bytes).hasSize(64 << 10);
        assertThat(make("others", "--layers", "3", "--kind", "blob", "--timeline", other, "--seed", "5")
                        .status())
                .isZero();
        assertThat(Files.readAllBytes(blob)).isEqualTo(bytes);
        Cli refused = make("others", "--layers", "4", "--kind", "blob", "--timeline", other, "--seed", "5");
        assertThat(refused.status()).isEqualTo(1);
        assertThat(refused.err()).contains("other layers");
        assertThat(make("others", "--layers", "0", "--timeline", other).err()).contains("0 layers");
        assertThat(make("others", "--layers", "1", "--timeline", "x").err()).contains("32 lower-case hex digits");
        assertThat(make("others", "--layers", "1", "--timeline", other, "--kind", "lob")
                        .err())
                .contains("lob");
        server.close();
        server = open("others", 0);
        server.attached().get();
        client = new Client(server.port());
        assertThat(client.get("/v1/tenant/" + TENANT + "/timeline/" + other + "/layer")
                        .body())
                .contains("\"blob_layers\":[{\"layer_file_name\":\"blob_00000000\"");
    }

    @Test
    void answersWhatTheDocumentSays() throws Exception {
        fuzz(300, 1);
    }

    @Test
    @Tag("slow")
    void answersWhatTheDocumentSaysTwentyThousandTimes() throws Exception {
        fuzz(20_000, 2);
    }

    private void fuzz(int count, long seed) throws Exception {
        Map<String, List<String>> known = Map.of(
                "tenant_id", List.of(TENANT),
                "timeline_id", List.of(TIMELINE),
                "layer_file_name", List.of(layer(0).name().toString(), layer(1).name() + "-00000001"));
        RandomRequestsTest.check(client, new RandomRequests(OpenApi.served(), known, seed), count);
        try (Stream<Path> top = Files.list(folder)) {
            assertThat(top).containsExactly(folder.resolve("data"));
        }
        try (Stream<Path> all = Files.walk(folder.resolve("data/tenants"))) {
            assertThat(all.filter(Files::isDirectory)
                            .map(path -> path.getFileName().toString()))
                    .isSubsetOf("tenants", TENANT, "timelines", TIMELINE);
        }
    }
}
