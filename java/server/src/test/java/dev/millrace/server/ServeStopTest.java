// SPDX-License-Identifier: Apache-2.0
package dev.millrace.server;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millrace.io.EngineKind;
import dev.millrace.io.IoEngineConfig;
import dev.millrace.layers.LayerName;
import dev.millrace.layers.store.LayerStore;
import dev.millrace.layers.store.LayerStoreConfig;
import dev.millrace.layers.store.ResidentLayer;
import dev.millrace.layers.store.StoreMetrics;
import dev.millrace.layers.store.Timeline;
import dev.millrace.server.http.Client;
import dev.millrace.testkit.EmbeddedS3;
import dev.millrace.testkit.Fault;
import dev.millrace.testkit.FaultProxy;
import java.io.IOException;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A server that is told to stop while the store hangs in the middle of layers, as at SIGTERM. */
@Timeout(120)
class ServeStopTest {
    private static final String TENANT = "0123456789abcdef0123456789abcdef";
    private static final String TIMELINE = "fedcba9876543210fedcba9876543210";
    private static final String PLACE = "tenants/" + TENANT + "/timelines/" + TIMELINE;
    private static final String LAYERS = "/v1/tenant/" + TENANT + "/timeline/" + TIMELINE + "/layer/";
    /** The first is resident, the others hang. */
    private static final int COUNT = 5;

    private static final int READERS = 3;
    private static final int SIZE = 256 << 10;
    /** In the middle of a layer. */
    private static final int STALL_AT = 100_000;

    /** What the end of a server may take. */
    private static final long STOP_SECONDS = 5;

    @TempDir
    Path folder;

    private EmbeddedS3 s3;
    private FaultProxy proxy;

    @BeforeEach
    void generate() throws IOException {
        s3 = EmbeddedS3.start();
        System.setProperty("aws.accessKeyId", s3.accessKey());
        System.setProperty("aws.secretAccessKey", s3.secretKey());
        System.setProperty("aws.region", s3.region());
        s3.createBucket("bucket");
        proxy = FaultProxy.before(s3);
        Cli made = Cli.run(
                "generate",
                "--remote",
                "s3://bucket/prefix",
                "--endpoint-url",
                s3.endpoint().toString(),
                "--path-style",
                "--tenant",
                TENANT,
                "--timeline",
                TIMELINE,
                "--layers",
                Integer.toString(COUNT),
                "--layer-size",
                "256KiB",
                "--kind",
                "blob",
                "--io-engine",
                "blocking",
                "--temp-dir",
                folder.resolve("made").toString());
        assertThat(made.status()).as(made.err()).isZero();
    }

    @AfterEach
    void stop() throws IOException {
        System.clearProperty("aws.accessKeyId");
        System.clearProperty("aws.secretAccessKey");
        System.clearProperty("aws.region");
        proxy.close();
        s3.close();
    }

    private RunningServer open() throws Exception {
        LayerStore.Remote remote = RemoteAddress.parse("s3://bucket/prefix")
                .open(
                        StoreAddress.of(
                                Optional.of(proxy.endpoint().toString()), Optional.empty(), true, false, 32, Map.of()),
                        false);
        RunningServer server = RunningServer.open(
                new RunningServer.Settings(
                        IoEngineConfig.defaults()
                                .withEngine(EngineKind.BLOCKING)
                                .withPool(32, 1 << 16),
                        folder.resolve("data"),
                        remote,
                        LayerStoreConfig.defaults(),
                        new ListenAddress("127.0.0.1", 0),
                        Optional.empty(),
                        false,
                        7),
                "test");
        server.attached().get(60, TimeUnit.SECONDS);
        return server;
    }

    private static String name(int layer) {
        return "blob_0000000" + layer;
    }

    /** Of whatever lies among the layers. */
    private List<Path> files() throws IOException {
        try (Stream<Path> all = Files.walk(folder.resolve("data/" + PLACE))) {
            return all.filter(Files::isRegularFile).sorted().toList();
        }
    }

    private static Set<Thread> threads() {
        Set<Thread> all = new HashSet<>(Thread.getAllStackTraces().keySet());
        all.removeIf(thread -> !thread.getName().startsWith("millrace"));
        return all;
    }

    private static void until(BooleanSupplier holds) throws InterruptedException {
        while (!holds.getAsBoolean()) { // the limit is that of the test
            TimeUnit.MILLISECONDS.sleep(5);
        }
    }

    private static CompletableFuture<HttpResponse<String>> ask(Client client, String method, String path) {
        return client.http().sendAsync(client.request(method, path, ""), BodyHandlers.ofString());
    }

    @Test
    void answersWhoWaitsAndLeavesNothingBehindWhenItStopsInTheMiddleOfDownloads() throws Exception {
        Set<Thread> before = threads();
        RunningServer server = open();
        List<CompletableFuture<HttpResponse<String>>> waiting = new ArrayList<>();
        try {
            Client client = new Client(server.port());
            assertThat(client.get(LAYERS + name(0)).statusCode()).isEqualTo(200);
            proxy.on(request -> request.decodedPath().contains("/blob_"))
                    .then(new Fault.StallAfter(STALL_AT, Duration.ofMinutes(5)));
            for (int layer = 1; layer < COUNT; layer++) {
                for (int reader = 0; reader < READERS; reader++) {
                    waiting.add(ask(client, "GET", LAYERS + name(layer)));
                }
            }
            Timeline timeline = server.store().timelines().get(0);
            try (ResidentLayer reader = timeline.requireLayer(LayerName.parse(name(0)))
                    .keepResident()
                    .orElseThrow()) {
                assertThat(reader.size()).isEqualTo(SIZE);
                waiting.add(ask(client, "DELETE", LAYERS + name(0)));
                until(() -> allWait(server.store().metrics()));
                until(this::allAreInTheMiddle);
                assertThat(waiting).noneMatch(CompletableFuture::isDone);
                CompletableFuture.runAsync(server::close).get(STOP_SECONDS, TimeUnit.SECONDS);
            }
        } finally {
            server.close();
        }
        assertThat(waiting).hasSize((COUNT - 1) * READERS + 1);
        for (CompletableFuture<HttpResponse<String>> answer : waiting) {
            HttpResponse<String> response = answer.get(60, TimeUnit.SECONDS);
            assertThat(response.statusCode()).as(response.body()).isEqualTo(503);
            assertThat(Client.message(response)).startsWith("shutting down: ");
        }
        Path complete = folder.resolve("data/" + PLACE + "/" + name(0) + "-00000001");
        assertThat(files()).containsExactly(complete);
        assertThat(Files.readAllBytes(complete))
                .isEqualTo(s3.client()
                        .getObjectAsBytes(
                                get -> get.bucket("bucket").key("prefix/" + PLACE + "/" + complete.getFileName()))
                        .asByteArray());
        until(() -> before.containsAll(threads()));

        proxy.clearRules();
        try (RunningServer next = open()) {
            Client client = new Client(next.port());
            assertThat(next.store().metrics().residentLayers()).isEqualTo(1);
            for (int layer = 0; layer < COUNT; layer++) {
                assertThat(Client.json(client.get(LAYERS + name(layer)))).containsEntry("downloaded", layer > 0);
            }
            assertThat(files()).hasSize(COUNT).allMatch(file -> file.toFile().length() == SIZE);
        }
    }

    /** One for the layer that is resident now, and the eviction of it. */
    private static boolean allWait(StoreMetrics metrics) {
        return metrics.waits() == 1 + (COUNT - 1) * READERS && metrics.evictionsStarted() == 1;
    }

    /** Something of each is here, and nothing under its name. */
    private boolean allAreInTheMiddle() {
        try {
            return files().size() == COUNT
                    && proxy.requests(request -> request.decodedPath().contains("/blob_"))
                                    .size()
                            >= COUNT;
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }
}
