// SPDX-License-Identifier: Apache-2.0
package dev.millrace.transfer;

import dev.millrace.transfer.Attempt.Ending;
import dev.millrace.transfer.Attempt.Outcome;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicBoolean;
import org.reactivestreams.Subscriber;
import org.reactivestreams.Subscription;
import software.amazon.awssdk.core.SdkResponse;
import software.amazon.awssdk.core.SplittingTransformerConfiguration;
import software.amazon.awssdk.core.async.AsyncResponseTransformer;
import software.amazon.awssdk.core.async.SdkPublisher;

/**
 * The SDK's body to a file. The SDK prepares it anew for each of its tries, and each begins with a place of its own, so
 * that a try that was given up and still winds down touches nothing of the next.
 */
final class FileAsyncTransformer<R> implements AsyncResponseTransformer<R, R> {
    private final TransformerTarget target;
    private final Executor workers;
    private volatile Optional<Try> current = Optional.empty();

    FileAsyncTransformer(TransformerTarget target, Executor workers) {
        this.target = target;
        this.workers = workers;
    }

    @Override
    public CompletableFuture<R> prepare() {
        Try next = new Try();
        current = Optional.of(next);
        return next.result;
    }

    @Override
    public void onResponse(R response) {
        current.orElseThrow().response = Optional.of(response);
    }

    @Override
    public void onStream(SdkPublisher<ByteBuffer> publisher) {
        publisher.subscribe(current.orElseThrow());
    }

    @Override
    public void exceptionOccurred(Throwable error) {
        current.ifPresent(running -> running.onError(error));
    }

    @Override
    public SplitResult<R, R> split(SplittingTransformerConfiguration configuration) {
        throw new UnsupportedOperationException("a download to " + target.path()
                + " through Millrace comes as one stream; build the S3 client without multipartEnabled(true)");
    }

    /** What the SDK throws, on its way through code that knows IOExceptions. */
    private static final class Carried extends IOException {
        private static final long serialVersionUID = 1L;

        Carried(Throwable what) {
            super(String.valueOf(what.getMessage()), what);
        }

        static IOException of(Throwable what) {
            return what instanceof IOException io ? io : new Carried(what);
        }
    }

    private final class Try implements Subscriber<ByteBuffer>, Fetch, Attempt.Owner {
        private final CompletableFuture<R> result = new CompletableFuture<>();
        private final Attempt attempt = new Attempt("download to " + target.path(), listener -> this, this, () -> 0L);
        private final AtomicBoolean begun = new AtomicBoolean();
        private volatile Optional<R> response = Optional.empty();
        private volatile Optional<Subscription> subscription = Optional.empty();
        private volatile OptionalLong length = OptionalLong.empty();
        private volatile Optional<Sink> sink = Optional.empty();

        // ---------------------------------------------------------- what the SDK says

        @Override
        public void onSubscribe(Subscription given) {
            if (!begun.compareAndSet(false, true)) {
                given.cancel();
                return;
            }
            subscription = Optional.of(given);
            attempt.start();
            attempt.head(headOf(response.orElseThrow()));
        }

        @Override
        public void onNext(ByteBuffer bytes) {
            attempt.chunk(bytes);
        }

        @Override
        public void onComplete() {
            attempt.end();
        }

        @Override
        public void onError(Throwable thrown) {
            if (begun.compareAndSet(false, true)) {
                result.completeExceptionally(thrown); // there was no body, and so nothing to clean up
            } else {
                attempt.broke(new Carried(thrown));
            }
        }

        // ---------------------------------------------------------- what we say to it

        @Override
        public void request(long chunks) {
            subscription.orElseThrow().request(chunks);
        }

        @Override
        public void cancel() {
            subscription.orElseThrow().cancel();
            attempt.broke(new Carried(new IOException("the download to " + target.path() + " was cancelled")));
        }

        // ---------------------------------------------------------- how it goes

        @Override
        public void answered(Attempt from, ObjectHead head) {
            length = head.contentLength();
            workers.execute(() -> {
                try {
                    Sink opened = target.open();
                    sink = Optional.of(opened);
                    opened.begin(length, Digests.of(head, false, true), attempt::ready);
                    attempt.go(opened, 0, OptionalLong.empty());
                } catch (IOException | RuntimeException | Error e) {
                    attempt.cutLocal(Carried.of(e));
                }
            });
        }

        @Override
        public void kept(long position) {
            // the SDK counts for itself
        }

        @Override
        public void over(Attempt ended, Outcome outcome) {
            if (outcome.ending() != Ending.COMPLETE) {
                fail(outcome.cause().orElseGet(() -> new IOException("the download ended before it began")));
                return;
            }
            long position = sink.orElseThrow().position();
            if (length.isPresent() && length.getAsLong() != position) {
                fail(new IOException("the body for " + target.path() + " ended after " + position + " of "
                        + length.getAsLong() + " bytes"));
                return;
            }
            try {
                sink.orElseThrow().finish(problem -> workers.execute(() -> written(problem)));
            } catch (RuntimeException | Error e) {
                fail(new Carried(e));
            }
        }

        private void written(Optional<? extends IOException> problem) {
            try {
                if (problem.isPresent()) {
                    throw problem.get();
                }
                sink.orElseThrow().publish();
            } catch (IOException | RuntimeException | Error e) {
                fail(Carried.of(e));
                return;
            }
            result.complete(response.orElseThrow());
        }

        private void fail(IOException cause) {
            Throwable told = cause instanceof Carried && cause.getCause() != null ? cause.getCause() : cause;
            if (sink.isEmpty()) {
                result.completeExceptionally(told);
                return;
            }
            sink.get()
                    .abort(() -> workers.execute(() -> {
                        try {
                            sink.get().discard();
                        } finally {
                            result.completeExceptionally(told);
                        }
                    }));
        }
    }

    private static ObjectHead headOf(Object response) {
        return response instanceof SdkResponse sdk && sdk.sdkHttpResponse() != null
                ? S3Heads.of(sdk.sdkHttpResponse())
                : S3Heads.none();
    }
}
