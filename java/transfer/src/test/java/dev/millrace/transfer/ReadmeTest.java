// SPDX-License-Identifier: Apache-2.0
package dev.millrace.transfer;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millrace.io.DirectMode;
import dev.millrace.io.IoEngine;
import dev.millrace.io.IoEngineConfig;
import dev.millrace.io.OpenOptions;
import dev.millrace.io.OwnedBuffer;
import dev.millrace.io.VirtualFile;
import dev.millrace.testkit.Content;
import dev.millrace.testkit.EmbeddedS3;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.s3.S3AsyncClient;
import software.amazon.awssdk.services.s3.model.GetObjectRequest;

/** The first page's snippets stand here, compile, and run; the page must show exactly this text. */
class ReadmeTest {
    private static final Content CONTENT = Content.pattern(7, 3_000_001);

    @TempDir
    Path folder;

    private EmbeddedS3 store;

    @BeforeEach
    void startTheStore() throws Exception {
        store = EmbeddedS3.start();
        store.createBucket("bucket");
        store.put("bucket", "layers/0001", CONTENT);
        System.setProperty("aws.accessKeyId", store.accessKey());
        System.setProperty("aws.secretAccessKey", store.secretKey());
    }

    @AfterEach
    void stopTheStore() throws Exception {
        System.clearProperty("aws.accessKeyId");
        System.clearProperty("aws.secretAccessKey");
        store.close();
    }

    @Test
    void fileSnippetWritesAndReads() throws Exception {
        Path path = folder.resolve("file");
        // snippet: file
        try (IoEngine engine = IoEngine.open(IoEngineConfig.defaults());
                VirtualFile file =
                        VirtualFile.open(engine, path, OpenOptions.creating().withDirect(DirectMode.PREFERRED));
                OwnedBuffer buffer = engine.buffers().acquire()) {
            buffer.fill(0, 4096, (byte) 42);
            file.write(buffer, 0, 4096, 0); // runs on a platform thread itself, parks a virtual one
            file.sync();
            int count = file.readAsync(buffer, 0, 4096, 0).join().bytes(); // or as a future
            System.out.println(count + " bytes on " + engine.status());
        }
        // end
        assertThat(Files.size(path)).isEqualTo(4096);
    }

    @Test
    void downloadSnippetBringsTheObject() throws Exception {
        Path target = folder.resolve("0001");
        URI endpoint = store.endpoint();
        // snippet: download
        try (IoEngine engine = IoEngine.open(IoEngineConfig.defaults());
                ObjectSource source = S3Source.builder()
                        .endpoint(endpoint)
                        .region("us-east-1")
                        .pathStyle(true)
                        .build();
                Downloader downloader = Downloader.open(engine, source, DownloaderConfig.defaults())) {
            DownloadRequest request = DownloadRequest.of(new ObjectId("bucket", "layers/0001"), target);
            DownloadResult result = downloader.download(request).join();
            System.out.println(result.bytes() + " bytes at " + result.target() + ", verified: " + result.verified());
        }
        // end
        assertThat(CONTENT.differenceFrom(target)).isEmpty();
    }

    @Test
    void sdkSnippetBringsTheObject() throws Exception {
        Path path = folder.resolve("sdk");
        GetObjectRequest request =
                GetObjectRequest.builder().bucket("bucket").key("layers/0001").build();
        try (IoEngine engine = IoEngine.open(IoEngineConfig.defaults());
                S3AsyncClient client = S3AsyncClient.builder()
                        .endpointOverride(store.endpoint())
                        .region(Region.US_EAST_1)
                        .forcePathStyle(true)
                        .credentialsProvider(StaticCredentialsProvider.create(
                                AwsBasicCredentials.create(store.accessKey(), store.secretKey())))
                        .build()) {
            // snippet: sdk
            // before: client.getObject(request, AsyncResponseTransformer.toFile(path)).join();
            client.getObject(request, MillraceTransformers.toFile(engine, path)).join();
            // end
        }
        assertThat(CONTENT.differenceFrom(path)).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(strings = {"file", "download", "sdk"})
    void firstPageShowsWhatRunsHere(String name) throws Exception {
        List<String> source = Files.readAllLines(Path.of("src/test/java/dev/millrace/transfer/ReadmeTest.java"));
        int begin = indexOf(source, "// snippet: " + name, 0);
        String snippet = source.subList(begin + 1, indexOf(source, "// end", begin)).stream()
                .collect(Collectors.joining("\n"))
                .stripIndent();
        List<String> page = Files.readAllLines(Path.of("../../README.md"));
        int from = indexOf(page, "<!-- snippet: " + name + " -->", 0);
        String shown = String.join("\n", page.subList(from + 1, indexOf(page, "<!-- /snippet -->", from)));

        assertThat(shown).isEqualTo("```java\n" + snippet + "\n```");
    }

    private static int indexOf(List<String> lines, String text, int from) {
        for (int i = from; i < lines.size(); i++) {
            if (lines.get(i).strip().equals(text)) {
                return i;
            }
        }
        throw new AssertionError("there is no line " + text);
    }
}
