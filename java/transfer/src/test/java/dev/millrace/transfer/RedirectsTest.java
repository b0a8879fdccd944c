// SPDX-License-Identifier: Apache-2.0
package dev.millrace.transfer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.millrace.io.EngineKind;
import dev.millrace.testkit.Content;
import dev.millrace.testkit.Fault;
import dev.millrace.testkit.Headers;
import dev.millrace.testkit.Request;
import dev.millrace.testkit.ScriptedServer;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Where the store sends us, and where we do not go. */
final class RedirectsTest {
    private static final Content CONTENT = Content.pattern(1, 100_000);
    private static final String MALFORMED = "<Error><Code>AuthorizationHeaderMalformed</Code>"
            + "<Message>the region 'us-east-1' is wrong; expecting 'eu-west-3'</Message>"
            + "<Region>eu-west-3</Region></Error>";

    @TempDir
    Path folder;

    private Rig rig() throws IOException {
        return new Rig(EngineKind.BLOCKING, folder).put("key", CONTENT).put("other", CONTENT);
    }

    private static String region(Request request) {
        return request.header("Authorization")
                .orElseThrow()
                .replaceFirst("(?s).*?Credential=[^/]*/\\d+/([^/]*)/.*", "$1");
    }

    @Test
    void shouldSignForTheRegionThatTheStoreNamesOncePerBucket() throws IOException {
        try (Rig rig = rig()) {
            rig.server.onAny().once().then(new Fault.Respond(400, Headers.none(), MALFORMED));
            rig.get("key");
            rig.get("other");
            assertThat(rig.server.requests().stream().map(RedirectsTest::region))
                    .containsExactly("us-east-1", "eu-west-3", "eu-west-3");
        }
        try (Rig rig = rig()) {
            for (int status : List.of(301, 307)) {
                rig.server.createBucket("b" + status).put("b" + status, "key", CONTENT);
                rig.server
                        .onAny()
                        .once()
                        .then(new Fault.Respond(status, Headers.of("x-amz-bucket-region", "ap-south-1"), ""));
                DownloadResult result =
                        rig.get(DownloadRequest.of(new ObjectId("b" + status, "key"), rig.target("out" + status)));
                assertThat(result.retries()).isZero();
                Rig.assertSame(result.target(), CONTENT);
            }
            assertThat(rig.source.head(Rig.id("key")).join().status()).isEqualTo(200);
        }
    }

    @Test
    void shouldSayWhichRegionInACircle() throws IOException {
        try (Rig rig = rig()) {
            rig.server.onAny().then(new Fault.Respond(301, Headers.of("x-amz-bucket-region", "eu-west-3"), ""));
            assertThatThrownBy(() -> rig.get("key"))
                    .isInstanceOf(DownloadFailure.RequestRefused.class)
                    .hasMessageContaining("circle")
                    .hasMessageContaining("eu-west-3");
            assertThat(rig.server.requestCount()).isEqualTo(2);
        }
    }

    @Test
    void shouldGoToAnotherPortOfTheSameHost() throws IOException {
        try (Rig rig = rig();
                ScriptedServer second = ScriptedServer.start()) {
            second.put(Rig.BUCKET, "key", CONTENT);
            rig.server
                    .onAny()
                    .then(new Fault.Respond(307, Headers.of("Location", second.endpoint() + "/bucket/key"), ""));
            Rig.assertSame(rig.get("key").target(), CONTENT);
            assertThat(second.requestCount()).isEqualTo(1);
            rig.get("key");
            assertThat(rig.server.requestCount()).as("learnt").isEqualTo(1);
        }
    }

    @Test
    void shouldNotCarryCredentialsToAnotherDomain() throws IOException {
        try (Rig rig = rig()) {
            for (String place : List.of("http://evil.example/bucket/key", "https://s3.eu-west-1.amazonaws.com/x")) {
                rig.server.onAny().once().then(new Fault.Respond(307, Headers.of("Location", place), ""));
                assertThatThrownBy(() -> rig.get("key"))
                        .isInstanceOf(DownloadFailure.RequestRefused.class)
                        .hasMessageContaining(java.net.URI.create(place).getHost())
                        .hasMessageContaining("credentials do not go there");
            }
        }
    }
}
