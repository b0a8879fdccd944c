// SPDX-License-Identifier: Apache-2.0
package dev.millrace.transfer;

import java.io.IOException;
import java.nio.file.Files;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Puts objects and asks again where that can help, by the rules that downloads go by. Thread-safe; keeps no thread.
 *
 * <p>A PUT under a condition whose answer was lost may have been carried out: a 412 that follows says that the condition
 * no longer holds, not who changed the object. Read it to know.
 */
public final class Uploader {
    private static final Logger LOG = LoggerFactory.getLogger(Uploader.class);
    private static final int MAX_TRIES = 11;
    private static final long LEAST_SECONDS = 60;
    /** A slower upload than so many bytes a second, over all of it, counts as dead. */
    private static final long LEAST_RATE = 256 << 10;

    private final ObjectWriter writer;
    private final Timing timing;

    /** An uploader; the writer and the timing stay the caller's. */
    public Uploader(ObjectWriter writer, Timing timing) {
        this.writer = writer;
        this.timing = timing;
    }

    /** As {@link ObjectWriter#put}, tried up to 11 times; fails with the last {@link SourceFailure}. */
    public CompletableFuture<Optional<String>> put(PutRequest request) {
        CompletableFuture<Optional<String>> result = new CompletableFuture<>();
        attempt(request, 1, result);
        return result;
    }

    private void attempt(PutRequest request, int number, CompletableFuture<Optional<String>> result) {
        if (result.isDone()) {
            return;
        }
        try {
            send(request, number, result);
        } catch (RuntimeException | Error e) { // the timer's thread would keep it to itself
            result.completeExceptionally(e);
        }
    }

    private void send(PutRequest request, int number, CompletableFuture<Optional<String>> result) {
        CompletableFuture<Optional<String>> sent = writer.put(request);
        Timing.Alarm alarm = timing.after(
                limit(request.body()),
                () -> sent.completeExceptionally(SourceFailure.of(
                                SourceFailure.Kind.TIMEOUT,
                                "PUT of " + request.object() + " at " + writer.name() + " was not answered within "
                                        + limit(request.body()).toSeconds() + " s")
                        .build()));
        sent.whenComplete((etag, problem) -> {
            alarm.cancel();
            if (problem == null) {
                result.complete(etag);
                return;
            }
            try {
                failed(request, number, cause(problem), result);
            } catch (RuntimeException | Error e) { // the timing is closed, say
                result.completeExceptionally(e);
            }
        });
    }

    private void failed(PutRequest request, int number, Throwable problem, CompletableFuture<Optional<String>> result) {
        if (!(problem instanceof SourceFailure failure) || !retryCanHelp(failure) || number >= MAX_TRIES) {
            result.completeExceptionally(problem);
            return;
        }
        Duration sleep = RetryPolicy.sleepAfter(number, timing.random());
        Duration asked = failure.retryAfter().orElse(Duration.ZERO);
        LOG.info("Try {} of PUT {} failed, another follows: {}", number, request.object(), failure.getMessage());
        timing.after(asked.compareTo(sleep) > 0 ? asked : sleep, () -> attempt(request, number + 1, result));
    }

    private static boolean retryCanHelp(SourceFailure failure) {
        RetryPolicy.Verdict verdict = RetryPolicy.judge(failure);
        return verdict == RetryPolicy.Verdict.RETRY
                || verdict == RetryPolicy.Verdict.SLOW_DOWN
                || failure.code().equals("ConditionalRequestConflict");
    }

    private static Duration limit(PutRequest.Body body) {
        return Duration.ofSeconds(LEAST_SECONDS + size(body) / LEAST_RATE);
    }

    private static long size(PutRequest.Body body) {
        if (body instanceof PutRequest.Body.Bytes bytes) {
            return bytes.content().remaining();
        }
        try {
            return Files.size(((PutRequest.Body.File) body).path());
        } catch (IOException e) {
            return 0; // the PUT itself will say so
        }
    }

    private static Throwable cause(Throwable problem) {
        return problem instanceof CompletionException && problem.getCause() != null ? problem.getCause() : problem;
    }
}
