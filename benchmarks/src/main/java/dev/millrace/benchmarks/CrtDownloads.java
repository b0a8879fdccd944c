// SPDX-License-Identifier: Apache-2.0
package dev.millrace.benchmarks;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import software.amazon.awssdk.crt.CRT;
import software.amazon.awssdk.crt.http.HttpHeader;
import software.amazon.awssdk.crt.http.HttpRequest;
import software.amazon.awssdk.crt.io.ClientBootstrap;
import software.amazon.awssdk.crt.io.EventLoopGroup;
import software.amazon.awssdk.crt.io.HostResolver;
import software.amazon.awssdk.crt.io.TlsContext;
import software.amazon.awssdk.crt.io.TlsContextOptions;
import software.amazon.awssdk.crt.s3.FileIoOptions;
import software.amazon.awssdk.crt.s3.S3Client;
import software.amazon.awssdk.crt.s3.S3ClientOptions;
import software.amazon.awssdk.crt.s3.S3FinishedResponseContext;
import software.amazon.awssdk.crt.s3.S3MetaRequest;
import software.amazon.awssdk.crt.s3.S3MetaRequestOptions;
import software.amazon.awssdk.crt.s3.S3MetaRequestResponseHandler;

/**
 * The hardest rival: Amazon's client in C with the answer's file path, so that no byte reaches Java, and direct I/O. It
 * does not sync; that is done here, as for the others.
 */
final class CrtDownloads implements Contender {
    /** As a user sets it who wants all there is; the default of 10 would hold back nothing here either. */
    private static final double TARGET_GBPS = 100;

    private static final long MIB = 1 << 20;

    private final S3Options s3;
    private final int concurrency;
    private final EventLoopGroup threads = new EventLoopGroup(0);
    private final HostResolver resolver = new HostResolver(threads);
    private final ClientBootstrap bootstrap = new ClientBootstrap(threads, resolver);
    private final Optional<TlsContext> tls;
    private final S3Client client;

    CrtDownloads(S3Options s3, int concurrency, int partMib, Optional<Path> authority) throws IOException {
        this.s3 = s3;
        this.concurrency = concurrency;
        this.tls = "https".equals(s3.endpoint.getScheme()) ? Optional.of(context(authority)) : Optional.empty();
        S3ClientOptions options = new S3ClientOptions()
                .withRegion(s3.region)
                .withClientBootstrap(bootstrap)
                .withThroughputTargetGbps(TARGET_GBPS)
                .withPartSize(partMib * MIB)
                .withFileIoOptions(new FileIoOptions(false, 0, true));
        client = new S3Client(tls.map(options::withTlsContext).orElse(options));
    }

    private static TlsContext context(Optional<Path> authority) throws IOException {
        try (TlsContextOptions options = TlsContextOptions.createDefaultClient()) {
            if (authority.isPresent()) {
                options.withCertificateAuthority(Files.readString(authority.get()));
            }
            return new TlsContext(options);
        }
    }

    @Override
    public Figures run(List<Item> items, Path folder) {
        return Figures.ofRival(SyncedFiles.run(items, folder, concurrency, true, this::toFile), "aws-crt-direct", true);
    }

    private void toFile(Item item, Path file) {
        HttpHeader[] headers = {
            new HttpHeader("Host", s3.endpoint.getHost() + ":" + s3.endpoint.getPort()), new HttpHeader("Accept", "*/*")
        };
        CompletableFuture<Void> done = new CompletableFuture<>();
        S3MetaRequestOptions options = new S3MetaRequestOptions()
                .withMetaRequestType(S3MetaRequestOptions.MetaRequestType.GET_OBJECT)
                .withHttpRequest(new HttpRequest("GET", "/" + item.bucket() + "/" + item.key(), headers, null))
                .withEndpoint(s3.endpoint)
                .withResponseFilePath(file)
                .withResponseHandler(new S3MetaRequestResponseHandler() {
                    @Override
                    public void onFinished(S3FinishedResponseContext context) {
                        if (context.getErrorCode() == 0) {
                            done.complete(null);
                        } else {
                            done.completeExceptionally(new IllegalStateException(String.format(
                                    Locale.ROOT,
                                    "the client in C failed with its code %d (%s), HTTP status %d",
                                    context.getErrorCode(),
                                    CRT.awsErrorString(context.getErrorCode()),
                                    context.getResponseStatus())));
                        }
                    }
                });
        S3MetaRequest request = client.makeMetaRequest(options);
        try {
            done.join();
        } finally {
            request.close();
        }
    }

    @Override
    public void close() {
        client.close();
        client.getShutdownCompleteFuture().join();
        tls.ifPresent(TlsContext::close);
        bootstrap.close();
        resolver.close();
        threads.close();
    }
}
