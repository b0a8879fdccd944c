// SPDX-License-Identifier: Apache-2.0
package dev.millrace.server.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.millrace.server.http.LayerService.Evicted;
import java.io.IOException;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What of the API is HTTP, over a store that does as it is told. */
class ManagementServerTest {
    private static final LaunchTime LAUNCH = new LaunchTime(Instant.parse("2026-11-24T15:46:26.123456789Z"));

    private final FakeService service = new FakeService();
    private ManagementServer server;
    private Client client;

    @BeforeEach
    void start() throws IOException {
        server = ManagementServer.open(config(Optional.empty(), false), service, service, registry -> {});
        client = new Client(server.port());
    }

    @AfterEach
    void stop() {
        server.close();
    }

    static ManagementServer.Config config(Optional<Tokens> tokens, boolean openProbes) {
        return new ManagementServer.Config("127.0.0.1", 0, tokens, openProbes, LAUNCH, new ServerIdentity(7, "1.2.3"));
    }

    @Test
    void everyResponseCarriesTheLaunchTimeAndAnId() throws Exception {
        List<HttpResponse<String>> responses = new ArrayList<>();
        responses.add(client.get("/v1/status"));
        responses.add(client.get("/nowhere"));
        responses.add(client.get("/v1/tenant/nonsense"));
        responses.add(client.send("PATCH", "/v1/tenant", ""));
        responses.add(client.get(Client.layers()));
        service.refuse(new ApiException(503, "not yet", Optional.of(Duration.ofSeconds(3))));
        responses.add(client.get(Client.timeline()));
        assertThat(responses).extracting(HttpResponse::statusCode).containsExactly(200, 404, 400, 405, 200, 503);
        for (HttpResponse<String> response : responses) {
            assertThat(response.headers().firstValue("PAGESERVER_LAUNCH_TIMESTAMP"))
                    .contains("2026-11-24 15:46:26.123456789 UTC");
            assertThat(response.headers().firstValue("Millrace-Launch-Timestamp"))
                    .contains("2026-11-24T15:46:26.123456789Z");
            assertThat(response.headers().firstValue("x-request-id").orElse("")).isNotEmpty();
        }
    }

    @Test
    void echoesAnIdThatCanBeEchoed() throws Exception {
        assertThat(client.get("/v1/status", "x-request-id", "abc-1").headers().firstValue("x-request-id"))
                .contains("abc-1");
        assertThat(client.get("/v1/status", "x-request-id", "a".repeat(500))
                        .headers()
                        .firstValue("x-request-id"))
                .isPresent()
                .get()
                .asString()
                .hasSizeLessThan(100);
    }

    @Test
    void whatIsNoHttpIsAnsweredAsEverythingElse() throws Exception {
        for (String bytes : List.of(
                "NONSENSE\r\n\r\n",
                "GET /v1/../../etc/passwd HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
                "GET /v1/tenant/%2e%2e%2fx HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
                "GET / HTTP/1.1\r\nHost: a\r\nX: " + "y".repeat(40_000) + "\r\n\r\n")) {
            String answer = client.raw(bytes);
            assertThat(answer)
                    .as(bytes.substring(0, 10))
                    .startsWith("HTTP/1.1 4")
                    .contains("{\"msg\":\"");
            assertThat(answer)
                    .contains("PAGESERVER_LAUNCH_TIMESTAMP: 2026-11-24 15:46:26.123456789 UTC")
                    .contains("Millrace-Launch-Timestamp: ")
                    .contains("x-request-id: ")
                    .doesNotContain("Jetty");
        }
        assertThat(service.asked).isEmpty();
    }

    @Test
    void parsesPathsIntoIdsBeforeAnythingElse() throws Exception {
        String upper = "/v1/tenant/" + FakeService.TENANT.toString().toUpperCase(Locale.ROOT);
        assertThat(client.get(upper).statusCode()).isEqualTo(400);
        assertThat(Client.message(client.get(upper))).contains("tenant_id").contains("32 lower-case hex digits");
        for (String name :
                List.of("..", "a.b", "%00", "a%2Fb", "first-0000000", "0__1", "%C3%A4", "x__", "-00000001")) {
            HttpResponse<String> response = client.send("DELETE", Client.layers() + "/" + name, "");
            assertThat(response.statusCode()).as(name).isIn(400, 404, 405);
        }
        assertThat(service.asked).allSatisfy(call -> assertThat(call).doesNotContain("/", ".."));
        assertThat(client.get(Client.layers() + "/first-00000001").statusCode()).isEqualTo(200);
        assertThat(client.get(Client.layers() + "/first-v1-00000001").statusCode())
                .isEqualTo(200);
        assertThat(service.asked).containsSubsequence("download first", "download first");
    }

    @Test
    void slashesAtTheEndAndUnknownParametersMakeNoDifference() throws Exception {
        for (String path : List.of("/v1/status", "/v1/tenant", Client.timeline(), Client.layers(), "/metrics")) {
            assertThat(client.get(path + "/").statusCode()).as(path).isEqualTo(200);
            assertThat(client.get(path + "?nobody=knows&x").statusCode())
                    .as(path)
                    .isEqualTo(200);
        }
    }

    @Test
    void ignoresBodiesThatMeanNothing() throws Exception {
        assertThat(client.send("GET", "/v1/tenant", "null").statusCode()).isEqualTo(200);
        assertThat(client.send("DELETE", Client.layers() + "/first", "null").statusCode())
                .isEqualTo(200);
        // On one connection: the body must not be taken for the next request.
        String two = "DELETE " + Client.layers() + "/first HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nnull"
                + "GET /v1/tenant HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nConnection: close\r\n\r\nnull";
        String answers = client.raw(two);
        assertThat(answers.split("HTTP/1.1 200", -1)).hasSize(3);
    }

    @Test
    void readsBodiesOfWhatItRefusesSoThatTheNextRequestIsOne() throws Exception {
        String body = "Content-Length: 60000\r\n\r\n" + "x".repeat(60_000);
        String two = "PUT /v1/nowhere HTTP/1.1\r\nHost: a\r\n" + body
                + "PUT /v1/tenant/x/timeline/y/attach HTTP/1.1\r\nHost: a\r\n" + body
                + "POST /v1/tenant HTTP/1.1\r\nHost: a\r\n" + body
                + "GET /v1/tenant HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
        String answers = client.raw(two);
        assertThat(answers).containsSubsequence("HTTP/1.1 404", "HTTP/1.1 400", "HTTP/1.1 405", "HTTP/1.1 200");
        String broken = "PUT /v1/io_mode HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nnonsense\r\n";
        assertThat(client.raw(broken)).startsWith("HTTP/1.1 400").contains("{\"msg\":\"");
    }

    @Test
    void refusesBodiesThatAreTooLarge() throws Exception {
        String large = "\"" + "x".repeat(Router.MAX_BODY) + "\"";
        assertThat(client.put("/v1/io_engine", large).statusCode()).isEqualTo(413);
        assertThat(client.send("DELETE", Client.layers() + "/first", large).statusCode())
                .isEqualTo(413);
        String head =
                "PUT /v1/io_engine HTTP/1.1\r\nHost: a\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n";
        assertThat(client.raw(head + "100001\r\n" + "x".repeat(0x100001) + "\r\n0\r\n\r\n"))
                .startsWith("HTTP/1.1 413");
        assertThat(service.asked).isEmpty();
    }

    @Test
    void refusesWhatItDoesNotKnowByName() throws Exception {
        assertThat(Client.message(client.get(Client.layers() + "?reset=Everything")))
                .contains("reset", "Everything");
        assertThat(Client.message(client.send("DELETE", Client.layers() + "/first?timeout=1h", "")))
                .contains("timeout", "1h");
        assertThat(Client.message(client.send("DELETE", Client.layers() + "/first?timeout=121s", "")))
                .contains("120s");
        assertThat(Client.message(client.put("/v1/io_engine", "\"aio\""))).contains("aio", "io_uring");
        assertThat(Client.message(client.put("/v1/io_mode", "\"mmap\""))).contains("mmap", "direct-rw");
        assertThat(Client.message(client.put("/v1/io_mode", "{\"a\":1}"))).contains("no JSON string");
        assertThat(Client.message(client.put("/v1/io_mode", "\"direct\" x"))).contains("JSON");
        assertThat(Client.message(client.put("/v1/io_mode", ""))).contains("empty");
        String bulk = Client.timeline() + "/download_remote_layers";
        assertThat(Client.message(client.send("POST", bulk, "{\"max_concurrent_downloads\":1,\"other\":2}")))
                .contains("'other'");
        for (String number : List.of("0", "-1", "1.5", "\"1\"", "null", "99999999999999999999", "true")) {
            HttpResponse<String> response = client.send("POST", bulk, "{\"max_concurrent_downloads\":" + number + "}");
            assertThat(response.statusCode()).as(number).isEqualTo(400);
            assertThat(Client.message(response)).contains("max_concurrent_downloads");
        }
        assertThat(client.send("POST", bulk, "{\"max_concurrent_downloads\":1,\"max_concurrent_downloads\":2}")
                        .statusCode())
                .isEqualTo(400);
        assertThat(service.asked).isEmpty();
    }

    @Test
    void tellsWhichMethodsAPathHas() throws Exception {
        HttpResponse<String> response = client.send("POST", Client.layers() + "/first", "");
        assertThat(response.statusCode()).isEqualTo(405);
        assertThat(response.headers().firstValue("Allow")).contains("DELETE, GET");
        assertThat(Client.message(client.get("/v2/tenant"))).contains("GET /v2/tenant", "/openapi.json");
    }

    @Test
    void evictionsHaveTheirStatuses() throws Exception {
        assertThat(client.send("DELETE", Client.layers() + "/first", "").statusCode())
                .isEqualTo(200);
        service.evictAs(Evicted.WAITING);
        assertThat(client.send("DELETE", Client.layers() + "/first?timeout=250ms", "")
                        .statusCode())
                .isEqualTo(202);
        service.evictAs(Evicted.NOT_DONE);
        HttpResponse<String> nothing = client.send("DELETE", Client.layers() + "/first?timeout=7", "");
        assertThat(nothing.statusCode()).isEqualTo(304);
        assertThat(nothing.body()).isEmpty();
        assertThat(client.send("DELETE", Client.layers() + "/third", "").statusCode())
                .isEqualTo(404);
        assertThat(service.asked)
                .containsExactly("evict first PT2M", "evict first PT0.25S", "evict first PT7S", "evict third PT2M");
    }

    @Test
    void manyWaitForDownloadsWithoutAThreadEach() throws Exception {
        CompletableFuture<Void> hold = new CompletableFuture<>();
        service.holdBy(hold);
        List<CompletableFuture<HttpResponse<String>>> waiting = new ArrayList<>();
        for (int i = 0; i < 100; i++) {
            waiting.add(client.http()
                    .sendAsync(client.request("GET", Client.layers() + "/second", ""), BodyHandlers.ofString()));
        }
        while (service.asked.size() < waiting.size()) {
            assertThat(client.get("/v1/status").statusCode()).isEqualTo(200);
        }
        assertThat(waiting).noneMatch(CompletableFuture::isDone);
        hold.complete(null);
        for (CompletableFuture<HttpResponse<String>> answer : waiting) {
            assertThat(Client.json(answer.join())).isEqualTo(Map.of("downloaded", true, "bytes", 1000));
        }
    }

    @Test
    void saysWhenToAskAgain() throws Exception {
        service.refuse(new ApiException(503, "timeline is being attached", Optional.of(Duration.ofMillis(2100))));
        HttpResponse<String> response = client.get(Client.layers() + "/second");
        assertThat(response.statusCode()).isEqualTo(503);
        assertThat(response.headers().firstValue("Retry-After")).contains("3");
        assertThat(Client.message(response)).isEqualTo("timeline is being attached");
    }

    @Test
    void switchesAnswerWithExactlyNull() throws Exception {
        assertThat(client.put("/v1/io_engine", "\"std-fs\"").body()).isEqualTo("null");
        assertThat(Client.json(client.get("/v1/io_engine")))
                .containsEntry("engine", "blocking")
                .containsKey("reasons");
        assertThat(client.put("/v1/io_engine", "\"epoll\"").body()).isEqualTo("null");
        HttpResponse<String> refused = client.put("/v1/io_engine", "\"tokio-epoll-uring\"");
        assertThat(refused.statusCode()).isEqualTo(409);
        assertThat(Client.message(refused)).contains("EPERM");
        assertThat(client.put("/v1/io_mode/", "\"direct-rw\"").body()).isEqualTo("null");
        assertThat(Client.json(client.get("/v1/io_mode"))).isEqualTo(Map.of("io_mode", "direct-rw"));
    }

    @Test
    void metricsSayWhichEngineRunsAndWhenTheProcessStarted() throws Exception {
        String metrics = client.get("/metrics").body();
        assertThat(metrics)
                .contains("millrace_io_engine{engine=\"epoll\"} 1.0")
                .contains("millrace_io_engine{engine=\"io_uring\"} 0.0")
                .contains("millrace_io_engine{engine=\"blocking\"} 0.0")
                .containsPattern("libmetrics_launch_timestamp 1\\.795\\d*E12")
                .contains("process_cpu_seconds_total ")
                .contains("process_resident_memory_bytes ");
    }

    @Test
    void bulkDownloadsHaveTheirStatuses() throws Exception {
        String bulk = Client.timeline() + "/download_remote_layers";
        assertThat(client.get(bulk).statusCode()).isEqualTo(404);
        HttpResponse<String> first = client.send("POST", bulk, "{\"max_concurrent_downloads\":3}");
        HttpResponse<String> second = client.send("POST", bulk, "{\"max_concurrent_downloads\":3}");
        assertThat(List.of(first.statusCode(), second.statusCode())).containsExactly(202, 409);
        assertThat(Client.json(first)).isEqualTo(Client.json(second)).isEqualTo(Client.json(client.get(bulk)));
        assertThat(Client.json(first).keySet())
                .containsExactly(
                        "task_id", "state", "total_layer_count", "successful_download_count", "failed_download_count");
    }

    @Test
    void aTakenPortIsASentence() {
        ManagementServer.Config taken = new ManagementServer.Config(
                "127.0.0.1", server.port(), Optional.empty(), false, LAUNCH, new ServerIdentity(1, "1"));
        assertThatThrownBy(() -> ManagementServer.open(taken, service, service, registry -> {}))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("cannot listen on 127.0.0.1:" + server.port())
                .hasMessageContaining("--listen");
    }

    @Test
    void thePageLinksWhatThereIs() throws Exception {
        HttpResponse<String> page = client.get("/");
        assertThat(page.headers().firstValue("Content-Type").orElse("")).startsWith("text/html");
        assertThat(page.body()).contains("href=\"" + Client.layers() + "\"", "href=\"/openapi.json\"");
    }
}
