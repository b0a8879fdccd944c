// SPDX-License-Identifier: Apache-2.0
package dev.millrace.transfer;

import dev.millrace.transfer.Attempt.Ending;
import dev.millrace.transfer.Attempt.Outcome;
import java.io.IOException;
import java.time.Duration;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One download from its permit to its file: tries, resumes, begins again, verifies, publishes, cleans up.
 *
 * <p>At any time one thing is under way (waiting for a permit, a sleep, an attempt, the end of the writes, publishing) and
 * whoever ends it drives the next step, so that the fields need no lock. What comes from outside, {@link #stop}, sets one
 * reference and prods whatever is under way.
 *
 * <p>The permit is held across retries: a download that waits for its next try may hold part of a buffer, and if it had to
 * queue for a permit behind downloads that wait for buffers, nobody would move.
 */
final class Download implements Attempt.Owner {
    private static final Logger LOG = LoggerFactory.getLogger(Download.class);
    private static final int MAX_CHANGES = 3;
    private static final int MAX_WRONG_ANSWERS = 3;
    /** A pool of connections that all died while idle is worn down by this many requests without being counted. */
    private static final int MAX_DEAD_CONNECTIONS = 3;

    private static final int LOUD_AFTER = 3;

    /** Makes the place that bytes go to; may block. */
    interface SinkMaker {
        Sink open() throws IOException;

        /** The download has failed and its sink is gone; may block. */
        void failed();

        /** The download has succeeded; may block. */
        void succeeded();
    }

    private final Downloader.Shared shared;
    private final DownloadRequest request;
    private final java.nio.file.Path resultPath;
    private final SinkMaker maker;
    private final Permits permits;
    private final ResultFuture future = new ResultFuture();

    private final AtomicReference<Optional<DownloadFailure>> stopped = new AtomicReference<>(Optional.empty());
    private volatile Optional<Permits.Place> place = Optional.empty();
    private volatile Optional<Timing.Alarm> sleep = Optional.empty();
    private volatile Optional<Attempt> attempt = Optional.empty();
    private Optional<Timing.Alarm> budget = Optional.empty();
    private boolean permitHeld;
    private final AtomicBoolean over = new AtomicBoolean();

    private Optional<Sink> sink = Optional.empty();
    private Optional<Digests> digests = Optional.empty();
    private Optional<ObjectHead> learnt = Optional.empty();
    private OptionalLong whole;
    private boolean framed = true;
    private boolean newConnection;
    private Optional<String> askedFor = Optional.empty();

    private int triesWithoutProgress;
    private int retries;
    private int changes;
    private int wrongAnswers;
    private int mismatches;
    private int deadConnections;
    private long furthest;
    private long furthestAtLastFailure;
    private long reported;

    Download(Downloader.Shared shared, DownloadRequest request, java.nio.file.Path resultPath, SinkMaker maker) {
        this.shared = shared;
        this.request = request;
        this.resultPath = resultPath;
        this.maker = maker;
        this.permits = request.index() ? shared.indexPermits() : shared.layerPermits();
        this.whole = request.expectedLength();
    }

    CompletableFuture<DownloadResult> future() {
        return future;
    }

    /** The caller's future: cancelling it stops the download. */
    private final class ResultFuture extends CompletableFuture<DownloadResult> {
        @Override
        public boolean cancel(boolean mayInterruptIfRunning) {
            boolean first = super.cancel(mayInterruptIfRunning);
            if (first) {
                stop(new DownloadFailure.Cancelled("download of " + request.object() + " was cancelled"));
            }
            return first;
        }
    }

    // ------------------------------------------------------------------ from outside

    void start() {
        Optional<Duration> limit = shared.config().budget();
        limit.ifPresent(time -> budget = Optional.of(shared.timing()
                .after(
                        time,
                        () -> stop(new DownloadFailure.SourceUnreachable(
                                "download of " + request.object() + " was not done within its budget of "
                                        + time.toMillis() + " ms",
                                new StalledException("the budget of time is used up"))))));
        Permits.Place inLine = permits.acquire(request.onDemand(), () -> {
            permitHeld = true;
            prepare(this::nextTry);
        });
        place = Optional.of(inLine);
        if (stopped.get().isPresent()) {
            prod();
        }
    }

    /** Ends the download with this failure, unless it is done. Any thread; does not block. */
    void stop(DownloadFailure why) {
        if (stopped.compareAndSet(Optional.empty(), Optional.of(why))) {
            prod();
        }
    }

    private void prod() {
        if (place.isPresent() && place.get().leave()) {
            publish(() -> cleanUp(stopped.get().orElseThrow()));
            return;
        }
        if (sleep.isPresent() && sleep.get().cancel()) {
            publish(() -> end(stopped.get().orElseThrow()));
            return;
        }
        attempt.ifPresent(running -> running.cut(stopped.get().orElseThrow()));
    }

    // ------------------------------------------------------------------ steps

    private void prepare(Runnable step) {
        shared.prepare(() -> guarded(step));
    }

    private void publish(Runnable step) {
        shared.publish(() -> guarded(step));
    }

    /**
     * Runs a step. What it throws that nobody foresaw ends the download (with descriptors gone not even a class loads):
     * its thread would only log it, and the caller would wait for ever.
     */
    private void guarded(Runnable step) {
        try {
            step.run();
        } catch (RuntimeException | Error e) {
            end(asFailure(e));
        }
    }

    private Throwable asFailure(Throwable thrown) {
        try {
            return LocalFailures.describe(
                    request.object(), LocalFailures.defect("download of " + request.object(), thrown));
        } catch (Error e) { // that what would describe it cannot be loaded either
            return thrown;
        }
    }

    /** Runs a part of the end: the rest is done whatever comes of it. */
    private void atTheEnd(Runnable part) {
        try {
            part.run();
        } catch (RuntimeException | Error e) {
            LOG.error("A part of the end of the download of {} failed", request.object(), e);
        }
    }

    // ------------------------------------------------------------------ one try

    /** On a preparing thread. */
    private void nextTry() {
        if (endIfStopped()) {
            return;
        }
        try {
            if (sink.isEmpty()) {
                sink = Optional.of(maker.open());
            }
        } catch (IOException e) {
            failedHere(e);
            return;
        }
        if (isAllHere()) {
            bodyEnded();
            return;
        }
        long wait = shared.rate().takeTurn();
        if (wait > 0) {
            sleepThen(Duration.ofNanos(wait), this::send);
        } else {
            send();
        }
    }

    private boolean isAllHere() {
        Sink to = sink.orElseThrow();
        return to.hasBegun() && whole.isPresent() && to.position() == whole.getAsLong();
    }

    private void send() {
        if (endIfStopped()) {
            return;
        }
        Sink to = sink.orElseThrow();
        long kept = to.hasBegun() ? to.position() : 0;
        Optional<ByteRange> range = kept == 0
                ? request.range()
                : Optional.of(request.range().orElse(ByteRange.from(0)).skip(kept));
        FetchRequest get = new FetchRequest(
                request.object(), range, mustMatch(kept), request.versionId(), request.headers(), newConnection);
        newConnection = false;
        askedFor = get.ifMatch();
        Attempt next = new Attempt(
                "download of " + request.object(),
                listener -> shared.source().get(get, listener),
                this,
                shared.timing()::nanoTime);
        attempt = Optional.of(next);
        shared.watchdog().watch(next);
        next.start();
        Optional<DownloadFailure> why = stopped.get();
        if (why.isPresent()) {
            next.cut(why.get());
        }
    }

    /** The ETag to ask for. A weak one never matches by the rules of HTTP; it is compared when the answer is here. */
    private Optional<String> mustMatch(long kept) {
        Optional<String> promised = expectedETag().filter(tag -> !tag.startsWith("W/"));
        return promised.isPresent() || kept == 0 ? promised : learnt.flatMap(ObjectHead::strongETag);
    }

    private Optional<String> expectedETag() {
        return request.expectedETag().map(tag -> tag.startsWith("\"") || tag.startsWith("W/") ? tag : '"' + tag + '"');
    }

    @Override
    public void answered(Attempt from, ObjectHead head) {
        shared.rate().answered();
        Sink to = sink.orElseThrow();
        long kept = to.hasBegun() ? to.position() : 0;
        Optional<String> etag = expectedETag().or(() -> learnt.flatMap(ObjectHead::etag));
        AnswerCheck check = AnswerCheck.of(head, request.range(), kept, etag, whole);
        if (check.problem().isPresent()) {
            String sentence = "the answer for " + request.object() + " is not what was asked for: "
                    + check.problem().get();
            from.refuse(check.changed() ? new ChangedException(sentence) : new WrongAnswerException(sentence));
            return;
        }
        if (whole.isEmpty()) {
            whole = check.whole();
        }
        if (to.hasBegun()) {
            from.go(to, check.skip(), check.take());
            return;
        }
        learnt = Optional.of(head);
        framed = head.contentLength().isPresent() || head.chunked();
        Digests sees = request.range().isEmpty() && request.expectedCrc32c().isPresent()
                ? Digests.promised(request.expectedCrc32c().get())
                : Digests.of(head, shared.config().verify(), request.range().isEmpty());
        digests = Optional.of(sees);
        // Reserving may block, and other objects' bytes come by this thread.
        shared.prepare(() -> {
            try {
                to.begin(whole, sees, this::sinkReady);
                from.go(to, check.skip(), check.take());
            } catch (IOException e) {
                from.cutLocal(e);
            } catch (RuntimeException | Error e) {
                from.cutLocal(LocalFailures.defect("download of " + request.object(), e));
            }
        });
    }

    /** The sink outlives attempts: whoever feeds it now is meant. */
    private void sinkReady() {
        attempt.ifPresent(Attempt::ready);
    }

    @Override
    public void kept(long position) {
        if (position <= furthest) {
            return;
        }
        furthest = position;
        if (position - reported >= shared.progressStep()) {
            report();
        }
    }

    private void report() {
        reported = furthest;
        try {
            request.progress().advanced(furthest);
        } catch (RuntimeException | Error e) {
            LOG.warn("A progress listener threw; the download goes on", e);
        }
    }

    @Override
    public void over(Attempt ended, Outcome outcome) {
        shared.watchdog().forget(ended);
        attempt = Optional.empty();
        if (outcome.ending() == Ending.COMPLETE && sink.orElseThrow().hasBegun()) {
            guarded(this::bodyEnded);
        } else {
            prepare(() -> tried(ended, outcome));
        }
    }

    // ------------------------------------------------------------------ what became of it

    private void tried(Attempt ended, Outcome outcome) {
        if (endIfStopped()) {
            return;
        }
        IOException cause = outcome.cause().orElseGet(() -> new IOException("the answer ended before it began"));
        if (outcome.ending() == Ending.LOCAL) {
            failedHere(cause);
        } else if (isAllHere()) {
            bodyEnded(); // it broke after its last byte: nothing is left to ask for
        } else if (cause instanceof ChangedException) {
            changed(cause);
        } else if (cause instanceof WrongAnswerException) {
            wrongAnswer(cause);
        } else if (cause instanceof SourceFailure failure) {
            failedThere(ended, failure);
        } else {
            newConnection = cause instanceof StalledException;
            retry(cause, Optional.empty());
        }
    }

    private void failedThere(Attempt ended, SourceFailure failure) {
        String sentence = "download of " + request.object() + " failed: " + failure.getMessage();
        switch (RetryPolicy.judge(failure)) {
            case RETRY -> {
                if (failure.reusedConnection() && !ended.headSeen() && deadConnections++ < MAX_DEAD_CONNECTIONS) {
                    LOG.debug(
                            "A pooled connection to {} had died",
                            shared.source().name(),
                            failure);
                    nextTry();
                } else {
                    retry(failure, failure.retryAfter());
                }
            }
            case SLOW_DOWN -> {
                shared.rate().complained(failure.retryAfter());
                retry(failure, failure.retryAfter());
            }
            case PRECONDITION -> {
                if (askedFor.isEmpty() || request.expectedETag().isPresent()) {
                    end(new DownloadFailure.ObjectChanged(
                            "download of " + request.object() + " failed: the object is not the one expected (ETag "
                                    + request.expectedETag().orElse("none") + "): " + failure.getMessage(),
                            failure));
                } else {
                    changed(failure);
                }
            }
            case OUT_OF_RANGE -> outOfRange(failure, sentence);
            case MISSING -> end(new DownloadFailure.ObjectMissing(sentence, failure));
            case REFUSED -> end(new DownloadFailure.AccessRefused(sentence, failure));
            case PERMANENT -> end(new DownloadFailure.RequestRefused(sentence, failure));
            case CANCELLED ->
                end(new DownloadFailure.Cancelled(
                        "download of " + request.object() + " was cancelled: " + failure.getMessage()));
        }
    }

    private void outOfRange(SourceFailure failure, String sentence) {
        Sink to = sink.orElseThrow();
        long kept = to.hasBegun() ? to.position() : 0;
        if (kept == 0) {
            end(new DownloadFailure.RequestRefused(sentence, failure));
            return;
        }
        long here = request.range().map(ByteRange::first).orElse(0L) + kept;
        if (whole.isEmpty() && failure.totalLength().equals(OptionalLong.of(here))) {
            whole = OptionalLong.of(kept);
            framed = true;
            bodyEnded();
        } else {
            changed(failure);
        }
    }

    /** Another object under the name: what is here is of no use. */
    private void changed(IOException cause) {
        if (request.expectedETag().isPresent()) {
            end(new DownloadFailure.ObjectChanged(
                    "download of " + request.object() + " failed, the object is not the one expected: "
                            + cause.getMessage(),
                    cause));
        } else if (++changes > MAX_CHANGES || !canBeginAgain()) {
            end(new DownloadFailure.ObjectChanged(
                    "download of " + request.object() + " failed: the object changes while it is read (" + changes
                            + " times): " + cause.getMessage(),
                    cause));
        } else {
            beginAgain(() -> retry(cause, Optional.empty()));
        }
    }

    private void wrongAnswer(IOException cause) {
        if (++wrongAnswers >= MAX_WRONG_ANSWERS) {
            end(
                    request.expectedLength().isPresent()
                            ? new DownloadFailure.ObjectChanged(
                                    "download of " + request.object() + " failed: " + cause.getMessage(), cause)
                            : new DownloadFailure.RequestRefused(
                                    "download of " + request.object() + " failed: " + cause.getMessage(), cause));
        } else {
            retry(cause, Optional.empty());
        }
    }

    private void failedHere(IOException cause) {
        if (LocalFailures.retryCanHelp(cause) && canBeginAgain()) {
            beginAgain(() -> retry(cause, Optional.empty()));
        } else {
            end(LocalFailures.describe(request.object(), cause));
        }
    }

    private boolean canBeginAgain() {
        return sink.isEmpty() || sink.get().canBeginAgain();
    }

    /** Throws away what is here. */
    private void beginAgain(Runnable then) {
        Optional<Sink> old = sink;
        sink = Optional.empty();
        digests = Optional.empty();
        learnt = Optional.empty();
        whole = request.expectedLength();
        framed = true;
        if (old.isEmpty()) {
            then.run();
            return;
        }
        old.get()
                .abort(() -> prepare(() -> {
                    old.get().discard();
                    then.run();
                }));
    }

    private void retry(IOException cause, Optional<Duration> atLeast) {
        triesWithoutProgress = furthest > furthestAtLastFailure ? 1 : triesWithoutProgress + 1;
        furthestAtLastFailure = furthest;
        if (triesWithoutProgress >= shared.config().maxTriesWithoutProgress()) {
            giveUp(cause);
            return;
        }
        boolean resumable = sink.isEmpty()
                || !sink.get().hasBegun()
                || (sink.get().position() > 0
                        && learnt.flatMap(ObjectHead::strongETag).isPresent());
        if (!resumable && !isAllHere()) {
            if (!canBeginAgain()) {
                end(new DownloadFailure.SourceUnreachable(
                        "download of " + request.object() + " failed and cannot go on where it stopped, since the store"
                                + " gives no strong ETag: " + cause.getMessage(),
                        cause));
                return;
            }
            beginAgain(() -> pause(cause, atLeast));
        } else {
            pause(cause, atLeast);
        }
    }

    private void pause(IOException cause, Optional<Duration> atLeast) {
        retries++;
        deadConnections = 0;
        Duration own =
                RetryPolicy.sleepAfter(triesWithoutProgress, shared.timing().random());
        Duration told = atLeast.orElse(Duration.ZERO);
        if (told.compareTo(StoreRate.LONGEST_WAIT) > 0) {
            told = StoreRate.LONGEST_WAIT;
        }
        Duration time = own.compareTo(told) > 0 ? own : told;
        if (retries <= LOUD_AFTER) {
            LOG.info("Try {} of {} failed, next in {} ms: {}", retries, request.object(), time.toMillis(), text(cause));
        } else {
            LOG.warn("Try {} of {} failed, next in {} ms: {}", retries, request.object(), time.toMillis(), text(cause));
        }
        if (time.isZero()) {
            nextTry();
        } else {
            sleepThen(time, this::nextTry);
        }
    }

    private static String text(IOException cause) {
        return String.valueOf(cause.getMessage());
    }

    private void giveUp(IOException cause) {
        String sentence = "download of " + request.object() + " failed: " + triesWithoutProgress
                + " tries in a row brought no progress beyond byte " + furthest + "; the last: " + text(cause);
        boolean credentials =
                cause instanceof SourceFailure failure && failure.code().startsWith("Expired");
        end(
                credentials
                        ? new DownloadFailure.AccessRefused(sentence, cause)
                        : new DownloadFailure.SourceUnreachable(sentence, cause));
    }

    /** Sleeps, unless the download is stopped before or meanwhile. */
    private void sleepThen(Duration time, Runnable then) {
        Timing.Alarm alarm = shared.timing().after(time, () -> prepare(then));
        sleep = Optional.of(alarm);
        if (stopped.get().isPresent() && alarm.cancel()) {
            end(stopped.get().orElseThrow());
        }
    }

    // ------------------------------------------------------------------ the end

    /** All bytes are here, as far as framing and length tell. On the source's thread, must not block. */
    private void bodyEnded() {
        Sink to = sink.orElseThrow();
        long position = to.position();
        if (whole.isPresent() && position != whole.getAsLong()) {
            String text = "the body ended after " + position + " of " + whole.getAsLong() + " bytes";
            prepare(() -> retryUnlessStopped(new IOException(text)));
            return;
        }
        Digests seen = digests.orElseThrow();
        if (!framed && whole.isEmpty() && !seen.judges()) {
            prepare(() -> unframed(position));
            return;
        }
        Optional<String> mismatch = seen.mismatch();
        if (mismatch.isPresent()) {
            prepare(() -> mismatched(mismatch.get()));
            return;
        }
        if (reported < furthest) {
            report();
        }
        to.finish(problem -> publish(() -> written(problem)));
    }

    private void retryUnlessStopped(IOException cause) {
        if (!endIfStopped()) {
            retry(cause, Optional.empty());
        }
    }

    private void unframed(long position) {
        end(new DownloadFailure.RequestRefused("download of " + request.object() + " failed: the answer has neither a"
                + " length nor chunks nor a checksum, and nobody can say whether its " + position
                + " bytes are all; promise a length"));
    }

    private void mismatched(String what) {
        if (endIfStopped()) {
            return;
        }
        String sentence = "the bytes of " + request.object() + " are wrong: " + what;
        if (mismatches++ > 0 || !canBeginAgain()) {
            end(new DownloadFailure.ChecksumMismatch(sentence
                    + (mismatches > 1
                            ? "; they were fetched twice"
                            : "; they are out already and cannot be taken back")));
            return;
        }
        // A connection of its own: what garbled the first may sit on the way.
        newConnection = true;
        beginAgain(() -> pause(new IOException(sentence), Optional.empty()));
    }

    /** On a publishing thread: the kernel has all the bytes, or one of the last writes failed. */
    private void written(Optional<? extends IOException> problem) {
        if (problem.isPresent()) {
            failedHere(problem.get());
            return;
        }
        if (endIfStopped()) {
            return;
        }
        // From here on the store is not needed.
        releasePermit();
        Sink done = sink.orElseThrow();
        try {
            done.publish();
        } catch (IOException e) {
            cleanUp(LocalFailures.describe(request.object(), e));
            return;
        }
        budget.ifPresent(Timing.Alarm::cancel);
        atTheEnd(maker::succeeded);
        if (retries > 0) {
            LOG.info("Download of {} succeeded after {} retries", request.object(), retries);
        }
        DownloadResult result = new DownloadResult(
                resultPath,
                done.position(),
                digests.orElseThrow().words(),
                retries,
                done.isDirect(),
                learnt.flatMap(ObjectHead::etag));
        if (over.compareAndSet(false, true)) {
            shared.done(this, () -> future.complete(result));
        }
    }

    private boolean endIfStopped() {
        if (shared.isClosed()) {
            // Its turn may have come before close() came to it.
            stopped.compareAndSet(
                    Optional.empty(), Optional.of(new DownloadFailure.Cancelled("the downloader is closed")));
        }
        Optional<DownloadFailure> why = stopped.get();
        why.ifPresent(this::end);
        return why.isPresent();
    }

    /** Fails: gives everything back, then tells the caller. Does not block. */
    private void end(Throwable why) {
        Runnable rest = () -> publish(() -> cleanUp(why));
        if (sink.isEmpty()) {
            rest.run();
            return;
        }
        try {
            sink.get().abort(rest);
        } catch (RuntimeException | Error e) {
            LOG.error("What was written for the download of {} cannot be called off", request.object(), e);
            rest.run();
        }
    }

    /** Once, however many defects lead here. */
    private void cleanUp(Throwable why) {
        if (!over.compareAndSet(false, true)) {
            return;
        }
        budget.ifPresent(Timing.Alarm::cancel);
        atTheEnd(() -> sink.ifPresent(Sink::discard));
        atTheEnd(maker::failed);
        atTheEnd(this::releasePermit);
        if (why instanceof DownloadFailure.FatalLocal fatal) {
            tell(fatal);
        }
        shared.done(this, () -> future.completeExceptionally(why));
    }

    private void releasePermit() {
        if (permitHeld) {
            permitHeld = false;
            permits.release();
        }
    }

    private void tell(DownloadFailure.FatalLocal fatal) {
        try {
            shared.config().fatalHandler().accept(fatal);
        } catch (RuntimeException | Error e) {
            LOG.error("The handler of fatal failures threw", e);
        }
    }
}
