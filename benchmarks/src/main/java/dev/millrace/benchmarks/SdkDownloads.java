// SPDX-License-Identifier: Apache-2.0
package dev.millrace.benchmarks;

import java.nio.file.Path;
import java.util.List;
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
import software.amazon.awssdk.transfer.s3.S3TransferManager;
import software.amazon.awssdk.transfer.s3.model.DownloadFileRequest;

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
        SYNC,
        /** The client on Amazon's library in C: {@code AsyncResponseTransformer.toFile}. */
        CRT,
        /** The transfer manager on the client in C. */
        TRANSFER_MANAGER
    }

    private final Client kind;
    private final int concurrency;
    private final AutoCloseable client;
    private final SyncedFiles.Download download;

    SdkDownloads(Client kind, S3Options s3, int concurrency) {
        this.kind = kind;
        this.concurrency = concurrency;
        AwsCredentialsProvider credentials = credentials(s3);
        switch (kind) {
            case SYNC -> {
                S3Client sync = S3Client.builder()
                        .endpointOverride(s3.endpoint)
                        .region(Region.of(s3.region))
                        .forcePathStyle(s3.pathStyle)
                        .credentialsProvider(credentials)
                        .build();
                client = sync;
                download = (item, file) -> sync.getObject(request(item), ResponseTransformer.toFile(file));
            }
            case CRT -> {
                S3AsyncClient crt = crt(s3, credentials);
                client = crt;
                download = (item, file) -> crt.getObject(request(item), AsyncResponseTransformer.toFile(file))
                        .join();
            }
            case TRANSFER_MANAGER -> {
                S3AsyncClient crt = crt(s3, credentials);
                S3TransferManager manager =
                        S3TransferManager.builder().s3Client(crt).build();
                client = () -> {
                    manager.close();
                    crt.close();
                };
                download = (item, file) -> manager.downloadFile(DownloadFileRequest.builder()
                                .getObjectRequest(request(item))
                                .destination(file)
                                .build())
                        .completionFuture()
                        .join();
            }
            default -> {
                S3AsyncClient async = netty(s3, credentials, kind == Client.NETTY_MULTIPART);
                client = async;
                download = (item, file) -> async.getObject(request(item), AsyncResponseTransformer.toFile(file))
                        .join();
            }
        }
    }

    private static GetObjectRequest request(Item item) {
        return GetObjectRequest.builder().bucket(item.bucket()).key(item.key()).build();
    }

    /** The asynchronous client on Netty as a user makes it. */
    static S3AsyncClient netty(S3Options s3, AwsCredentialsProvider credentials, boolean multipart) {
        return S3AsyncClient.builder()
                .httpClientBuilder(NettyNioAsyncHttpClient.builder())
                .multipartEnabled(multipart)
                .endpointOverride(s3.endpoint)
                .region(Region.of(s3.region))
                .forcePathStyle(s3.pathStyle)
                .credentialsProvider(credentials)
                .build();
    }

    private static S3AsyncClient crt(S3Options s3, AwsCredentialsProvider credentials) {
        return S3AsyncClient.crtBuilder()
                .endpointOverride(s3.endpoint)
                .region(Region.of(s3.region))
                .forcePathStyle(s3.pathStyle)
                .credentialsProvider(credentials)
                .build();
    }

    static AwsCredentialsProvider credentials(S3Options s3) {
        return s3.anonymous
                ? AnonymousCredentialsProvider.create()
                : DefaultCredentialsProvider.builder().build();
    }

    @Override
    public Figures run(List<Item> items, Path folder) {
        return Figures.ofRival(SyncedFiles.run(items, folder, concurrency, true, download), engine(), false);
    }

    private String engine() {
        return switch (kind) {
            case NETTY -> "sdk-netty";
            case NETTY_MULTIPART -> "sdk-netty-multipart";
            case SYNC -> "sdk-sync";
            case CRT -> "sdk-crt";
            case TRANSFER_MANAGER -> "sdk-transfer-manager";
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
