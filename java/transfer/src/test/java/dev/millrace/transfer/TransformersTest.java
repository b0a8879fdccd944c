// SPDX-License-Identifier: Apache-2.0
package dev.millrace.transfer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.millrace.io.EngineKind;
import dev.millrace.io.IoEngine;
import dev.millrace.io.TemporaryFile;
import dev.millrace.testkit.Content;
import dev.millrace.testkit.EmbeddedS3;
import dev.millrace.testkit.Fault;
import dev.millrace.testkit.S3Checksum;
import dev.millrace.testkit.ScriptedObject;
import dev.millrace.testkit.ScriptedServer;
import java.io.IOException;
import java.net.URI;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;
import software.amazon.awssdk.core.FileTransformerConfiguration;
import software.amazon.awssdk.core.FileTransformerConfiguration.FailureBehavior;
import software.amazon.awssdk.core.FileTransformerConfiguration.FileWriteOption;
import software.amazon.awssdk.core.async.AsyncResponseTransformer;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.s3.S3AsyncClient;
import software.amazon.awssdk.services.s3.S3Client;
import software.amazon.awssdk.services.s3.model.GetObjectRequest;
import software.amazon.awssdk.services.s3.model.GetObjectResponse;

/** What users of the SDK get, inside the SDK's own clients with all their defaults. */
final class TransformersTest {
    private static final Content CONTENT = Content.pattern(9, 700_001);
    private static final GetObjectRequest GET =
            GetObjectRequest.builder().bucket("bucket").key("key").build();

    @TempDir
    Path folder;

    private static ScriptedServer server;
    private static S3AsyncClient async;
    private static S3Client sync;

    static List<EngineKind> engines() {
        return Engines.working().toList();
    }

    @BeforeAll
    static void start() throws IOException {
        server = ScriptedServer.start();
        server.put("bucket", "key", ScriptedObject.of(CONTENT).withChecksum(S3Checksum.CRC32));
        async = async(server.endpoint(), false);
        sync = S3Client.builder()
                .endpointOverride(server.endpoint())
                .region(Region.US_EAST_1)
                .forcePathStyle(true)
                .credentialsProvider(credentials("a", "b"))
                .build();
    }

    private static StaticCredentialsProvider credentials(String access, String secret) {
        return StaticCredentialsProvider.create(AwsBasicCredentials.create(access, secret));
    }

    private static S3AsyncClient async(URI endpoint, boolean multipart) {
        return S3AsyncClient.builder()
                .endpointOverride(endpoint)
                .region(Region.US_EAST_1)
                .forcePathStyle(true)
                .credentialsProvider(credentials("a", "b"))
                .multipartEnabled(multipart)
                .build();
    }

    @AfterAll
    static void stop() {
        async.close();
        sync.close();
        server.close();
    }

    @AfterEach
    void nothingIsLeft() throws Exception {
        server.clearRules();
        // The SDK tells its caller of a failure without waiting for the transformer's clean-up.
        for (EngineKind kind : engines()) {
            IoEngine engine = Engines.open(kind);
            for (int i = 0;
                    i < 3000 && engine.buffers().available() < engine.buffers().size();
                    i++) {
                Thread.sleep(10);
            }
            assertThat(engine.buffers().available()).isEqualTo(engine.buffers().size());
        }
        for (int i = 0; i < 3000 && temporaryFiles() > 0; i++) {
            Thread.sleep(10);
        }
        assertThat(temporaryFiles()).isZero();
    }

    private long temporaryFiles() throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.filter(file ->
                            TemporaryFile.isTemporaryName(file.getFileName().toString()))
                    .count();
        }
    }

    private static GetObjectResponse await(CompletableFuture<GetObjectResponse> future) throws Exception {
        return future.get(60, TimeUnit.SECONDS);
    }

    private Path out() {
        return folder.resolve("out");
    }

    private static FileTransformerConfiguration option(FileWriteOption option, FailureBehavior behaviour) {
        return FileTransformerConfiguration.builder()
                .fileWriteOption(option)
                .failureBehavior(behaviour)
                .build();
    }

    @ParameterizedTest
    @MethodSource("engines")
    void shouldStandWhereToFileStood(EngineKind kind) throws Exception {
        IoEngine engine = Engines.open(kind);
        GetObjectResponse response = await(async.getObject(GET, MillraceTransformers.toFile(engine, out())));
        assertThat(response.contentLength()).isEqualTo(CONTENT.length());
        Rig.assertSame(out(), CONTENT);
        Path other = folder.resolve("sync");
        sync.getObject(GET, MillraceTransformers.toFileSync(engine, other));
        Rig.assertSame(other, CONTENT);
    }

    @ParameterizedTest
    @MethodSource("engines")
    void shouldBeginAnewInEachOfTheClientsTries(EngineKind kind) throws Exception {
        IoEngine engine = Engines.open(kind);
        server.onAny().inTurn(new Fault.ResetAfter(300_000), Fault.slowDown(), new Fault.CloseAfter(600_000));
        await(async.getObject(GET, MillraceTransformers.toFile(engine, out())));
        Rig.assertSame(out(), CONTENT);
        server.onAny().inTurn(new Fault.ResetAfter(300_000), new Fault.CloseAfter(600_000));
        sync.getObject(GET, MillraceTransformers.toFileSync(engine, folder.resolve("sync")));
        Rig.assertSame(folder.resolve("sync"), CONTENT);
    }

    @ParameterizedTest
    @MethodSource("engines")
    void shouldLeaveNothingWhenTheClientGivesUp(EngineKind kind) throws Exception {
        IoEngine engine = Engines.open(kind);
        server.onAny().then(new Fault.CloseAfter(300_000));
        assertThatThrownBy(() -> await(async.getObject(GET, MillraceTransformers.toFile(engine, out()))));
        assertThatThrownBy(() -> sync.getObject(GET, MillraceTransformers.toFileSync(engine, out())));
        server.clearRules();
        server.onAny().then(Fault.noSuchKey());
        assertThatThrownBy(() -> await(async.getObject(GET, MillraceTransformers.toFile(engine, out()))))
                .hasMessageContaining("404");
        assertThat(out()).doesNotExist();
    }

    @Test
    void shouldKeepTheOptionsOfTheSdk() throws Exception {
        IoEngine engine = Engines.open(EngineKind.BLOCKING);
        Files.writeString(out(), "old");
        // CREATE_NEW
        assertThatThrownBy(() -> await(async.getObject(GET, MillraceTransformers.toFile(engine, out()))))
                .hasRootCauseInstanceOf(FileAlreadyExistsException.class);
        assertThatThrownBy(() -> sync.getObject(GET, MillraceTransformers.toFileSync(engine, out())))
                .hasRootCauseInstanceOf(FileAlreadyExistsException.class);
        assertThat(out()).hasContent("old");
        // CREATE_OR_REPLACE_EXISTING
        FileTransformerConfiguration replace = FileTransformerConfiguration.defaultCreateOrReplaceExisting();
        server.onAny().times(4).then(new Fault.CloseAfter(300_000));
        FileTransformerConfiguration replaceOrDelete =
                option(FileWriteOption.CREATE_OR_REPLACE_EXISTING, FailureBehavior.DELETE);
        assertThatThrownBy(
                () -> await(async.getObject(GET, MillraceTransformers.toFile(engine, out(), replaceOrDelete))));
        assertThat(out()).as("a file that the transformer did not make").hasContent("old");
        server.clearRules();
        await(async.getObject(GET, MillraceTransformers.toFile(engine, out(), replace)));
        Rig.assertSame(out(), CONTENT);
        // WRITE_TO_POSITION
        FileTransformerConfiguration position = FileTransformerConfiguration.builder()
                .fileWriteOption(FileWriteOption.WRITE_TO_POSITION)
                .position(10L)
                .failureBehavior(FailureBehavior.LEAVE)
                .build();
        byte[] longer = new byte[800_000];
        Arrays.fill(longer, (byte) 'x');
        Files.write(out(), longer);
        await(async.getObject(GET, MillraceTransformers.toFile(engine, out(), position)));
        byte[] expected = longer.clone();
        System.arraycopy(CONTENT.toBytes(), 0, expected, 10, (int) CONTENT.length());
        assertThat(Files.readAllBytes(out())).isEqualTo(expected);
        assertThatThrownBy(() -> await(
                        async.getObject(GET, MillraceTransformers.toFile(engine, folder.resolve("no"), position))))
                .hasRootCauseInstanceOf(NoSuchFileException.class);
    }

    @ParameterizedTest
    @MethodSource("engines")
    void shouldNeverHoldBytesOfAnAppendTwice(EngineKind kind) throws Exception {
        IoEngine engine = Engines.open(kind);
        FileTransformerConfiguration append = FileTransformerConfiguration.defaultCreateOrAppend();
        await(async.getObject(GET, MillraceTransformers.toFile(engine, out(), append)));
        Rig.assertSame(out(), CONTENT);
        server.onAny().once().then(new Fault.ResetAfter(300_000));
        await(async.getObject(GET, MillraceTransformers.toFile(engine, out(), append)));
        byte[] once = CONTENT.toBytes();
        byte[] twice = Arrays.copyOf(once, 2 * once.length);
        System.arraycopy(once, 0, twice, once.length, once.length);
        assertThat(Files.readAllBytes(out())).isEqualTo(twice);
        server.onAny().then(new Fault.CloseAfter(300_000));
        assertThatThrownBy(() -> await(async.getObject(
                GET,
                MillraceTransformers.toFile(
                        engine, out(), option(FileWriteOption.CREATE_OR_APPEND_TO_EXISTING, FailureBehavior.DELETE)))));
        for (int i = 0; i < 3000 && Files.size(out()) != twice.length; i++) {
            Thread.sleep(10); // the clean-up of the last try
        }
        assertThat(Files.readAllBytes(out())).isEqualTo(twice);
    }

    @Test
    void shouldRefuseAnExecutorWhenBuilt() {
        var executor = Executors.newSingleThreadExecutor();
        try {
            FileTransformerConfiguration with = FileTransformerConfiguration.builder()
                    .fileWriteOption(FileWriteOption.CREATE_NEW)
                    .failureBehavior(FailureBehavior.DELETE)
                    .executorService(executor)
                    .build();
            IoEngine engine = Engines.open(EngineKind.BLOCKING);
            assertThatThrownBy(() -> MillraceTransformers.toFile(engine, out(), with))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("the engine writes");
        } finally {
            executor.shutdown();
        }
    }

    @Test
    void shouldRefuseToBeSplit() {
        try (S3AsyncClient multipart = async(server.endpoint(), true)) {
            IoEngine engine = Engines.open(EngineKind.BLOCKING);
            assertThatThrownBy(() -> await(multipart.getObject(GET, MillraceTransformers.toFile(engine, out()))))
                    .hasMessageContaining("one stream")
                    .hasMessageContaining("multipartEnabled");
            assertThat(out()).doesNotExist();
        }
    }

    @Test
    void shouldNotBeStrandedByAContinuationThatThrowsOrBlocks() throws Exception {
        IoEngine engine = Engines.open(EngineKind.BLOCKING);
        CountDownLatch forever = new CountDownLatch(1);
        CompletableFuture<GetObjectResponse> first =
                async.getObject(GET, MillraceTransformers.toFile(engine, folder.resolve("1")));
        first.thenRun(() -> {
            throw new IllegalStateException("the user's own");
        });
        CompletableFuture<Void> blocked = first.thenRun(() -> {
            try {
                forever.await();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        });
        // Not first.get(): the future may wake its waiters after the continuation that blocks.
        await(async.getObject(GET, MillraceTransformers.toFile(engine, folder.resolve("2"))));
        Rig.assertSame(folder.resolve("2"), CONTENT);
        forever.countDown();
        blocked.get(30, TimeUnit.SECONDS);
        Rig.assertSame(folder.resolve("1"), CONTENT);
    }

    @Test
    void shouldCleanUpWhenTheCallersFutureIsCancelled() throws Exception {
        IoEngine engine = Engines.open(EngineKind.BLOCKING);
        server.onAny().then(new Fault.StallAfter(300_000, java.time.Duration.ofMinutes(1)));
        CompletableFuture<GetObjectResponse> future = async.getObject(GET, MillraceTransformers.toFile(engine, out()));
        for (int i = 0; i < 3000 && temporaryFiles() == 0; i++) {
            Thread.sleep(10);
        }
        future.cancel(true);
        for (int i = 0; i < 3000 && temporaryFiles() > 0; i++) {
            Thread.sleep(10);
        }
        assertThat(temporaryFiles()).isZero();
        assertThat(out()).doesNotExist();
    }

    @Test
    void shouldTakeRangesAsTheyCome() throws Exception {
        IoEngine engine = Engines.open(EngineKind.BLOCKING);
        AsyncResponseTransformer<GetObjectResponse, GetObjectResponse> toFile =
                MillraceTransformers.toFile(engine, out());
        await(async.getObject(GET.toBuilder().range("bytes=5-500004").build(), toFile));
        assertThat(Files.readAllBytes(out())).isEqualTo(Arrays.copyOfRange(CONTENT.toBytes(), 5, 500_005));
    }

    @Test
    void shouldWorkAgainstARealServer() throws Exception {
        IoEngine engine = Engines.open(EngineKind.BLOCKING);
        try (EmbeddedS3 s3 = EmbeddedS3.start()) {
            s3.put("bucket", "key", CONTENT, S3Checksum.CRC64NVME);
            s3.client().getObject(GET, MillraceTransformers.toFileSync(engine, out()));
            Rig.assertSame(out(), CONTENT);
        }
    }
}
