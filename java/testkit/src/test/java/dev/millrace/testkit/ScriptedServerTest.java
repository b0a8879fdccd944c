// SPDX-License-Identifier: Apache-2.0
package dev.millrace.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ProxySelector;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;
import software.amazon.awssdk.core.sync.ResponseTransformer;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.s3.S3Client;
import software.amazon.awssdk.services.s3.model.ChecksumMode;
import software.amazon.awssdk.services.s3.model.EncodingType;
import software.amazon.awssdk.services.s3.model.NoSuchKeyException;
import software.amazon.awssdk.services.s3.model.S3Exception;
import software.amazon.awssdk.services.s3.model.S3Object;

final class ScriptedServerTest {
    private static final Content CONTENT = Content.pattern(4, 10_000);

    private final HttpClient http = HttpClient.newHttpClient();
    private ScriptedServer server;
    private S3Client sdk;

    @BeforeEach
    void start() throws IOException {
        server = ScriptedServer.start();
        sdk = S3Client.builder()
                .endpointOverride(server.endpoint())
                .forcePathStyle(true)
                .region(Region.EU_WEST_1)
                .credentialsProvider(StaticCredentialsProvider.create(AwsBasicCredentials.create("any", "one")))
                .build();
    }

    @AfterEach
    void close() {
        sdk.close();
        server.close();
    }

    private HttpResponse<byte[]> get(String key, String... headers) throws Exception {
        HttpRequest.Builder request = HttpRequest.newBuilder(server.url("bkt", key));
        if (headers.length > 0) {
            request.headers(headers);
        }
        return http.send(request.build(), HttpResponse.BodyHandlers.ofByteArray());
    }

    @Test
    void keysAreDecodedOnceAndOtherwiseTakenAsTheyAre() throws Exception {
        List<String> keys = List.of(
                "a b", "a+b", "a%2Bb", "a%b", "a//b", "/a", "a/", "a/./b", "a/../b", "..", "q?x", "h#y", "ü/€😀",
                "\u0001");
        for (String key : keys) {
            server.put("bkt", key, Content.of(key));
        }
        for (String key : keys) {
            assertThat(get(key).body()).as(key).isEqualTo(key.getBytes(StandardCharsets.UTF_8));
            assertThat(sdk.getObjectAsBytes(r -> r.bucket("bkt").key(key)).asUtf8String())
                    .isEqualTo(key);
        }
        assertThat(sdk.listObjectsV2(r -> r.bucket("bkt").encodingType(EncodingType.URL)).contents().stream()
                        .map(S3Object::key))
                .containsExactlyInAnyOrderElementsOf(keys);
        assertThat(get("a/b").statusCode()).isEqualTo(404);
    }

    @Test
    void answersRanges() throws Exception {
        server.put("bkt", "k", CONTENT);
        for (String[] range : new String[][] {
            {"0-0", "0-0"},
            {"9999-", "9999-9999"},
            {"-5", "9995-9999"},
            {"5000-99999", "5000-9999"},
            {"-99999", "0-9999"}
        }) {
            HttpResponse<byte[]> answer = get("k", "Range", "bytes=" + range[0]);
            assertThat(answer.statusCode()).isEqualTo(206);
            assertThat(answer.headers().firstValue("content-range")).hasValue("bytes " + range[1] + "/10000");
            long from = Long.parseLong(range[1].substring(0, range[1].indexOf('-')));
            assertThat(CONTENT.firstDifference(from, java.nio.ByteBuffer.wrap(answer.body())))
                    .isEmpty();
        }
        HttpResponse<byte[]> beyond = get("k", "Range", "bytes=10000-");
        assertThat(beyond.statusCode()).isEqualTo(416);
        assertThat(beyond.headers().firstValue("content-range")).hasValue("bytes */10000");
        assertThat(get("k", "Range", "bytes=0-1,3-4").statusCode()).isEqualTo(200);
    }

    @Test
    void quirksAreHonoured() throws Exception {
        ScriptedObject object = ScriptedObject.of(CONTENT);
        server.put("bkt", "ignores", object.with(ScriptedObject.Quirk.IGNORES_RANGE));
        server.put("bkt", "refuses", ScriptedObject.of(Content.zeros(0)).with(ScriptedObject.Quirk.REFUSES_RANGES));
        server.put("bkt", "no-match", object.with(ScriptedObject.Quirk.IGNORES_IF_MATCH));
        assertThat(get("ignores", "Range", "bytes=1-2").statusCode()).isEqualTo(200);
        assertThat(get("refuses", "Range", "bytes=0-").statusCode()).isEqualTo(416);
        assertThat(get("refuses").statusCode()).isEqualTo(200);
        assertThat(get("no-match", "If-Match", "\"x\"").statusCode()).isEqualTo(200);
        assertThat(get("ignores", "If-Match", "\"x\"").statusCode()).isEqualTo(412);
        assertThat(get("ignores", "If-None-Match", object.etag().orElseThrow()).statusCode())
                .isEqualTo(304);
    }

    @Test
    void objectsAreSwappedBetweenRequests() throws Exception {
        Content other = Content.pattern(5, CONTENT.length());
        server.putInTurn(
                "bkt", "k", ScriptedObject.of(CONTENT), ScriptedObject.of(other).withETag("\"2\""));
        assertThat(get("k").body()).isEqualTo(CONTENT.toBytes());
        HttpResponse<byte[]> second = get("k");
        assertThat(second.body()).isEqualTo(other.toBytes());
        assertThat(second.headers().firstValue("etag")).hasValue("\"2\"");
        server.put("bkt", "k", ScriptedObject.of(CONTENT).withoutETag());
        assertThat(get("k").headers().firstValue("etag")).isEmpty();
        server.remove("bkt", "k");
        assertThat(get("k").statusCode()).isEqualTo(404);
    }

    @Test
    void theSdkAcceptsTheTrueChecksumAndRefusesAWrongOne() {
        server.put("bkt", "true", ScriptedObject.of(CONTENT).withChecksum(S3Checksum.CRC32C));
        server.put(
                "bkt", "wrong", ScriptedObject.of(CONTENT).withChecksum(S3Checksum.CRC32C, "AAAAAA==", "FULL_OBJECT"));
        server.put(
                "bkt", "parts", ScriptedObject.of(CONTENT).withChecksum(S3Checksum.CRC32C, "AAAAAA==-2", "COMPOSITE"));
        var answer = sdk.getObject(
                r -> r.bucket("bkt").key("true").checksumMode(ChecksumMode.ENABLED), ResponseTransformer.toBytes());
        assertThat(answer.response().checksumCRC32C()).isEqualTo(S3Checksum.CRC32C.of(CONTENT));
        assertThatThrownBy(() -> sdk.getObject(
                        r -> r.bucket("bkt").key("wrong").checksumMode(ChecksumMode.ENABLED),
                        ResponseTransformer.toBytes()))
                .hasStackTraceContaining("checksum");
        assertThat(sdk.headObject(r -> r.bucket("bkt").key("parts").checksumMode(ChecksumMode.ENABLED))
                        .checksumTypeAsString())
                .isEqualTo("COMPOSITE");
        assertThat(sdk.headObject(r -> r.bucket("bkt").key("true")).checksumCRC32C())
                .isNull();
    }

    @Test
    void checksumsComeWithPartialAnswersOnlyWhereAskedFor() throws Exception {
        ScriptedObject object = ScriptedObject.of(CONTENT).withChecksum(S3Checksum.CRC64NVME);
        server.put("bkt", "k", object);
        assertThat(get("k", "Range", "bytes=0-1", "x-amz-checksum-mode", "ENABLED")
                        .headers()
                        .map())
                .doesNotContainKey("x-amz-checksum-crc64nvme");
        server.put("bkt", "k", object.with(ScriptedObject.Quirk.CHECKSUM_ON_PARTIAL_ANSWERS));
        assertThat(get("k", "Range", "bytes=0-1", "x-amz-checksum-mode", "ENABLED")
                        .headers()
                        .map())
                .containsKey("x-amz-checksum-crc64nvme");
    }

    @Test
    void partsAndVersionsAreHonoured() {
        server.put("bkt", "k", ScriptedObject.of(CONTENT).withParts(4000).withVersion("v1"));
        var part = sdk.getObject(r -> r.bucket("bkt").key("k").partNumber(3), ResponseTransformer.toBytes());
        assertThat(part.response().partsCount()).isEqualTo(3);
        assertThat(part.response().contentRange()).isEqualTo("bytes 8000-9999/10000");
        assertThat(part.response().versionId()).isEqualTo("v1");
        assertThatThrownBy(() -> sdk.headObject(r -> r.bucket("bkt").key("k").versionId("v0")))
                .isInstanceOf(S3Exception.class);
        assertThatThrownBy(() -> sdk.getObjectAsBytes(r -> r.bucket("bkt").key("nope")))
                .isInstanceOf(NoSuchKeyException.class);
    }

    @Test
    void listsInPagesByTokenAndByMarker() {
        List<String> keys =
                IntStream.range(0, 25).mapToObj(i -> "p/" + (char) ('a' + i)).toList();
        keys.forEach(key -> server.put("bkt", key, Content.of(key)));
        server.put("bkt", "q", Content.of("q")).pageSize(10);
        assertThat(sdk.listObjectsV2Paginator(r -> r.bucket("bkt").prefix("p/")).contents())
                .extracting(S3Object::key)
                .containsExactlyElementsOf(keys);
        assertThat(server.requests()).hasSize(3);
        List<String> byMarker = new ArrayList<>();
        String marker = "";
        while (true) {
            String from = marker;
            var page = sdk.listObjects(r -> r.bucket("bkt").prefix("p/").marker(from));
            page.contents().forEach(object -> byMarker.add(object.key()));
            if (!page.isTruncated()) {
                break;
            }
            marker = byMarker.get(byMarker.size() - 1);
        }
        assertThat(byMarker).containsExactlyElementsOf(keys);
        var folded = sdk.listObjectsV2(r -> r.bucket("bkt").delimiter("/"));
        assertThat(folded.commonPrefixes()).hasSize(1);
        assertThat(folded.contents()).extracting(S3Object::key).containsExactly("q");
    }

    @Test
    void listsBadlyWhenAsked() {
        for (String key : List.of("a", "b", "c", "d")) {
            server.put("bkt", key, ScriptedObject.of(Content.of(key)).withListedSize(99));
        }
        server.pageSize(2).listing(ListingQuirk.NO_V2);
        assertThatThrownBy(() -> sdk.listObjectsV2(r -> r.bucket("bkt")))
                .isInstanceOfSatisfying(
                        S3Exception.class, e -> assertThat(e.statusCode()).isEqualTo(501));
        server.listing(ListingQuirk.NO_TOKEN);
        var page = sdk.listObjectsV2(r -> r.bucket("bkt"));
        assertThat(page.isTruncated()).isTrue();
        assertThat(page.nextContinuationToken()).isNull();
        assertThat(page.contents().get(0).size()).isEqualTo(99);
        server.listing(ListingQuirk.SAME_TOKEN);
        String token = sdk.listObjectsV2(r -> r.bucket("bkt")).nextContinuationToken();
        assertThat(sdk.listObjectsV2(r -> r.bucket("bkt").continuationToken(token))
                        .nextContinuationToken())
                .isEqualTo(token);
        server.listing(ListingQuirk.UNORDERED, ListingQuirk.REPEATED);
        assertThat(sdk.listObjectsV2(r -> r.bucket("bkt").continuationToken(token))
                        .contents())
                .extracting(S3Object::key)
                .containsExactly("d", "c", "b");
    }

    @Test
    void fiveGibibytesCostNoMemory() throws Exception {
        Content huge = Content.pattern(6, 5L << 30);
        server.put("bkt", "huge", huge);
        HttpResponse<byte[]> end = get("huge", "Range", "bytes=-100");
        assertThat(huge.firstDifference(huge.length() - 100, java.nio.ByteBuffer.wrap(end.body())))
                .isEmpty();
        assertThat(sdk.headObject(r -> r.bucket("bkt").key("huge")).contentLength())
                .isEqualTo(5L << 30);
    }

    @Test
    void liesBelowAPathAndAnswersForVirtualHostsToItsProxyClients() throws Exception {
        server.put("bkt", "k", CONTENT).under("/s3/v1");
        assertThat(get("k").statusCode()).isEqualTo(404);
        URI below = URI.create(server.endpoint() + "/s3/v1/bkt/k");
        assertThat(http.send(HttpRequest.newBuilder(below).build(), HttpResponse.BodyHandlers.ofByteArray())
                        .body())
                .isEqualTo(CONTENT.toBytes());
        server.under("").virtualHosts("s3.test");
        HttpClient proxied = HttpClient.newBuilder()
                .proxy(ProxySelector.of(new InetSocketAddress(
                        InetAddress.getLoopbackAddress(), server.endpoint().getPort())))
                .build();
        HttpRequest request =
                HttpRequest.newBuilder(URI.create("http://bkt.s3.test/k")).build();
        assertThat(proxied.send(request, HttpResponse.BodyHandlers.ofByteArray())
                        .body())
                .isEqualTo(CONTENT.toBytes());
    }

    @Test
    void refusesWhatItDoesNotKnowAndWhatIsNoText() throws Exception {
        server.createBucket("bkt");
        HttpRequest put = HttpRequest.newBuilder(server.url("bkt", "k"))
                .PUT(HttpRequest.BodyPublishers.ofString("x".repeat(100_000)))
                .build();
        assertThat(http.send(put, HttpResponse.BodyHandlers.ofString()).body()).contains("NotImplemented");
        try (RawHttp raw = new RawHttp(server.endpoint())) {
            assertThat(raw.send("GET /bkt/%FF").head().word(1)).isEqualTo("400");
        }
    }
}
