// SPDX-License-Identifier: Apache-2.0
package dev.millrace.transfer;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millrace.io.EngineKind;
import dev.millrace.io.IoEngine;
import dev.millrace.io.TemporaryFile;
import dev.millrace.testkit.Content;
import dev.millrace.testkit.ScriptedObject;
import dev.millrace.testkit.ScriptedServer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.BooleanSupplier;
import java.util.stream.Stream;
import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;

/** A store that does as it is told, a source, an engine and a downloader over a folder; and the check that nothing is left. */
final class Rig implements AutoCloseable {
    static final DownloaderConfig CONFIG = DownloaderConfig.defaults()
            .withPermits(8, 4)
            .withTimeouts(Duration.ofSeconds(30), Duration.ofSeconds(20), 1024);
    /** Impatient, for tests of stalls. */
    static final DownloaderConfig HASTY = CONFIG.withTimeouts(Duration.ofSeconds(2), Duration.ofMillis(1500), 4096);

    static final String BUCKET = "bucket";

    final ScriptedServer server;
    final S3Source source;
    final IoEngine engine;
    final TestTiming timing = new TestTiming();
    final Downloader downloader;
    final Path folder;

    Rig(EngineKind kind, Path folder) throws IOException {
        this(kind, folder, CONFIG);
    }

    Rig(EngineKind kind, Path folder, DownloaderConfig config) throws IOException {
        this.folder = folder;
        server = ScriptedServer.start();
        server.createBucket(BUCKET);
        source = source(server.endpoint());
        engine = Engines.open(kind);
        downloader = Downloader.open(engine, source, config, timing);
    }

    static S3Source source(URI endpoint) {
        return S3Source.builder()
                .endpoint(endpoint)
                .region("us-east-1")
                .pathStyle(true)
                .credentials(StaticCredentialsProvider.create(AwsBasicCredentials.create("access", "secret")))
                .build();
    }

    static ObjectId id(String key) {
        return new ObjectId(BUCKET, key);
    }

    Rig put(String key, Content content) {
        return put(key, ScriptedObject.of(content));
    }

    Rig put(String key, ScriptedObject object) {
        server.put(BUCKET, key, object);
        return this;
    }

    Path target(String name) {
        return folder.resolve(name);
    }

    DownloadRequest request(String key) {
        return DownloadRequest.of(id(key), target("out"));
    }

    DownloadResult get(String key) throws IOException {
        return get(request(key));
    }

    DownloadResult get(DownloadRequest request) throws IOException {
        return await(downloader.download(request));
    }

    static <T> T await(CompletableFuture<T> future) throws IOException {
        try {
            return future.get(60, TimeUnit.SECONDS);
        } catch (ExecutionException e) {
            if (e.getCause() instanceof IOException failure) {
                throw failure;
            }
            throw new AssertionError(e.getCause());
        } catch (InterruptedException | TimeoutException e) {
            throw new AssertionError("no end within a minute", e);
        }
    }

    static void assertSame(Path file, Content content) throws IOException {
        assertThat(content.differenceFrom(file)).isEmpty();
    }

    List<Path> temporaryFiles() throws IOException {
        try (Stream<Path> all = Files.walk(folder)) {
            return all.filter(path -> TemporaryFile.isTemporaryName(String.valueOf(path.getFileName())))
                    .toList();
        }
    }

    /** Waits for what a test is to find; fails where it does not come. */
    static void await(String what, BooleanSupplier reached) throws InterruptedException {
        for (int i = 0; !reached.getAsBoolean(); i++) {
            assertThat(i).as(what + " does not come").isLessThan(6000);
            Thread.sleep(10);
        }
    }

    void awaitTemporaryFile() throws InterruptedException {
        await("a temporary file", () -> {
            try {
                return !temporaryFiles().isEmpty();
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        });
    }

    /** Brings the SDK to life, which takes seconds the first time: for tests whose store is patient only for one. */
    Rig warm() throws IOException {
        put("warm", Content.of("warm"));
        await(Downloader.open(engine, source, CONFIG, timing).download(DownloadRequest.of(id("warm"), target("warm"))));
        server.remove(BUCKET, "warm");
        return this;
    }

    int requestsFor(String key) {
        return server.requests(
                        request -> request.isGet() && request.decodedPath().endsWith("/" + key))
                .size();
    }

    /** Everything is back: buffers, descriptors' files, temporary names. */
    void assertNothingLeft() throws IOException {
        assertThat(engine.buffers().available()).isEqualTo(engine.buffers().size());
        assertThat(temporaryFiles()).isEmpty();
    }

    @Override
    public void close() throws IOException {
        downloader.close();
        source.close();
        server.close();
        assertNothingLeft();
    }
}
