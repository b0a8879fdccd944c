// SPDX-License-Identifier: Apache-2.0
package dev.millrace.testkit;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import org.gaul.s3proxy.S3Proxy;
import org.gaul.s3proxy.auth.AuthenticationType;
import org.gaul.s3proxy.blobstore.BlobStore;
import org.gaul.s3proxy.checksum.FlexChecksum;
import org.gaul.s3proxy.nio2blob.FilesystemNio2BlobStore;
import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.s3.S3Client;
import software.amazon.awssdk.services.s3.model.CreateBucketRequest;
import software.amazon.awssdk.services.s3.model.PutObjectRequest;

/**
 * An S3 server in this process: s3proxy over a folder, on a free port of 127.0.0.1, with signatures checked. Objects
 * are files, and stream to and from them; memory does not grow with their size.
 *
 * <p>All methods may be called from any thread. {@link #close} frees the port, ends the threads, closes the client, and
 * removes the folder if the server made it.
 *
 * <p>How it answers is told in the {@linkplain dev.millrace.testkit package's description}.
 */
public final class EmbeddedS3 implements AutoCloseable {
    private static final String ACCESS_KEY = "millrace-access";
    private static final String SECRET_KEY = "millrace-secret-0123456789";
    private static final String REGION = "us-east-1";
    private static final int MAX_THREADS = 300;

    private final Path folder;
    private final boolean ownsFolder;
    private final BlobStore store;
    private final S3Proxy proxy;
    private final URI endpoint;
    private final Object lock = new Object();
    private Optional<S3Client> client = Optional.empty();
    private boolean closed;

    private EmbeddedS3(Path folder, boolean ownsFolder) throws IOException {
        this.folder = folder;
        this.ownsFolder = ownsFolder;
        store = new FilesystemNio2BlobStore(folder.toString());
        proxy = S3Proxy.builder()
                .blobStore(store)
                .endpoint(URI.create("http://127.0.0.1:0"))
                .awsAuthentication(AuthenticationType.AWS_V2_OR_V4, ACCESS_KEY, SECRET_KEY)
                .ignoreUnknownHeaders(true)
                .jettyMaxThreads(MAX_THREADS)
                .stopTimeout(0)
                .build();
        try {
            proxy.start();
        } catch (Exception e) {
            throw new IOException("The embedded S3 server does not start: " + e.getMessage(), e);
        }
        endpoint = URI.create("http://127.0.0.1:" + proxy.getPort());
    }

    /** A server over a new folder below {@code java.io.tmpdir}, which goes when the server is closed. */
    public static EmbeddedS3 start() throws IOException {
        Path folder = Files.createTempDirectory("millrace-s3-");
        try {
            return new EmbeddedS3(folder, true);
        } catch (IOException | RuntimeException e) {
            FileTree.remove(folder);
            throw e;
        }
    }

    /**
     * A server over a folder of one's own, which stays; each folder in it is a bucket. Files put there otherwise are
     * served, too, but have no ETag. The file system must know extended attributes.
     */
    public static EmbeddedS3 start(Path folder) throws IOException {
        Files.createDirectories(folder);
        return new EmbeddedS3(folder.toAbsolutePath(), false);
    }

    /** The address for clients, path style; such as {@code http://127.0.0.1:40001}. */
    public URI endpoint() {
        return endpoint;
    }

    /** The only access key it knows. */
    public String accessKey() {
        return ACCESS_KEY;
    }

    /** The secret to it. */
    public String secretKey() {
        return SECRET_KEY;
    }

    /** The region to sign for. */
    public String region() {
        return REGION;
    }

    /** Where the objects lie: a folder for each bucket. */
    public Path folder() {
        return folder;
    }

    /** The URL of an object; a GET of it needs a signature. */
    public URI url(String bucket, String key) {
        return URI.create(endpoint + Percent.path(bucket, key));
    }

    /** Makes a bucket, whose name has 3 to 63 characters; one that is there stays as it is. */
    public EmbeddedS3 createBucket(String bucket) {
        synchronized (lock) {
            if (!store.containerExists(bucket)) {
                store.createContainer(
                        CreateBucketRequest.builder().bucket(bucket).build());
            }
        }
        return this;
    }

    /** Puts an object straight into the store, past HTTP; makes the bucket, too. The ETag is the MD5. */
    public EmbeddedS3 put(String bucket, String key, byte[] bytes) {
        return put(bucket, key, Content.of(bytes));
    }

    /** Puts the content of a file straight into the store. */
    public EmbeddedS3 put(String bucket, String key, Path file) throws IOException {
        try (InputStream in = Files.newInputStream(file)) {
            return put(bucket, key, in, Files.size(file), Map.of());
        }
    }

    /** Puts a content straight into the store; it may be larger than memory. */
    public EmbeddedS3 put(String bucket, String key, Content content) {
        return put(bucket, key, content.stream(), content.length(), Map.of());
    }

    /**
     * Puts a content straight into the store with a checksum, which the server then sends where the request switches
     * the checksum mode on. Takes one more pass over the content.
     */
    public EmbeddedS3 put(String bucket, String key, Content content, S3Checksum checksum) {
        // among the user's metadata, where the server keeps it when a client uploads with it
        String name = FlexChecksum.valueOf(checksum.name()).metadataKey();
        return put(bucket, key, content.stream(), content.length(), Map.of(name, checksum.of(content)));
    }

    private EmbeddedS3 put(String bucket, String key, InputStream in, long length, Map<String, String> metadata) {
        createBucket(bucket);
        store.putBlob(
                PutObjectRequest.builder()
                        .bucket(bucket)
                        .key(key)
                        .contentLength(length)
                        .metadata(metadata)
                        .build(),
                new BufferedInputStream(in, 1 << 20));
        return this;
    }

    /** A client of this server, path style, with the right keys; it belongs to the server, which closes it. */
    public S3Client client() {
        synchronized (lock) {
            if (closed) {
                throw new IllegalStateException("The embedded S3 server was closed.");
            }
            if (client.isEmpty()) {
                client = Optional.of(newClient(endpoint, SECRET_KEY));
            }
            return client.get();
        }
    }

    /**
     * A new client of this server that goes through another address, a {@link FaultProxy}'s for example. It belongs to
     * the caller.
     */
    public S3Client newClient(URI through) {
        return newClient(through, SECRET_KEY);
    }

    /** A new client with a secret of one's choice; a wrong one is refused with 403. It belongs to the caller. */
    public S3Client newClient(URI through, String secretKey) {
        return S3Client.builder()
                .endpointOverride(through)
                .region(Region.of(REGION))
                .forcePathStyle(true)
                .credentialsProvider(
                        StaticCredentialsProvider.create(AwsBasicCredentials.create(ACCESS_KEY, secretKey)))
                .build();
    }

    /** Stops serving, ends transfers under way, and removes the folder if it is the server's own. */
    @Override
    public void close() throws IOException {
        synchronized (lock) {
            if (closed) {
                return;
            }
            closed = true;
            client.ifPresent(S3Client::close);
        }
        try {
            proxy.stop();
        } catch (Exception e) {
            throw new IOException("The embedded S3 server does not stop: " + e.getMessage(), e);
        } finally {
            if (ownsFolder) {
                FileTree.remove(folder);
            }
        }
    }
}
