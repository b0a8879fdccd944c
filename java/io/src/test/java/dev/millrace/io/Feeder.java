// SPDX-License-Identifier: Apache-2.0
package dev.millrace.io;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;

/** A producer for a copy loop: waits when told to, and counts what it is told. */
final class Feeder {
    private final Semaphore ready = new Semaphore(0);
    private final AtomicInteger ends = new AtomicInteger();
    private final AtomicInteger readies = new AtomicInteger();
    private final CompletableFuture<Optional<IoFailure>> end = new CompletableFuture<>();
    private long observed;
    private long fed;
    final CopyLoop loop;

    Feeder(VirtualFile file, long start, long reservedTo, int maxBuffers) {
        loop = CopyLoop.start(file, start, reservedTo, maxBuffers, (buffer, at, length) -> observed += length, () -> {
            readies.incrementAndGet();
            ready.release();
        });
    }

    /** Hands a chunk in; false when the loop wants the rest later. */
    boolean offer(ByteBuffer chunk) throws IoFailure {
        return loop.write(chunk);
    }

    /** Hands all bytes in, in chunks of one size. */
    Feeder feed(byte[] data, int chunk) throws Exception {
        ByteBuffer source = ByteBuffer.wrap(data);
        loop.write(ByteBuffer.allocate(0));
        while (source.hasRemaining()) {
            source.limit(Math.min(data.length, source.position() + chunk));
            while (!loop.write(source)) {
                awaitReady();
            }
            source.limit(data.length);
        }
        fed += data.length;
        assertThat(observed).isEqualTo(fed);
        return this;
    }

    void awaitReady() throws InterruptedException {
        if (!ready.tryAcquire(20, TimeUnit.SECONDS)) {
            throw new AssertionError("onReady was not called");
        }
    }

    int readies() {
        return readies.get();
    }

    Feeder finish() {
        loop.finish(this::ended);
        return this;
    }

    Feeder abort() {
        loop.abort(() -> ended(Optional.empty()));
        return this;
    }

    private void ended(Optional<IoFailure> outcome) {
        ends.incrementAndGet();
        end.complete(outcome);
    }

    boolean isOver() {
        return end.isDone();
    }

    int ends() {
        return ends.get();
    }

    Optional<IoFailure> outcome() throws Exception {
        try {
            return end.get(20, TimeUnit.SECONDS);
        } catch (TimeoutException e) {
            throw new AssertionError("the loop did not end", e);
        }
    }
}
