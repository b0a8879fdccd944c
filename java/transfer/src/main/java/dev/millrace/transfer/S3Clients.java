// SPDX-License-Identifier: Apache-2.0
package dev.millrace.transfer;

import io.netty.channel.AdaptiveRecvByteBufAllocator;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.nio.NioEventLoopGroup;
import io.netty.util.concurrent.DefaultThreadFactory;
import java.net.URI;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import software.amazon.awssdk.auth.credentials.AwsCredentialsProvider;
import software.amazon.awssdk.awscore.retry.AwsRetryStrategy;
import software.amazon.awssdk.core.checksums.RequestChecksumCalculation;
import software.amazon.awssdk.core.checksums.ResponseChecksumValidation;
import software.amazon.awssdk.core.client.config.SdkAdvancedAsyncClientOption;
import software.amazon.awssdk.http.Protocol;
import software.amazon.awssdk.http.async.SdkAsyncHttpClient;
import software.amazon.awssdk.http.nio.netty.NettyNioAsyncHttpClient;
import software.amazon.awssdk.http.nio.netty.ProxyConfiguration;
import software.amazon.awssdk.http.nio.netty.SdkEventLoopGroup;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.s3.S3AsyncClient;
import software.amazon.awssdk.services.s3.S3AsyncClientBuilder;

/** The SDK's clients of one source: one for each place that requests are sent to, all on the same connections' threads. */
final class S3Clients implements AutoCloseable {
    private static final int MAX_ROUTES = 64;
    /** The SDK's read timeout also runs while our disk holds the reading back; the downloader has its own, better one. */
    private static final Duration NEVER = Duration.ofDays(1);

    /** Permits keep requests from queueing for connections, so this passes only when the SDK's pool forgets one. */
    private static final Duration ACQUIRE = Duration.ofSeconds(10);

    /**
     * One event loop carries more than a disk takes. With several, the SDK's pool may forget a request that comes right
     * after the first connection was refused, until {@link #ACQUIRE} passes.
     */
    private static final int PROCESSORS_PER_EVENT_LOOP = 4;

    private static final int MAX_EVENT_LOOPS = 4;

    /**
     * Where requests go.
     *
     * @param endpoint the store's address; empty for AWS by its region
     * @param region to sign for
     */
    record Route(Optional<URI> endpoint, String region) {}

    /** How connections are made. */
    record Settings(
            boolean pathStyle, AwsCredentialsProvider credentials, int maxConnections, Duration connectTimeout) {}

    private record Key(Route route, boolean fresh) {}

    private final Settings settings;
    private final Optional<S3AsyncClient> given;
    private final boolean closeGiven;
    private final ReentrantLock lock = new ReentrantLock();
    private final Map<Key, S3AsyncClient> clients = new HashMap<>();
    private final DeadAddresses deadAddresses = new DeadAddresses(System::nanoTime);
    private Optional<EventLoopGroup> eventLoops = Optional.empty();
    private Optional<SdkAsyncHttpClient> pooled = Optional.empty();
    private Optional<SdkAsyncHttpClient> unpooled = Optional.empty();
    private boolean closed;

    S3Clients(Settings settings, Optional<S3AsyncClient> given, boolean closeGiven) {
        this.settings = settings;
        this.given = given;
        this.closeGiven = closeGiven;
    }

    /** True where the caller's own client is used for everything. */
    boolean isGiven() {
        return given.isPresent();
    }

    /**
     * The client for a place.
     *
     * @param fresh over connections that are used once
     */
    S3AsyncClient client(Route route, boolean fresh) {
        if (given.isPresent()) {
            return given.get();
        }
        lock.lock();
        try {
            if (closed) {
                throw new IllegalStateException("connection pool shut down");
            }
            Key key = new Key(route, fresh);
            S3AsyncClient found = clients.get(key);
            if (found == null) {
                if (clients.size() >= MAX_ROUTES) {
                    throw new IllegalStateException(
                            "the store sends requests to more than " + MAX_ROUTES + " places; that makes no sense");
                }
                found = build(route, fresh);
                clients.put(key, found);
            }
            return found;
        } finally {
            lock.unlock();
        }
    }

    private S3AsyncClient build(Route route, boolean fresh) {
        S3AsyncClientBuilder builder = S3AsyncClient.builder()
                .region(Region.of(route.region()))
                .forcePathStyle(settings.pathStyle())
                .credentialsProvider(settings.credentials())
                .httpClient(fresh ? unpooled() : pooled())
                .overrideConfiguration(override -> override.retryStrategy(AwsRetryStrategy.doNotRetry()))
                .requestChecksumCalculation(RequestChecksumCalculation.WHEN_REQUIRED)
                .responseChecksumValidation(ResponseChecksumValidation.WHEN_REQUIRED)
                // What hears of the end never blocks, so that no thread is needed to tell it.
                .asyncConfiguration(async ->
                        async.advancedOption(SdkAdvancedAsyncClientOption.FUTURE_COMPLETION_EXECUTOR, Runnable::run));
        route.endpoint().ifPresent(builder::endpointOverride);
        return builder.build();
    }

    private SdkAsyncHttpClient pooled() {
        if (pooled.isEmpty()) {
            // Idle for longer than this a connection may well be closed by the store, and asking over it wastes a try.
            pooled = Optional.of(
                    http().connectionMaxIdleTime(Duration.ofSeconds(10)).build());
        }
        return pooled.get();
    }

    private SdkAsyncHttpClient unpooled() {
        if (unpooled.isEmpty()) {
            unpooled = Optional.of(
                    http().connectionTimeToLive(Duration.ofMillis(1)).build());
        }
        return unpooled.get();
    }

    private NettyNioAsyncHttpClient.Builder http() {
        if (eventLoops.isEmpty()) {
            int threads = Math.max(
                    1,
                    Math.min(MAX_EVENT_LOOPS, Runtime.getRuntime().availableProcessors() / PROCESSORS_PER_EVENT_LOOP));
            eventLoops = Optional.of(new NioEventLoopGroup(threads, new DefaultThreadFactory("millrace-s3", true)));
        }
        return NettyNioAsyncHttpClient.builder()
                .eventLoopGroup(
                        SdkEventLoopGroup.create(eventLoops.get(), () -> HttpConnection.newChannel(deadAddresses)))
                .protocol(Protocol.HTTP1_1)
                .maxConcurrency(settings.maxConnections())
                .maxPendingConnectionAcquires(100_000)
                .connectionAcquisitionTimeout(ACQUIRE)
                .connectionTimeout(settings.connectTimeout())
                .readTimeout(NEVER)
                .tcpKeepAlive(true)
                .proxyConfiguration(ProxyConfiguration.builder()
                        .useSystemPropertyValues(true)
                        .useEnvironmentVariableValues(true)
                        .build())
                .putChannelOption(ChannelOption.TCP_NODELAY, true)
                .putChannelOption(
                        ChannelOption.RCVBUF_ALLOCATOR,
                        new AdaptiveRecvByteBufAllocator(2048, WideChunks.CHUNK, WideChunks.CHUNK));
    }

    @Override
    public void close() {
        lock.lock();
        try {
            if (closed) {
                return;
            }
            closed = true;
        } finally {
            lock.unlock();
        }
        clients.values().forEach(S3AsyncClient::close);
        pooled.ifPresent(SdkAsyncHttpClient::close);
        unpooled.ifPresent(SdkAsyncHttpClient::close);
        // The quiet time is for the pools' last words; nobody waits for it.
        eventLoops.ifPresent(group -> group.shutdownGracefully(200, 2000, TimeUnit.MILLISECONDS));
        if (closeGiven) {
            given.ifPresent(S3AsyncClient::close);
        }
    }
}
