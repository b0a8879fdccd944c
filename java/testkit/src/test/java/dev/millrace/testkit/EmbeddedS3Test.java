// SPDX-License-Identifier: Apache-2.0
package dev.millrace.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import software.amazon.awssdk.core.sync.RequestBody;
import software.amazon.awssdk.core.sync.ResponseTransformer;
import software.amazon.awssdk.services.s3.S3Client;
import software.amazon.awssdk.services.s3.model.ChecksumMode;
import software.amazon.awssdk.services.s3.model.EncodingType;
import software.amazon.awssdk.services.s3.model.GetObjectResponse;
import software.amazon.awssdk.services.s3.model.S3Exception;
import software.amazon.awssdk.services.s3.model.S3Object;

final class EmbeddedS3Test {
    private static final Content CONTENT = Content.pattern(8, 300_001);

    private static EmbeddedS3 s3;

    @BeforeAll
    static void start() throws IOException {
        s3 = EmbeddedS3.start();
        s3.put("bucket", "pattern", CONTENT, S3Checksum.CRC64NVME);
    }

    @AfterAll
    static void close() throws IOException {
        s3.close();
        assertThat(s3.folder()).doesNotExist();
        assertThatThrownBy(() -> new Socket(
                                InetAddress.getLoopbackAddress(), s3.endpoint().getPort())
                        .close())
                .isInstanceOf(IOException.class);
    }

    private static byte[] get(S3Client client, String key) {
        return client.getObjectAsBytes(r -> r.bucket("bucket").key(key)).asByteArrayUnsafe();
    }

    @Test
    void givesBackWhatTheSdkPut(@TempDir Path folder) throws IOException {
        byte[] bytes = Content.pattern(1, 3 << 20).toBytes();
        s3.client().putObject(r -> r.bucket("bucket").key("by sdk"), RequestBody.fromBytes(bytes));
        assertThat(get(s3.client(), "by sdk")).isEqualTo(bytes);
        Path file = Files.write(folder.resolve("file"), bytes);
        s3.put("bucket", "by path", file);
        assertThat(get(s3.client(), "by path")).isEqualTo(bytes);
    }

    @Test
    void refusesAWrongSignature() {
        try (S3Client wrong = s3.newClient(s3.endpoint(), "not-the-secret")) {
            assertThatThrownBy(() -> get(wrong, "pattern")).isInstanceOfSatisfying(S3Exception.class, e -> {
                assertThat(e.statusCode()).isEqualTo(403);
                assertThat(e.awsErrorDetails().errorCode()).isEqualTo("SignatureDoesNotMatch");
            });
        }
    }

    @Test
    void refusesARequestWithoutSignature() throws IOException {
        try (RawHttp raw = new RawHttp(s3.endpoint())) {
            assertThat(raw.send("GET /bucket/pattern").head().word(1)).isEqualTo("403");
        }
    }

    @Test
    void sendsTheChecksumItWasGivenWhenAskedAndNotWithARange() {
        GetObjectResponse whole = s3.client()
                .getObject(
                        r -> r.bucket("bucket").key("pattern").checksumMode(ChecksumMode.ENABLED),
                        ResponseTransformer.toBytes())
                .response();
        assertThat(whole.checksumCRC64NVME()).isEqualTo(S3Checksum.CRC64NVME.of(CONTENT));
        assertThat(whole.checksumTypeAsString()).isEqualTo("FULL_OBJECT");
        assertThat(whole.metadata()).isEmpty();
        GetObjectResponse part = s3.client()
                .getObject(
                        r -> r.bucket("bucket")
                                .key("pattern")
                                .range("bytes=10-19")
                                .checksumMode(ChecksumMode.ENABLED),
                        ResponseTransformer.toBytes())
                .response();
        assertThat(part.contentRange()).isEqualTo("bytes 10-19/300001");
        assertThat(part.checksumCRC64NVME()).isNull();
        assertThat(part.eTag()).isEqualTo(whole.eTag());
    }

    @Test
    void honoursIfMatch() {
        assertThatThrownBy(() -> s3.client()
                        .getObjectAsBytes(r -> r.bucket("bucket").key("pattern").ifMatch("\"other\"")))
                .isInstanceOfSatisfying(
                        S3Exception.class, e -> assertThat(e.statusCode()).isEqualTo(412));
    }

    @ParameterizedTest
    @ValueSource(strings = {"a b", "a+b", "a%2Bb", "ü/€", "q?x", "h#y", "a\\b", "x\u0001y"})
    void keepsOddKeysApart(String key) {
        s3.put("odd", key, key.getBytes(StandardCharsets.UTF_8));
        assertThat(s3.client().getObjectAsBytes(r -> r.bucket("odd").key(key)).asUtf8String())
                .isEqualTo(key);
        assertThat(s3.client()
                        .listObjectsV2(r -> r.bucket("odd").encodingType(EncodingType.URL))
                        .contents())
                .extracting(S3Object::key)
                .contains(key);
    }

    @Test
    void servesAFolderOfOnesOwnAndLeavesIt(@TempDir Path folder) throws IOException {
        try (EmbeddedS3 own = EmbeddedS3.start(folder)) {
            own.put("bucket", "key", new byte[] {1});
            assertThat(get(own.client(), "key")).containsExactly(1);
        }
        assertThat(folder.resolve("bucket/key")).hasBinaryContent(new byte[] {1});
    }

    @Test
    void signaturesSurviveTheProxy() throws IOException {
        try (FaultProxy proxy = FaultProxy.before(s3);
                S3Client client = s3.newClient(proxy.endpoint())) {
            assertThat(get(client, "pattern")).isEqualTo(CONTENT.toBytes());
            byte[] bytes = Content.pattern(2, 3 << 20).toBytes();
            client.putObject(r -> r.bucket("bucket").key("a+b ü"), RequestBody.fromBytes(bytes));
            assertThat(get(client, "a+b ü")).isEqualTo(bytes);
            assertThat(proxy.requests(Request::isGet)).hasSize(2);
            assertThat(proxy.requests(r -> r.method().equals("PUT")).get(0).decodedPath())
                    .isEqualTo("/bucket/a+b ü");
            try (S3Client wrong = s3.newClient(proxy.endpoint(), "not-the-secret")) {
                assertThatThrownBy(() -> get(wrong, "pattern")).isInstanceOf(S3Exception.class);
            }
        }
    }

    @Test
    void theProxyChangesRequestsAndSignsThemAgain() throws IOException {
        s3.put("bucket", "other", Content.of("other"));
        try (FaultProxy proxy = FaultProxy.before(s3);
                S3Client client = s3.newClient(proxy.endpoint())) {
            proxy.onAny()
                    .inTurn(
                            new Fault.IgnoreRange(),
                            new Fault.ShiftRange(5),
                            new Fault.DropIfMatch(),
                            new Fault.OtherObject("/bucket/other"),
                            new Fault.Truncate(7));
            var whole = client.getObject(
                    r -> r.bucket("bucket").key("pattern").range("bytes=10-19"), ResponseTransformer.toBytes());
            assertThat(whole.asByteArrayUnsafe()).isEqualTo(CONTENT.toBytes());
            assertThat(client.getObject(
                                    r -> r.bucket("bucket").key("pattern").range("bytes=10-19"),
                                    ResponseTransformer.toBytes())
                            .response()
                            .contentRange())
                    .isEqualTo("bytes 15-24/300001");
            assertThat(client.getObjectAsBytes(
                                    r -> r.bucket("bucket").key("pattern").ifMatch("\"other\""))
                            .response()
                            .contentLength())
                    .isEqualTo(300_001);
            assertThat(get(client, "pattern")).isEqualTo("other".getBytes(StandardCharsets.UTF_8));
            assertThat(get(client, "pattern")).hasSize(7);
            assertThat(get(client, "pattern")).isEqualTo(CONTENT.toBytes());
        }
    }

    @Test
    void theProxyInjectsFaultsIntoRealAnswers() throws IOException {
        try (FaultProxy proxy = FaultProxy.before(s3);
                S3Client client = s3.newClient(proxy.endpoint())) {
            proxy.on(r -> r.path().endsWith("pattern"))
                    .inTurn(Fault.slowDown(), new Fault.ResetBeforeHead(), new Fault.ResetAfter(1000));
            // the client's own retries get it through
            assertThat(get(client, "pattern")).isEqualTo(CONTENT.toBytes());
            assertThat(proxy.requestCount()).isEqualTo(4);
        }
    }

    @Test
    void theProxySaysThatTheEndpointIsGone() throws IOException {
        FaultProxy dead = FaultProxy.before(s3);
        dead.close();
        try (FaultProxy proxy = FaultProxy.before(dead.endpoint());
                RawHttp raw = new RawHttp(proxy.endpoint())) {
            assertThat(raw.send("GET /bucket/pattern").head().word(1)).isEqualTo("502");
        }
    }

    @Test
    @Timeout(60)
    void aProcessOfItsOwnServesUntilItsInputEnds() throws Exception {
        Process process = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-Xmx128m",
                        "-Djava.io.tmpdir=" + System.getProperty("java.io.tmpdir"),
                        "-cp",
                        System.getProperty("java.class.path"),
                        "dev.millrace.testkit.EmbeddedS3Main",
                        "--bucket",
                        "demo")
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        try (var out = new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8))) {
            String line = Optional.ofNullable(out.readLine()).orElse("");
            assertThat(line)
                    .matches("endpoint=http://127.0.0.1:\\d+ region=\\S+ access_key=\\S+ secret_key=\\S+ folder=.+");
            Path folder = Path.of(line.substring(line.indexOf("folder=") + "folder=".length()));
            assertThat(folder.resolve("demo")).isDirectory();
            process.getOutputStream().close();
            assertThat(process.waitFor(Duration.ofSeconds(20).toSeconds(), TimeUnit.SECONDS))
                    .isTrue();
            assertThat(process.exitValue()).isZero();
            assertThat(folder).doesNotExist();
            assertThat(List.of(out.lines().toArray())).isEmpty();
        } finally {
            process.destroyForcibly();
        }
    }
}
