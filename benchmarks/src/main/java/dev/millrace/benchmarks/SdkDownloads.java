// SPDX-License-Identifier: Apache-2.0
package dev.millrace.benchmarks;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import software.amazon.awssdk.auth.credentials.AnonymousCredentialsProvider;
import software.amazon.awssdk.auth.credentials.AwsCredentialsProvider;
import software.amazon.awssdk.auth.credentials.DefaultCredentialsProvider;
import software.amazon.awssdk.core.async.AsyncResponseTransformer;
import software.amazon.awssdk.core.sync.ResponseTransformer;
import software.amazon.awssdk.http.nio.netty.NettyNioAsyncHttpClient;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.s3.S3AsyncClient;
import software.amazon.awssdk.services.s3.S3Client;
import software.amazon.awssdk.services.s3.model.GetObjectRequest;

/**
 * The rival: the AWS SDK's own {@code toFile}, with the settings that a user gets who changes nothing but the address,
 * the region, the style of paths and the credentials. Each file is synced afterwards, since ours are; it is written under
 * its final name and its folder is not synced, which spares the rival what ours does.
 */
final class SdkDownloads implements Contender {
    /** Which of the SDK's clients. */
    enum Client {
        /** The asynchronous client on Netty: {@code AsyncResponseTransformer.toFile}. */
        NETTY,
        /** The asynchronous client on Netty that asks for several parts of an object at once. */
        NETTY_MULTIPART,
        /** The synchronous client with the HTTP client that it finds: {@code ResponseTransformer.toFile}. */
        SYNC
    }

    /** Downloads one object; the file is written, not yet synced, when it returns. */
    private interface Download {
        void toFile(GetObjectRequest request, Path file);
    }

    private final Client kind;
    private final int concurrency;
    private final AutoCloseable client;
    private final Download download;

    SdkDownloads(Client kind, S3Options s3, int concurrency) {
        this.kind = kind;
        this.concurrency = concurrency;
        AwsCredentialsProvider credentials = s3.anonymous
                ? AnonymousCredentialsProvider.create()
                : DefaultCredentialsProvider.builder().build();
        if (kind == Client.SYNC) {
            S3Client sync = S3Client.builder()
                    .endpointOverride(s3.endpoint)
                    .region(Region.of(s3.region))
                    .forcePathStyle(s3.pathStyle)
                    .credentialsProvider(credentials)
                    .build();
            client = sync;
            download = (request, file) -> sync.getObject(request, ResponseTransformer.toFile(file));
        } else {
            S3AsyncClient async = S3AsyncClient.builder()
                    .httpClientBuilder(NettyNioAsyncHttpClient.builder())
                    .multipartEnabled(kind == Client.NETTY_MULTIPART)
                    .endpointOverride(s3.endpoint)
                    .region(Region.of(s3.region))
                    .forcePathStyle(s3.pathStyle)
                    .credentialsProvider(credentials)
                    .build();
            client = async;
            download = (request, file) -> async.getObject(request, AsyncResponseTransformer.toFile(file))
                    .join();
        }
    }

    @Override
    public Figures run(List<Item> items, Path folder) {
        int threads = Math.min(concurrency, items.size());
        AtomicInteger next = new AtomicInteger();
        AtomicInteger failed = new AtomicInteger();
        AtomicLong bytes = new AtomicLong();
        CountDownLatch done = new CountDownLatch(threads);
        Window start = Window.begin();
        for (int i = 0; i < threads; i++) {
            // One waiting thread for each download under way: it costs one wake-up an object.
            Thread thread = new Thread(
                    () -> {
                        for (int n = next.getAndIncrement(); n < items.size(); n = next.getAndIncrement()) {
                            Item item = items.get(n);
                            try {
                                bytes.addAndGet(one(item, folder.resolve(item.target())));
                            } catch (IOException | RuntimeException e) {
                                failed.incrementAndGet();
                                System.err.println(item.line() + ": " + Commands.sentence(e));
                            }
                        }
                        done.countDown();
                    },
                    "sdk-download-" + i);
            thread.setDaemon(true);
            thread.start();
        }
        try {
            done.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("The downloads were interrupted.", e);
        }
        Window spent = start.spent();
        return new Figures(
                items.size() - failed.get(),
                failed.get(),
                bytes.get(),
                spent,
                engine(),
                "none",
                false,
                false,
                0,
                0,
                0,
                0,
                Map.of(),
                0);
    }

    private long one(Item item, Path file) throws IOException {
        Files.createDirectories(file.toAbsolutePath().getParent());
        download.toFile(
                GetObjectRequest.builder().bucket(item.bucket()).key(item.key()).build(), file);
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
            channel.force(true);
            return channel.size();
        }
    }

    private String engine() {
        return switch (kind) {
            case NETTY -> "sdk-netty";
            case NETTY_MULTIPART -> "sdk-netty-multipart";
            case SYNC -> "sdk-sync";
        };
    }

    @Override
    public void close() {
        try {
            client.close();
        } catch (Exception e) {
            throw new IllegalStateException("The SDK's client does not close: " + Commands.sentence(e), e);
        }
    }
}
