// SPDX-License-Identifier: Apache-2.0
package dev.millrace.transfer;

import java.nio.ByteBuffer;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import org.reactivestreams.Subscriber;
import org.reactivestreams.Subscription;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import software.amazon.awssdk.core.async.AsyncResponseTransformer;
import software.amazon.awssdk.core.async.SdkPublisher;
import software.amazon.awssdk.services.s3.S3AsyncClient;
import software.amazon.awssdk.services.s3.model.GetObjectRequest;
import software.amazon.awssdk.services.s3.model.GetObjectResponse;

/** One GET through the SDK: passes what its event loop says to the listener, on the event loop, and ends once. */
final class S3Fetch implements Fetch {
    private static final Logger LOG = LoggerFactory.getLogger(S3Fetch.class);

    private final S3Source source;
    private final FetchRequest request;
    private final FetchListener listener;
    private final AtomicBoolean over = new AtomicBoolean();
    private volatile Optional<CompletableFuture<?>> call = Optional.empty();
    private volatile Optional<Subscription> subscription = Optional.empty();
    private volatile Optional<HttpConnection> connection = Optional.empty();
    private volatile boolean cancelled;
    private volatile boolean answered;

    S3Fetch(S3Source source, FetchRequest request, FetchListener listener) {
        this.source = source;
        this.request = request;
        this.listener = listener;
    }

    /** Sends the request; again, to another place, after a redirect. */
    void send(S3Clients.Route route, GetObjectRequest get) {
        try {
            S3AsyncClient client = source.clients().client(route, request.newConnection());
            CompletableFuture<?> sent = client.getObject(get, new Transformer());
            call = Optional.of(sent);
            sent.whenComplete((nothing, thrown) -> {
                if (thrown != null) {
                    thrown(route, get, thrown);
                }
            });
            if (cancelled) {
                sent.cancel(true);
            }
        } catch (RuntimeException e) {
            thrown(route, get, e);
        }
    }

    private void thrown(S3Clients.Route route, GetObjectRequest get, Throwable thrown) {
        if (over.get()) {
            return;
        }
        if (cancelled) {
            fail(SourceFailure.of(SourceFailure.Kind.CANCELLED, source.what("GET", request.object()) + " was cancelled")
                    .build());
            return;
        }
        try {
            Optional<S3Clients.Route> next = source.redirect(request.object(), route, thrown);
            if (next.isPresent()) {
                send(next.get(), get);
                return;
            }
        } catch (SourceFailure refused) {
            fail(refused);
            return;
        }
        Optional<HttpConnection> known = connection.isPresent() ? connection : HttpConnection.current();
        fail(source.failure("GET", request.object(), thrown, answered, known));
    }

    void fail(SourceFailure failure) {
        if (over.compareAndSet(false, true)) {
            source.forget(this);
            try {
                listener.failed(failure);
            } catch (RuntimeException e) {
                LOG.error("A listener threw", e);
            }
        }
    }

    @Override
    public void request(long chunks) {
        subscription.ifPresent(running -> running.request(chunks));
    }

    @Override
    public void cancel() {
        cancelled = true;
        if (over.get()) {
            return;
        }
        subscription.ifPresent(Subscription::cancel);
        call.ifPresent(sent -> sent.cancel(true));
        fail(SourceFailure.of(SourceFailure.Kind.CANCELLED, source.what("GET", request.object()) + " was cancelled")
                .build());
    }

    /** The SDK's view of us. A request is never prepared twice, for the SDK does not retry. */
    private final class Transformer
            implements AsyncResponseTransformer<GetObjectResponse, GetObjectResponse>, Subscriber<ByteBuffer> {
        private final CompletableFuture<GetObjectResponse> done = new CompletableFuture<>();
        private volatile Optional<GetObjectResponse> response = Optional.empty();
        private volatile boolean chunked;

        @Override
        public CompletableFuture<GetObjectResponse> prepare() {
            return done;
        }

        @Override
        public void onResponse(GetObjectResponse answer) {
            response = Optional.of(answer);
        }

        @Override
        public void onStream(SdkPublisher<ByteBuffer> publisher) {
            connection = HttpConnection.current();
            publisher.subscribe(this);
        }

        @Override
        public void exceptionOccurred(Throwable error) {
            done.completeExceptionally(error);
        }

        @Override
        public void onSubscribe(Subscription given) {
            subscription = Optional.of(given);
            if (cancelled) {
                given.cancel();
                return;
            }
            answered = true;
            try {
                ObjectHead head = S3Heads.of(response.orElseThrow().sdkHttpResponse());
                // Over a client that is not ours nobody tells whether the chunks came to their end.
                chunked = head.chunked();
                listener.head(chunked && connection.isEmpty() ? head.unframed() : head);
            } catch (RuntimeException e) {
                defect(e);
            }
        }

        @Override
        public void onNext(ByteBuffer bytes) {
            if (over.get()) {
                return;
            }
            try {
                listener.chunk(bytes);
            } catch (RuntimeException e) {
                defect(e);
            }
        }

        private void defect(RuntimeException e) {
            LOG.error("A listener threw; its fetch of {} is cancelled", request.object(), e);
            cancel();
        }

        @Override
        public void onError(Throwable thrown) {
            // Through the call's own future: the SDK knows by then what the connection died of.
            done.completeExceptionally(thrown);
        }

        @Override
        public void onComplete() {
            if (chunked && connection.isPresent() && connection.get().isClosed()) {
                fail(SourceFailure.of(
                                SourceFailure.Kind.CONNECTION,
                                source.what("GET", request.object())
                                        + " failed: the connection was closed before the last chunk")
                        .build());
                done.complete(response.orElseThrow());
                return;
            }
            connection.ifPresent(HttpConnection::answered);
            if (over.compareAndSet(false, true)) {
                source.forget(S3Fetch.this);
                source.completed();
                try {
                    listener.end();
                } catch (RuntimeException e) {
                    LOG.error("A listener threw", e);
                }
            }
            done.complete(response.orElseThrow());
        }
    }
}
