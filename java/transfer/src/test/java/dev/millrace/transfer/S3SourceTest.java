// SPDX-License-Identifier: Apache-2.0
package dev.millrace.transfer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.millrace.testkit.Content;
import dev.millrace.testkit.EmbeddedS3;
import dev.millrace.testkit.S3Checksum;
import java.io.IOException;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;

/** The contract against a real S3 server, signatures checked. */
final class S3SourceTest extends WriterContract {
    private static EmbeddedS3 s3;
    private S3Source source;

    @BeforeAll
    static void start() throws IOException {
        s3 = EmbeddedS3.start();
        s3.put("bucket", KEY, CONTENT);
        s3.put("bucket", "empty", Content.of(""));
    }

    @AfterAll
    static void stop() throws IOException {
        s3.close();
    }

    @BeforeEach
    void open() {
        source = source(s3.secretKey());
    }

    private static S3Source source(String secret) {
        return S3Source.builder()
                .endpoint(s3.endpoint())
                .region(s3.region())
                .pathStyle(true)
                .credentials(StaticCredentialsProvider.create(AwsBasicCredentials.create(s3.accessKey(), secret)))
                .build();
    }

    @AfterEach
    void close() {
        source.close();
    }

    @Override
    ObjectSource source() {
        return source;
    }

    @Override
    ObjectWriter writer() {
        return source;
    }

    @Override
    void put(String key, Content content) {
        s3.put("bucket", key, content);
    }

    @Test
    void shouldTellChecksums() throws Exception {
        s3.put("bucket", "summed", CONTENT, S3Checksum.CRC64NVME);
        assertThat(source.head(id("summed")).get().checksums())
                .containsEntry("crc64nvme", S3Checksum.CRC64NVME.of(CONTENT));
    }

    @Test
    void shouldSayThatAKeyIsWrong() {
        try (S3Source wrong = source("wrong")) {
            assertThatThrownBy(() -> {
                        source.close();
                        source = wrong;
                        fetch(FetchRequest.of(id(KEY)));
                    })
                    .isInstanceOfSatisfying(
                            SourceFailure.class,
                            failure -> assertThat(failure.code()).isEqualTo("SignatureDoesNotMatch"));
        }
    }
}
