// SPDX-License-Identifier: Apache-2.0
package dev.millrace.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Each fault shows its effect, on the scripted server; the proxy has the same code and a test of its own. */
final class FaultTest {
    private static final Content CONTENT = Content.pattern(9, 100_000);
    private static final byte[] BYTES = CONTENT.toBytes();

    private ScriptedServer server;
    private RawHttp raw;

    @BeforeEach
    void start() throws IOException {
        server = ScriptedServer.start().put("b", "k", CONTENT);
        raw = new RawHttp(server.endpoint());
    }

    @AfterEach
    void close() throws IOException {
        raw.close();
        server.close();
    }

    private HttpWire.Head get(String... headers) throws IOException {
        return raw.send("GET /b/k", headers).head();
    }

    @Test
    void withoutRulesAllGoesWellAndTheConnectionIsKept() throws IOException {
        for (int i = 0; i < 3; i++) {
            HttpWire.Head head = get();
            assertThat(head.startLine()).isEqualTo("HTTP/1.1 200 OK");
            assertThat(raw.body(head)).isEqualTo(BYTES);
        }
        assertThat(server.connectionCount()).isEqualTo(1);
        assertThat(server.requestCount()).isEqualTo(3);
    }

    @Test
    void resetsBeforeTheHead() throws IOException {
        server.onAny().then(new Fault.ResetBeforeHead());
        assertThat(raw.send("GET /b/k").untilEnd()).isEqualTo("0 reset");
    }

    @Test
    void closesBeforeTheHead() throws IOException {
        server.onAny().then(new Fault.CloseBeforeHead());
        assertThat(raw.send("GET /b/k").untilEnd()).isEqualTo("0 closed");
    }

    @Test
    void resetsInTheBody() throws IOException {
        server.onAny().then(new Fault.ResetAfter(5000));
        get();
        assertThat(raw.untilEnd()).isEqualTo("5000 reset");
    }

    @Test
    void resetsBeforeTheFirstByte() throws IOException {
        server.onAny().then(Fault.resetAfterHead());
        assertThat(get().startLine()).contains("200");
        assertThat(raw.untilEnd()).isEqualTo("0 reset");
    }

    @Test
    void closesInTheBody() throws IOException {
        server.onAny().then(new Fault.CloseAfter(99_999));
        assertThat(get().headers().first("Content-Length")).hasValue("100000");
        assertThat(raw.untilEnd()).isEqualTo("99999 closed");
    }

    @Test
    void closesAChunkedBodyBeforeItsEndIsSaid() throws IOException {
        server.onAny().then(new Fault.ChunkedBody(1000), new Fault.CloseAfter(100_000));
        HttpWire.Head head = get();
        assertThatThrownBy(() -> raw.body(head)).hasMessageContaining("cut off");
    }

    @Test
    void resetsAfterTheLastByte() throws IOException {
        server.onAny().then(new Fault.ResetAfterBody());
        assertThat(raw.body(get())).isEqualTo(BYTES);
        assertThat(raw.untilEnd()).isEqualTo("0 reset");
    }

    @Test
    void closesTheIdleConnectionUnannounced() throws IOException {
        server.onAny().then(new Fault.CloseIdle());
        HttpWire.Head head = get();
        assertThat(raw.body(head)).isEqualTo(BYTES);
        assertThat(head.headers().has("Connection")).isFalse();
        assertThat(raw.untilEnd()).isEqualTo("0 closed");
    }

    @Test
    void sendsMoreThanItSaid() throws IOException {
        server.onAny().then(new Fault.ExtraBytes(70_000));
        assertThat(raw.body(get())).isEqualTo(BYTES);
        assertThat(raw.in.readNBytes(70_000)).hasSize(70_000).containsOnly('x');
        assertThat(raw.body(get())).isEqualTo(BYTES);
    }

    @Test
    void stallsInTheBodyAndGoesOn() throws IOException {
        server.onAny().then(new Fault.StallAfter(10, Duration.ofMillis(800)));
        long start = System.nanoTime();
        HttpWire.Head head = get();
        raw.in.readNBytes(10);
        assertThat(raw.in.readNBytes(BYTES.length - 10)).isEqualTo(Arrays.copyOfRange(BYTES, 10, BYTES.length));
        assertThat(System.nanoTime() - start)
                .isGreaterThan(Duration.ofMillis(790).toNanos());
        assertThat(head.headers().first("Content-Length")).hasValue("100000");
    }

    @Test
    void sendsWhatComesBeforeAStall() throws IOException {
        server.onAny().then(new Fault.StallAfter(10, Duration.ofHours(1)));
        get();
        assertThat(raw.in.readNBytes(10)).isEqualTo(Arrays.copyOf(BYTES, 10));
    }

    @Test
    void holdsInTheBodyUntilItIsReleased() throws IOException {
        server.onAny().then(new Fault.HoldAfter(10));
        get();
        assertThat(raw.in.readNBytes(10)).isEqualTo(Arrays.copyOf(BYTES, 10));
        raw.expectSilence(Duration.ofMillis(50));
        server.release();
        assertThat(raw.in.readNBytes(BYTES.length - 10)).isEqualTo(Arrays.copyOfRange(BYTES, 10, BYTES.length));
        server.release(); // before it is held
        assertThat(raw.body(get())).isEqualTo(BYTES);
    }

    @Test
    void stallsBeforeTheHead() throws IOException {
        server.onAny().then(new Fault.StallBeforeHead(Duration.ofMillis(200)));
        long start = System.nanoTime();
        assertThat(raw.body(get())).isEqualTo(BYTES);
        assertThat(System.nanoTime() - start)
                .isGreaterThan(Duration.ofMillis(190).toNanos());
    }

    @Test
    void trickles() throws IOException {
        server.onAny().then(new Fault.Trickle(10_000, Duration.ofMillis(20)));
        long start = System.nanoTime();
        assertThat(raw.body(get())).isEqualTo(BYTES);
        assertThat(System.nanoTime() - start)
                .isGreaterThan(Duration.ofMillis(180).toNanos());
    }

    @Test
    void standsStillWhileStopped() throws Exception {
        server.stop();
        raw.send("GET /b/k");
        assertThat(server.awaitRequests(1, Duration.ofMillis(200))).isFalse();
        assertThat(raw.in.available()).isZero();
        server.resume();
        assertThat(raw.body(raw.head())).isEqualTo(BYTES);
    }

    @Test
    void dropsIdleConnectionsOnly() throws Exception {
        assertThat(raw.body(get())).isEqualTo(BYTES);
        server.on(r -> r.method().equals("GET")).then(new Fault.StallAfter(1, Duration.ofSeconds(30)));
        try (RawHttp busy = new RawHttp(server.endpoint())) {
            busy.send("GET /b/k");
            assertThat(server.awaitRequests(2, Duration.ofSeconds(5))).isTrue();
            long deadline = System.nanoTime() + Duration.ofSeconds(5).toNanos();
            int dropped = 0;
            while (dropped == 0 && System.nanoTime() < deadline) {
                dropped = server.dropIdleConnections();
            }
            assertThat(dropped).isEqualTo(1);
            assertThat(raw.untilEnd()).isEqualTo("0 closed");
            assertThat(busy.head().startLine()).contains("200");
        }
    }

    @Test
    void answersCannedErrors() throws IOException {
        server.onAny()
                .inTurn(
                        Fault.slowDown(),
                        Fault.tooManyRequests(Duration.ofSeconds(7)),
                        Fault.noSuchKey(),
                        Fault.forbidden("ExpiredToken"),
                        Fault.preconditionFailed());
        for (String expected : List.of("503 SlowDown", "429 TooManyRequests", "404 NoSuchKey", "403 ExpiredToken")) {
            HttpWire.Head head = get();
            assertThat(head.word(1)).isEqualTo(expected.substring(0, 3));
            assertThat(new String(raw.body(head), StandardCharsets.UTF_8))
                    .contains("<Code>" + expected.substring(4) + "</Code>");
            if (expected.startsWith("429")) {
                assertThat(head.headers().first("retry-after")).hasValue("7");
            }
        }
        raw.body(get());
        assertThat(raw.body(get())).isEqualTo(BYTES);
    }

    @Test
    void sendsAnErrorOfTheMissingLengthInPlaceOfARange() throws IOException {
        server.onAny().then(new Fault.ErrorBody("InternalError"));
        HttpWire.Head head = get("Range: bytes=1000-1999");
        assertThat(head.word(1)).isEqualTo("206");
        assertThat(head.headers().first("Content-Range")).hasValue("bytes 1000-1999/100000");
        assertThat(new String(raw.body(head), StandardCharsets.UTF_8))
                .hasSize(1000)
                .startsWith("<?xml")
                .contains("<Code>InternalError</Code>");
    }

    @Test
    void ignoresTheRange() throws IOException {
        server.onAny().then(new Fault.IgnoreRange());
        HttpWire.Head head = get("Range: bytes=10-19");
        assertThat(head.word(1)).isEqualTo("200");
        assertThat(raw.body(head)).isEqualTo(BYTES);
    }

    @Test
    void answersAnotherRange() throws IOException {
        server.onAny()
                .inTurn(
                        new Fault.OtherRange(5, OptionalLong.of(6)),
                        new Fault.ShiftRange(-4),
                        new Fault.OtherRange(99_999, OptionalLong.empty()));
        for (String expected : List.of("5-6", "6-15", "99999-99999")) {
            HttpWire.Head head = get("Range: bytes=10-19");
            assertThat(head.headers().first("Content-Range")).hasValue("bytes " + expected + "/100000");
            raw.body(head);
        }
        assertThat(server.requests().get(1).header("Range")).hasValue("bytes=10-19");
    }

    @Test
    void ignoresIfMatchAndPartNumber() throws IOException {
        server.put("b", "k", ScriptedObject.of(CONTENT).withParts(30_000));
        assertThat(get("If-Match: \"other\"").word(1)).isEqualTo("412");
        server.onAny().then(new Fault.DropIfMatch(), new Fault.IgnorePartNumber());
        try (RawHttp other = new RawHttp(server.endpoint())) {
            HttpWire.Head head =
                    other.send("GET /b/k?partNumber=2", "If-Match: \"other\"").head();
            assertThat(head.word(1)).isEqualTo("200");
            assertThat(other.body(head)).isEqualTo(BYTES);
        }
    }

    @Test
    void answersAnotherObject() throws IOException {
        server.put("b", "other", Content.of("other"));
        server.onAny().then(new Fault.OtherObject("/b/other"));
        assertThat(raw.body(get())).isEqualTo("other".getBytes(StandardCharsets.UTF_8));
    }

    @Test
    void replacesHeadersAndStatus() throws IOException {
        server.onAny()
                .then(
                        Fault.setHeader("ETag", "W/\"1\""),
                        Fault.removeHeaders("last-modified"),
                        Fault.setHeader("Content-Encoding", "gzip"),
                        new Fault.ReplaceStatus(206));
        HttpWire.Head head = get();
        assertThat(head.startLine()).isEqualTo("HTTP/1.1 206 Partial Content");
        assertThat(head.headers().all("ETag")).containsExactly("W/\"1\"");
        assertThat(head.headers().has("Last-Modified")).isFalse();
        assertThat(head.headers().first("content-encoding")).hasValue("gzip");
        assertThat(raw.body(head)).isEqualTo(BYTES);
    }

    @Test
    void liesAboutTheLengthAndCloses() throws IOException {
        server.onAny().then(Fault.setHeader("Content-Length", "100005"));
        assertThat(get().headers().all("Content-Length")).containsExactly("100005");
        assertThat(raw.untilEnd()).isEqualTo("100000 closed");
    }

    @Test
    void corruptsBytes() throws IOException {
        server.onAny().then(new Fault.CorruptByte(0), new Fault.CorruptByte(77_777));
        byte[] body = raw.body(get());
        body[0] ^= (byte) 0xFF;
        body[77_777] ^= (byte) 0xFF;
        assertThat(body).isEqualTo(BYTES);
    }

    @Test
    void truncatesConsistently() throws IOException {
        server.onAny().then(new Fault.Truncate(10));
        HttpWire.Head head = get();
        assertThat(head.headers().first("Content-Length")).hasValue("10");
        assertThat(raw.body(head)).isEqualTo(Arrays.copyOf(BYTES, 10));
        assertThat(raw.body(get())).hasSize(10);
    }

    @Test
    void sendsChunksOfExactlyTheAskedSize() throws IOException {
        server.onAny().then(new Fault.ChunkedBody(40_000));
        HttpWire.Head head = get();
        assertThat(head.headers().has("Content-Length")).isFalse();
        for (int size : new int[] {40_000, 40_000, 20_000, 0}) {
            byte[] line = raw.in.readNBytes(Integer.toHexString(size).length() + 2);
            assertThat(new String(line, StandardCharsets.US_ASCII)).isEqualTo(Integer.toHexString(size) + "\r\n");
            raw.in.skipNBytes(size + 2);
        }
        server.clearRules();
        server.onAny().then(new Fault.ChunkedBody(1));
        assertThat(raw.body(get())).isEqualTo(BYTES);
    }

    @Test
    void sendsABodyThatEndsWithTheConnection() throws IOException {
        server.onAny().then(new Fault.UnframedBody());
        HttpWire.Head head = get();
        assertThat(head.headers().has("Content-Length")).isFalse();
        assertThat(raw.body(head)).isEqualTo(BYTES);
    }

    @Test
    void faultsActTogether() throws IOException {
        server.onAny()
                .then(Fault.all(
                        new Fault.ChunkedBody(100),
                        new Fault.CorruptByte(3),
                        new Fault.StallAfter(150, Duration.ofMillis(10)),
                        new Fault.CloseIdle()));
        byte[] body = raw.body(get());
        body[3] ^= (byte) 0xFF;
        assertThat(body).isEqualTo(BYTES);
        assertThat(raw.untilEnd()).isEqualTo("0 closed");
    }

    @Test
    void aRuleSkipsAndIsUsedUpAndCounts() throws IOException {
        FaultInjector.Rule rule =
                server.on(r -> r.path().endsWith("k")).skip(1).times(2).then(Fault.noSuchKey());
        StringBuilder statuses = new StringBuilder();
        for (int i = 0; i < 5; i++) {
            HttpWire.Head head = get();
            raw.body(head);
            statuses.append(head.word(1)).append(' ');
        }
        assertThat(statuses).hasToString("200 404 404 200 200 ");
        assertThat(rule.hits()).isEqualTo(2);
    }

    @Test
    void aHeadHasNoBody() throws IOException {
        HttpWire.Head head = raw.send("HEAD /b/k").head();
        assertThat(head.headers().first("Content-Length")).hasValue("100000");
        assertThat(raw.body(get())).isEqualTo(BYTES);
    }

    @Test
    void aClosedServerFreesItsPortAndWakesItsPauses() throws Exception {
        server.onAny().then(new Fault.StallBeforeHead(Duration.ofMinutes(10)));
        raw.send("GET /b/k");
        assertThat(server.awaitRequests(1, Duration.ofSeconds(5))).isTrue();
        int port = server.endpoint().getPort();
        long start = System.nanoTime();
        server.close();
        assertThat(System.nanoTime() - start).isLessThan(Duration.ofSeconds(3).toNanos());
        assertThat(server.openConnections()).isZero();
        assertThatThrownBy(() -> new Socket(InetAddress.getLoopbackAddress(), port).close())
                .isInstanceOf(IOException.class);
    }

    @Test
    void anOrdinaryClientReconnectsAfterAnIdleClose() throws Exception {
        server.onAny().once().then(new Fault.CloseIdle());
        HttpClient client = HttpClient.newHttpClient();
        HttpRequest request = HttpRequest.newBuilder(server.url("b", "k")).build();
        for (int i = 0; i < 2; i++) {
            assertThat(client.send(request, HttpResponse.BodyHandlers.ofByteArray())
                            .body())
                    .isEqualTo(BYTES);
        }
        assertThat(server.requests()).extracting(Request::connection).doesNotHaveDuplicates();
    }
}
