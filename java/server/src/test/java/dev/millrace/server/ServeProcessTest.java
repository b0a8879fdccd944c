// SPDX-License-Identifier: Apache-2.0
package dev.millrace.server;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millrace.layers.format.GeneratedData;
import dev.millrace.server.http.Client;
import dev.millrace.testkit.EmbeddedS3;
import dev.millrace.testkit.Fault;
import dev.millrace.testkit.FaultProxy;
import java.io.BufferedReader;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Scanner;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** {@code bin/millrace serve} as a process of its own, on S3, and its end. */
@Tag("process")
@Tag("slow")
@Timeout(300)
class ServeProcessTest {
    private static final String TENANT = "0123456789abcdef0123456789abcdef";
    private static final String TIMELINE = "fedcba9876543210fedcba9876543210";
    private static final String LAYERS = "/v1/tenant/" + TENANT + "/timeline/" + TIMELINE + "/layer/";
    private static final int TERMINATED = 143;
    private static final int COUNT = 8;

    @TempDir
    Path folder;

    private static Map<String, String> environment(EmbeddedS3 s3, String endpoint) {
        return new HashMap<>(Map.of(
                "AWS_ACCESS_KEY_ID", s3.accessKey(),
                "AWS_SECRET_ACCESS_KEY", s3.secretKey(),
                "AWS_REGION", s3.region(),
                "AWS_ENDPOINT_URL_S3", endpoint));
    }

    @Test
    void answersWhoWaitsAndLeavesNothingHalfWrittenWhenItIsTerminated() throws Exception {
        try (EmbeddedS3 s3 = EmbeddedS3.start();
                FaultProxy proxy = FaultProxy.before(s3)) {
            s3.createBucket("bucket");
            Launched made = Launched.run(
                    folder,
                    environment(s3, s3.endpoint().toString()),
                    List.of(),
                    "generate",
                    "--remote",
                    "s3://bucket/prefix",
                    "--tenant",
                    TENANT,
                    "--timeline",
                    TIMELINE,
                    "--layers",
                    Integer.toString(COUNT),
                    "--layer-size",
                    "4MiB",
                    "--kind",
                    "blob");
            assertThat(made.status()).as(made.err()).isZero();
            proxy.on(request -> request.decodedPath().contains("/blob_"))
                    .then(new Fault.StallAfter(1 << 20, Duration.ofMinutes(5)));
            Process process = Launched.start(
                    folder,
                    environment(s3, proxy.endpoint().toString()),
                    List.of(
                            Launched.launcher().toString(),
                            "serve",
                            "--data",
                            "data",
                            "--remote",
                            "s3://bucket/prefix",
                            "--listen",
                            "127.0.0.1:0"));
            try {
                Client client = new Client(port(process));
                List<CompletableFuture<HttpResponse<String>>> waiting = new ArrayList<>();
                for (int i = 0; i < COUNT; i++) {
                    waiting.add(client.http()
                            .sendAsync(
                                    client.request("GET", LAYERS + "blob_0000000" + i, ""), BodyHandlers.ofString()));
                }
                while (temporaries().isEmpty()) {
                    assertThat(process.isAlive()).isTrue();
                    TimeUnit.MILLISECONDS.sleep(20);
                }
                process.destroy();
                for (CompletableFuture<HttpResponse<String>> answer : waiting) {
                    HttpResponse<String> response = answer.get(60, TimeUnit.SECONDS);
                    assertThat(response.statusCode()).isEqualTo(503);
                    assertThat(Client.message(response)).startsWith("shutting down: ");
                }
                Launched ended = Launched.finish(folder, process);
                assertThat(ended.status()).as(ended.err()).isEqualTo(TERMINATED);
                assertThat(temporaries()).isEmpty();
            } finally {
                process.destroyForcibly();
            }
        }
    }

    /** More is under way at once than the server's memory could hold. */
    @Test
    void listsAHundredThousandLayersInBoundedMemory() throws Exception {
        int layers = 100_000;
        int clients = 8;
        Path timeline = Files.createDirectories(folder.resolve("remote/tenants/" + TENANT + "/timelines/" + TIMELINE));
        StringBuilder index = new StringBuilder("{\"version\":1,\"layer_metadata\":{");
        for (int i = 0; i < layers; i++) {
            String name = GeneratedData.key(i) + "-" + GeneratedData.key(i + 1) + "__0000000000000010";
            index.append(i == 0 ? "" : ",").append('"').append(name).append("\":{\"file_size\":8192,\"generation\":1}");
        }
        Files.writeString(timeline.resolve("index_part.json-00000001"), index + "},\"disk_consistent_lsn\":\"0/10\"}");
        Process process = Launched.start(
                folder,
                Map.of(),
                List.of(
                        Launched.launcher().toString(),
                        "serve",
                        "--data",
                        "data",
                        "--remote",
                        folder.resolve("remote").toUri().toString(),
                        "--listen",
                        "127.0.0.1:0"));
        try {
            Client client = new Client(port(process));
            String path = LAYERS.substring(0, LAYERS.length() - 1);
            List<InputStream> listings = new ArrayList<>();
            for (int i = 0; i < clients; i++) {
                InputStream listing = client.http()
                        .send(client.request("GET", path, ""), BodyHandlers.ofInputStream())
                        .body();
                assertThat(listing.read()).isEqualTo('{');
                listings.add(listing);
            }
            long bytes = 0;
            for (InputStream listing : listings) {
                long found = 0;
                try (BufferedReader reader =
                                new BufferedReader(new InputStreamReader(listing, StandardCharsets.UTF_8));
                        Scanner scanner = new Scanner(reader).useDelimiter("\\{\"kind\":\"Image\",")) {
                    while (scanner.hasNext()) {
                        bytes += scanner.next().length();
                        found++;
                    }
                }
                assertThat(found).isEqualTo(layers + 1);
            }
            assertThat(bytes).as("more than the heap of bin/millrace").isGreaterThan(256L << 20);
            process.destroy();
            Launched ended = Launched.finish(folder, process);
            assertThat(ended.status()).as(ended.err()).isEqualTo(TERMINATED);
            assertThat(ended.err()).isEmpty();
        } finally {
            process.destroyForcibly();
        }
    }

    /** As the server says it, once all is attached. */
    private int port(Process process) throws Exception {
        while (true) {
            String said = Files.readString(folder.resolve("stdout"));
            if (said.contains("millrace: ready, 1 timelines")) {
                String line = said.lines().findFirst().orElseThrow();
                return Integer.parseInt(line.substring(line.lastIndexOf(':') + 1));
            }
            assertThat(process.isAlive())
                    .as(said + Files.readString(folder.resolve("stderr")))
                    .isTrue();
            TimeUnit.MILLISECONDS.sleep(20);
        }
    }

    /** Whatever lies among the layers. */
    private List<Path> temporaries() throws Exception {
        Path layers = folder.resolve("data/tenants");
        if (!Files.exists(layers)) {
            return List.of();
        }
        try (Stream<Path> all = Files.walk(layers)) {
            return all.filter(Files::isRegularFile).toList();
        }
    }
}
