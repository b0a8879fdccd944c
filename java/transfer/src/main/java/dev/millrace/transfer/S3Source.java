// SPDX-License-Identifier: Apache-2.0
package dev.millrace.transfer;

import java.net.URI;
import java.time.Duration;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Function;
import software.amazon.awssdk.auth.credentials.AnonymousCredentialsProvider;
import software.amazon.awssdk.auth.credentials.AwsCredentialsProvider;
import software.amazon.awssdk.auth.credentials.DefaultCredentialsProvider;
import software.amazon.awssdk.awscore.AwsRequestOverrideConfiguration;
import software.amazon.awssdk.core.async.AsyncRequestBody;
import software.amazon.awssdk.core.exception.SdkException;
import software.amazon.awssdk.regions.providers.DefaultAwsRegionProviderChain;
import software.amazon.awssdk.services.s3.S3AsyncClient;
import software.amazon.awssdk.services.s3.model.GetObjectRequest;
import software.amazon.awssdk.services.s3.model.HeadObjectRequest;
import software.amazon.awssdk.services.s3.model.ListObjectsResponse;
import software.amazon.awssdk.services.s3.model.ListObjectsV2Response;
import software.amazon.awssdk.services.s3.model.PutObjectRequest;

/**
 * Objects of an S3 store, through the AWS SDK's asynchronous client, for its signatures, credentials and connections. The
 * SDK's own retries and validation are off: one loop decides, and the bytes are looked at once.
 *
 * <p>Listeners hear on the SDK's event loops, of which there are few.
 */
public final class S3Source implements ObjectSource, ObjectWriter {
    private static final Duration LIST_TIMEOUT = Duration.ofMinutes(1);

    private final S3Clients clients;
    private final S3Redirects redirects;
    private final String name;
    private final Optional<RenewableCredentials> renewable;
    private final Set<S3Fetch> underWay = ConcurrentHashMap.newKeySet();
    private volatile boolean closed;
    private volatile boolean usedBefore;

    private S3Source(S3Clients clients, S3Clients.Route home, String name, Optional<RenewableCredentials> renewable) {
        this.clients = clients;
        this.redirects = new S3Redirects(home);
        this.name = name;
        this.renewable = renewable;
    }

    /** Begins a source with clients of its own. */
    public static Builder builder() {
        return new Builder();
    }

    /**
     * A source on a given client, whose region, endpoint, retries and limits stay as they are; redirects are not followed.
     * Give one without retries of its own ({@code AwsRetryStrategy.doNotRetry()}) and without multipart downloads.
     *
     * @param closeClient close the client with the source
     */
    public static S3Source of(S3AsyncClient client, boolean closeClient) {
        S3Clients clients = new S3Clients(
                new S3Clients.Settings(false, AnonymousCredentialsProvider.create(), 1, Duration.ofSeconds(1)),
                Optional.of(client),
                closeClient);
        return new S3Source(
                clients, new S3Clients.Route(Optional.empty(), "given"), "the given S3 client", Optional.empty());
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public Fetch get(FetchRequest request, FetchListener listener) {
        S3Fetch fetch = new S3Fetch(this, request, listener);
        underWay.add(fetch);
        if (closed) {
            fetch.fail(closedFailure("GET", request.object()));
            return fetch;
        }
        GetObjectRequest.Builder get = GetObjectRequest.builder()
                .bucket(request.object().bucket())
                .key(request.object().key())
                .overrideConfiguration(headers(request));
        request.range().ifPresent(range -> get.range(range.toString()));
        request.ifMatch().ifPresent(get::ifMatch);
        request.versionId().ifPresent(get::versionId);
        fetch.send(redirects.routeOf(request.object().bucket()), get.build());
        return fetch;
    }

    /**
     * As raw headers: the SDK's own switch for the checksum mode makes it read the bytes a second time, and it knows no
     * way to ask for the bytes as they are stored.
     */
    private static AwsRequestOverrideConfiguration headers(FetchRequest request) {
        AwsRequestOverrideConfiguration.Builder override = AwsRequestOverrideConfiguration.builder()
                .putHeader("Accept-Encoding", "identity")
                .putHeader("x-amz-checksum-mode", "ENABLED");
        request.headers().forEach(override::putHeader);
        return override.build();
    }

    @Override
    public CompletableFuture<ObjectHead> head(FetchRequest request) {
        if (closed) {
            return CompletableFuture.failedFuture(closedFailure("HEAD", request.object()));
        }
        HeadObjectRequest.Builder head = HeadObjectRequest.builder()
                .bucket(request.object().bucket())
                .key(request.object().key())
                .overrideConfiguration(headers(request));
        request.range().ifPresent(range -> head.range(range.toString()));
        request.ifMatch().ifPresent(head::ifMatch);
        request.versionId().ifPresent(head::versionId);
        HeadObjectRequest built = head.build();
        return call("HEAD", request.object(), client -> client.headObject(built))
                .thenApply(answer -> S3Heads.of(answer.sdkHttpResponse()));
    }

    @Override
    public CompletableFuture<Optional<String>> put(PutRequest request) {
        if (closed) {
            return CompletableFuture.failedFuture(closedFailure("PUT", request.object()));
        }
        PutObjectRequest.Builder put = PutObjectRequest.builder()
                .bucket(request.object().bucket())
                .key(request.object().key());
        if (request.condition() instanceof PutRequest.Condition.IfAbsent) {
            put.ifNoneMatch("*");
        } else if (request.condition() instanceof PutRequest.Condition.IfMatch match) {
            put.ifMatch(match.etag());
        }
        PutObjectRequest built = put.build();
        return call("PUT", request.object(), client -> client.putObject(built, body(request.body())))
                .thenApply(answer -> Optional.ofNullable(answer.eTag()));
    }

    private static AsyncRequestBody body(PutRequest.Body body) {
        return body instanceof PutRequest.Body.File file
                ? AsyncRequestBody.fromFile(file.path())
                : AsyncRequestBody.fromRemainingByteBuffer(((PutRequest.Body.Bytes) body).content());
    }

    /** A call that brings no body, redirects followed; fails with {@link SourceFailure}. */
    private <T> CompletableFuture<T> call(
            String method, ObjectId object, Function<S3AsyncClient, CompletableFuture<T>> send) {
        CompletableFuture<T> result = new CompletableFuture<>();
        call(method, object, send, redirects.routeOf(object.bucket()), result);
        return result;
    }

    private <T> void call(
            String method,
            ObjectId object,
            Function<S3AsyncClient, CompletableFuture<T>> send,
            S3Clients.Route route,
            CompletableFuture<T> result) {
        CompletableFuture<T> sent;
        try {
            sent = send.apply(clients.client(route, false));
        } catch (RuntimeException e) {
            result.completeExceptionally(failure(method, object, e));
            return;
        } catch (Error e) { // on a thread of the SDK's, which would keep it to itself
            result.completeExceptionally(e);
            return;
        }
        sent.whenComplete((answer, thrown) -> {
            if (thrown == null) {
                usedBefore = true;
                result.complete(answer);
                return;
            }
            try {
                Optional<S3Clients.Route> next = redirect(object, route, thrown);
                if (next.isPresent()) {
                    call(method, object, send, next.get(), result);
                } else {
                    result.completeExceptionally(failure(method, object, thrown));
                }
            } catch (SourceFailure | RuntimeException | Error refused) {
                result.completeExceptionally(refused);
            }
        });
    }

    @Override
    public ListPage list(String bucket, String prefix, Optional<String> token) throws SourceFailure {
        ObjectId place = new ObjectId(bucket, prefix.isEmpty() ? "*" : prefix + "*");
        if (closed) {
            throw closedFailure("listing", place);
        }
        if (!S3Listing.isByMarker(token)) {
            try {
                ListObjectsV2Response answer =
                        await(place, client -> client.listObjectsV2(S3Listing.request(bucket, prefix, token)));
                return S3Listing.page(answer, token, what("listing", place));
            } catch (SourceFailure failure) {
                boolean unknown = failure.status() == 501 || failure.code().equals("NotImplemented");
                if (!unknown || token.isPresent()) {
                    throw failure;
                }
            }
        }
        ListObjectsResponse answer =
                await(place, client -> client.listObjects(S3Listing.requestByMarker(bucket, prefix, token)));
        return S3Listing.page(answer, token, what("listing", place));
    }

    private <T> T await(ObjectId place, Function<S3AsyncClient, CompletableFuture<T>> send) throws SourceFailure {
        CompletableFuture<T> sent = call("listing", place, send);
        try {
            return sent.get(LIST_TIMEOUT.toMillis(), TimeUnit.MILLISECONDS);
        } catch (ExecutionException e) {
            throw e.getCause() instanceof SourceFailure failure ? failure : failure("listing", place, e.getCause());
        } catch (TimeoutException e) {
            throw SourceFailure.of(
                            SourceFailure.Kind.TIMEOUT,
                            what("listing", place) + " was not answered within " + LIST_TIMEOUT.toSeconds() + " s")
                    .cause(e)
                    .build();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw SourceFailure.of(SourceFailure.Kind.CANCELLED, what("listing", place) + " was interrupted")
                    .cause(e)
                    .build();
        }
    }

    // ------------------------------------------------------------------ for the classes beside it

    S3Clients clients() {
        return clients;
    }

    String what(String method, ObjectId object) {
        return method + " of " + object + " at " + name;
    }

    private SourceFailure failure(String method, ObjectId object, Throwable thrown) {
        return failure(method, object, thrown, false, Optional.empty());
    }

    /**
     * What was thrown.
     *
     * @param answered the answer had begun
     * @param connection it came over, where known
     */
    SourceFailure failure(
            String method, ObjectId object, Throwable thrown, boolean answered, Optional<HttpConnection> connection) {
        if (closed) {
            return closedFailure(method, object);
        }
        boolean reused =
                !answered && connection.map(HttpConnection::wasAnsweredBefore).orElse(usedBefore);
        SourceFailure failure = S3Errors.of(thrown, what(method, object), reused);
        if (failure.kind() == SourceFailure.Kind.ANSWER) {
            usedBefore = true;
        }
        if (failure.code().equals("ExpiredToken") || failure.code().equals("TokenRefreshRequired")) {
            renewable.ifPresent(RenewableCredentials::renew);
        }
        return failure;
    }

    Optional<S3Clients.Route> redirect(ObjectId object, S3Clients.Route used, Throwable thrown) throws SourceFailure {
        return clients.isGiven()
                ? Optional.empty()
                : redirects.follow(object.bucket(), used, thrown, what("request", object));
    }

    void forget(S3Fetch fetch) {
        underWay.remove(fetch);
    }

    void completed() {
        usedBefore = true;
    }

    private SourceFailure closedFailure(String method, ObjectId object) {
        return SourceFailure.of(SourceFailure.Kind.CLOSED, what(method, object) + " failed: the source is closed")
                .build();
    }

    @Override
    public void close() {
        closed = true;
        for (S3Fetch fetch : underWay) {
            fetch.fail(SourceFailure.of(SourceFailure.Kind.CLOSED, "the source " + name + " is closed")
                    .build());
            fetch.cancel();
        }
        clients.close();
        renewable.ifPresent(RenewableCredentials::close);
    }

    /** Collects how to reach a store. */
    public static final class Builder {
        private Optional<URI> endpoint = Optional.empty();
        private Optional<String> region = Optional.empty();
        private boolean pathStyle;
        private Optional<AwsCredentialsProvider> credentials = Optional.empty();
        private int maxConnections = 300;
        private Duration connectTimeout = Duration.ofSeconds(2);

        private Builder() {}

        /** Where the store is, with a path where it has one; without, AWS by its region. */
        public Builder endpoint(URI uri) {
            if (uri.getScheme() == null || uri.getHost() == null) {
                throw new IllegalArgumentException(
                        "the endpoint " + uri + " needs a scheme and a host, as in http://127.0.0.1:9000");
            }
            endpoint = Optional.of(uri);
            return this;
        }

        /** The region to sign for; without, by the SDK's default chain. */
        public Builder region(String name) {
            region = Optional.of(name);
            return this;
        }

        /** Bucket names in the path ({@code host/bucket/key}), not in the host name. */
        public Builder pathStyle(boolean inPath) {
            pathStyle = inPath;
            return this;
        }

        /** Credentials; without, by the SDK's default chain. Stays the caller's. */
        public Builder credentials(AwsCredentialsProvider provider) {
            credentials = Optional.of(provider);
            return this;
        }

        /** Signs nothing. */
        public Builder anonymous() {
            return credentials(AnonymousCredentialsProvider.create());
        }

        /** Connections at once, 300 where nothing is said. Should be no less than the downloader's permits. */
        public Builder maxConnections(int connections) {
            if (connections < 1) {
                throw new IllegalArgumentException("maxConnections is " + connections + " and must be at least 1");
            }
            maxConnections = connections;
            return this;
        }

        /** Time to connect to one address, 2 s where nothing is said. */
        public Builder connectTimeout(Duration time) {
            connectTimeout = time;
            return this;
        }

        /** The source. Nothing is asked yet. */
        public S3Source build() {
            Optional<RenewableCredentials> renewable = credentials.isPresent()
                    ? Optional.empty()
                    : Optional.of(new RenewableCredentials(
                            () -> DefaultCredentialsProvider.builder().build()));
            AwsCredentialsProvider provider = credentials.orElseGet(() -> renewable.orElseThrow());
            S3Clients.Route home = new S3Clients.Route(endpoint, region.orElseGet(this::defaultRegion));
            S3Clients clients = new S3Clients(
                    new S3Clients.Settings(pathStyle, provider, maxConnections, connectTimeout),
                    Optional.empty(),
                    true);
            String name = endpoint.map(URI::toString).orElse("AWS S3 in " + home.region());
            return new S3Source(clients, home, name, renewable);
        }

        private String defaultRegion() {
            try {
                return DefaultAwsRegionProviderChain.builder()
                        .build()
                        .getRegion()
                        .id();
            } catch (SdkException none) {
                // Where every store that knows regions begins, and the rest do not care.
                return "us-east-1";
            }
        }
    }
}
