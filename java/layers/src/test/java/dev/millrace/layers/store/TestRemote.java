// SPDX-License-Identifier: Apache-2.0
package dev.millrace.layers.store;

import dev.millrace.testkit.Content;
import dev.millrace.testkit.EmbeddedS3;
import dev.millrace.transfer.LocalFolderSource;
import dev.millrace.transfer.ObjectSource;
import dev.millrace.transfer.ObjectWriter;
import dev.millrace.transfer.S3Source;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicInteger;
import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;

/**
 * A store of objects for one test: a bucket of its own. What is in it can be looked at and changed as files, in either kind.
 */
abstract sealed class TestRemote implements AutoCloseable {
    /** One server for all tests, since starting one takes longer than most of them. */
    private static final class Server {
        private static final EmbeddedS3 S3 = start();
        private static final S3Source SOURCE = S3Source.builder()
                .endpoint(S3.endpoint())
                .region(S3.region())
                .pathStyle(true)
                .credentials(
                        StaticCredentialsProvider.create(AwsBasicCredentials.create(S3.accessKey(), S3.secretKey())))
                .build();
        private static final AtomicInteger BUCKETS = new AtomicInteger();

        private static EmbeddedS3 start() {
            try {
                EmbeddedS3 started = EmbeddedS3.start();
                Runtime.getRuntime().addShutdownHook(new Thread(() -> stop(started), "s3-end"));
                return started;
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }

        private static void stop(EmbeddedS3 started) {
            try {
                started.close();
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }

    final String bucket;

    private TestRemote(String bucket) {
        this.bucket = bucket;
    }

    /** An empty bucket; {@code root} is a folder that it may use. */
    static TestRemote open(Combination.Remote kind, Path root) throws IOException {
        return switch (kind) {
            case FOLDER -> new Folder(root.resolve("remote"));
            case S3 -> new Bucket();
        };
    }

    abstract ObjectSource source();

    abstract ObjectWriter writer();

    /** Where its objects lie. */
    abstract Path folder();

    /** Puts an object there, past the store that is tested. */
    abstract void put(String key, byte[] content) throws IOException;

    @Override
    public abstract void close();

    private static final class Folder extends TestRemote {
        private final Path root;
        private final LocalFolderSource source;

        Folder(Path root) throws IOException {
            super("bucket");
            this.root = root;
            Files.createDirectories(root.resolve(bucket));
            source = LocalFolderSource.open(root);
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
        Path folder() {
            return root.resolve(bucket);
        }

        @Override
        void put(String key, byte[] content) throws IOException {
            Path file = folder().resolve(key);
            Files.createDirectories(file.getParent());
            Files.write(file, content);
        }

        @Override
        public void close() {
            source.close();
        }
    }

    private static final class Bucket extends TestRemote {
        Bucket() {
            super("bucket-" + Server.BUCKETS.getAndIncrement());
            Server.S3.createBucket(bucket);
        }

        @Override
        ObjectSource source() {
            return Server.SOURCE;
        }

        @Override
        ObjectWriter writer() {
            return Server.SOURCE;
        }

        @Override
        Path folder() {
            return Server.S3.folder().resolve(bucket);
        }

        @Override
        void put(String key, byte[] content) {
            Server.S3.put(bucket, key, Content.of(content));
        }

        @Override
        public void close() {
            // the server is all tests'
        }
    }
}
