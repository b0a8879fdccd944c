// SPDX-License-Identifier: Apache-2.0
package dev.millrace.server.churn;

import java.io.IOException;
import java.net.http.HttpResponse.BodySubscriber;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Flow;

/** A body as text, at most so many bytes: a longer one completes with an {@link IOException} and is not read on. */
final class LimitedBody implements BodySubscriber<String> {
    private final CompletableFuture<String> result = new CompletableFuture<>();
    private final BodySubscriber<String> all =
            java.net.http.HttpResponse.BodySubscribers.ofString(StandardCharsets.UTF_8);
    private final int limit;
    private long bytes;
    private Flow.Subscription subscription = NONE;

    private static final Flow.Subscription NONE = new Flow.Subscription() {
        @Override
        public void request(long items) {}

        @Override
        public void cancel() {}
    };

    LimitedBody(int limit) {
        this.limit = limit;
        all.getBody().whenComplete((text, problem) -> {
            if (problem == null) {
                result.complete(text);
            } else {
                result.completeExceptionally(problem);
            }
        });
    }

    @Override
    public CompletionStage<String> getBody() {
        return result;
    }

    @Override
    public void onSubscribe(Flow.Subscription given) {
        subscription = given;
        all.onSubscribe(given);
    }

    @Override
    public void onNext(List<ByteBuffer> buffers) {
        for (ByteBuffer buffer : buffers) {
            bytes += buffer.remaining();
        }
        if (bytes > limit) {
            subscription.cancel();
            result.completeExceptionally(new IOException("the answer has more than " + limit + " bytes"));
        } else {
            all.onNext(buffers);
        }
    }

    @Override
    public void onError(Throwable problem) {
        all.onError(problem);
    }

    @Override
    public void onComplete() {
        all.onComplete();
    }
}
