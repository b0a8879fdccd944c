// SPDX-License-Identifier: Apache-2.0
package dev.millrace.transfer;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Semaphore;
import software.amazon.awssdk.core.SdkResponse;
import software.amazon.awssdk.core.exception.RetryableException;
import software.amazon.awssdk.core.sync.ResponseTransformer;
import software.amazon.awssdk.http.AbortableInputStream;

/** The synchronous client's body to a file: read on the caller's thread, written by the engine meanwhile. */
final class FileSyncTransformer<R> implements ResponseTransformer<R, R> {
    private static final int CHUNK = 256 << 10;

    private final TransformerTarget target;

    FileSyncTransformer(TransformerTarget target) {
        this.target = target;
    }

    @Override
    public R transform(R response, AbortableInputStream body) throws Exception {
        OptionalLong length = response instanceof SdkResponse sdk && sdk.sdkHttpResponse() != null
                ? S3Heads.of(sdk.sdkHttpResponse()).contentLength()
                : OptionalLong.empty();
        Sink sink = target.open();
        boolean done = false;
        try {
            copy(sink, body, length);
            CompletableFuture<Optional<? extends IOException>> written = new CompletableFuture<>();
            sink.finish(written::complete);
            Optional<? extends IOException> problem = await(written);
            if (problem.isPresent()) {
                throw problem.get();
            }
            sink.publish();
            done = true;
            return response;
        } finally {
            if (!done) {
                try {
                    body.abort();
                } finally {
                    discard(sink);
                }
            }
        }
    }

    private void copy(Sink sink, AbortableInputStream body, OptionalLong length)
            throws IOException, InterruptedException {
        Semaphore room = new Semaphore(0);
        sink.begin(length, Digests.of(S3Heads.none(), false, true), room::release);
        byte[] bytes = new byte[CHUNK];
        int count = read(body, bytes);
        while (count >= 0) {
            ByteBuffer chunk = ByteBuffer.wrap(bytes, 0, count);
            while (!sink.write(chunk)) {
                room.acquire();
                room.drainPermits();
            }
            count = read(body, bytes);
        }
        if (length.isPresent() && length.getAsLong() != sink.position()) {
            throw RetryableException.builder()
                    .message("the body for " + target.path() + " ended after " + sink.position() + " of "
                            + length.getAsLong() + " bytes")
                    .build();
        }
    }

    /** What breaks on the way here may be better at the next try; the SDK decides. */
    private int read(AbortableInputStream body, byte[] bytes) {
        try {
            return body.read(bytes);
        } catch (IOException e) {
            throw RetryableException.builder()
                    .message("reading the body for " + target.path() + " failed: " + e.getMessage())
                    .cause(e)
                    .build();
        }
    }

    private static <T> T await(CompletableFuture<T> future) throws InterruptedException {
        try {
            return future.get();
        } catch (ExecutionException e) {
            throw new IllegalStateException(e);
        }
    }

    private static void discard(Sink sink) {
        CompletableFuture<Optional<IOException>> idle = new CompletableFuture<>();
        sink.abort(() -> idle.complete(Optional.empty()));
        idle.join();
        sink.discard();
    }
}
