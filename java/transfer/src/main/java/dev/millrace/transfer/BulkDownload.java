// SPDX-License-Identifier: Apache-2.0
package dev.millrace.transfer;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.UUID;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Function;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Downloads many objects below one folder, so many at once, from a supply that may be endless: the next item is asked for
 * when there is room for it, and nothing is kept of those that are done but counts.
 *
 * <p>What an object is refused for ({@link BulkItem.Below}) names that object and stops no other. The downloader makes
 * folders when an object comes that needs them, and takes them away again where nothing came.
 *
 * <p>{@link #run} is called once; {@link #cancel} from any thread.
 */
public final class BulkDownload {
    private static final Logger LOG = LoggerFactory.getLogger(BulkDownload.class);
    private static final int MAX_KINDS = 32;

    private final Function<DownloadRequest, CompletableFuture<DownloadResult>> downloader;
    private final Function<ObjectId, CompletableFuture<ObjectHead>> heads;
    private final KeyPaths paths;
    private final Path folder;
    private final int window;
    private final BulkListener listener;
    private final NameLedger names = new NameLedger();

    private final ReentrantLock lock = new ReentrantLock();
    private final Condition ended = lock.newCondition();
    /** By target. */
    private final Map<Path, Under> underWay = new HashMap<>();

    private int running;
    private boolean cancelled;
    private long objects;
    private long failed;
    private long dropped;
    private long bytes;
    private long retries;
    private long direct;
    private long markers;
    private final Map<String, Long> verified = new LinkedHashMap<>();

    /** A download under way. */
    private static final class Under {
        private final ObjectId object;
        private Optional<CompletableFuture<?>> step = Optional.empty();

        Under(ObjectId object) {
            this.object = object;
        }
    }

    /**
     * A download of many; nothing begins yet.
     *
     * @param downloader stays the caller's
     * @param source the downloader's
     * @param folder what {@link BulkItem.Below} items lie below; made when the first object comes
     * @param window downloads at once, at least 1
     * @param severalSources two sources may have one name: names are remembered, for one of them to arrive and the other to
     *     be named
     */
    public BulkDownload(
            Downloader downloader,
            ObjectSource source,
            Path folder,
            int window,
            boolean severalSources,
            BulkListener listener) {
        this(downloader::download, source::head, folder, window, severalSources, listener);
    }

    /** For tests: what downloads and asks is a function. */
    BulkDownload(
            Function<DownloadRequest, CompletableFuture<DownloadResult>> downloader,
            Function<ObjectId, CompletableFuture<ObjectHead>> heads,
            Path folder,
            int window,
            boolean severalSources,
            BulkListener listener) {
        if (window < 1) {
            throw new IllegalArgumentException("window is " + window + " and must be at least 1");
        }
        this.downloader = downloader;
        this.heads = heads;
        this.folder = folder;
        this.paths = new KeyPaths(folder);
        this.window = window;
        this.listener = listener;
        if (severalSources) {
            names.remember();
        }
        if (foldsCase()) {
            names.fold();
        }
    }

    /** Asked of the folder, or of what is there above it: a new folder takes after the one it is made in. */
    private boolean foldsCase() {
        Path there = folder.toAbsolutePath();
        while (there.getParent() != null && !Files.isDirectory(there)) {
            there = there.getParent();
        }
        try {
            return KeyPaths.foldsCase(there, UUID.randomUUID().toString().replace("-", ""));
        } catch (IOException e) {
            LOG.debug("Whether {} tells upper from lower case is not known", there, e);
            return false;
        }
    }

    /**
     * Downloads all items; returns when each is complete, failed or dropped. {@code items} is used by this thread only and
     * may block; when it throws, what is under way is cancelled first.
     */
    public BulkResult run(Iterator<? extends BulkItem> items) throws InterruptedException {
        try {
            while (awaitRoom() && items.hasNext()) {
                start(items.next());
            }
        } catch (RuntimeException | Error e) {
            cancel();
            throw e;
        } finally {
            awaitAll();
        }
        return result();
    }

    /** Starts nothing any more and cancels what is under way; {@link #run} then returns soon. Idempotent. */
    public void cancel() {
        List<CompletableFuture<?>> all = new ArrayList<>();
        lock.lock();
        try {
            cancelled = true;
            ended.signalAll();
            underWay.values().forEach(under -> under.step.ifPresent(all::add));
        } finally {
            lock.unlock();
        }
        all.forEach(future -> future.cancel(true));
    }

    /** True after {@link #cancel}. */
    public boolean isCancelled() {
        lock.lock();
        try {
            return cancelled;
        } finally {
            lock.unlock();
        }
    }

    /** Counts up to now. */
    public BulkResult result() {
        lock.lock();
        try {
            return new BulkResult(objects, failed, dropped, bytes, retries, direct, markers, verified);
        } finally {
            lock.unlock();
        }
    }

    // ------------------------------------------------------------------ the window

    /** True when one more may start. */
    private boolean awaitRoom() throws InterruptedException {
        lock.lockInterruptibly();
        try {
            while (running >= window && !cancelled) {
                ended.await();
            }
            return !cancelled;
        } finally {
            lock.unlock();
        }
    }

    private void awaitAll() throws InterruptedException {
        lock.lockInterruptibly();
        try {
            while (running > 0) {
                ended.await();
            }
        } finally {
            lock.unlock();
        }
    }

    // ------------------------------------------------------------------ one item

    private void start(BulkItem item) throws InterruptedException {
        if (item instanceof BulkItem.Broken broken) {
            failed(item, broken.cause());
        } else if (item instanceof BulkItem.Exact exact) {
            listener.found(OptionalLong.empty());
            begin(item, DownloadRequest.of(exact.object(), exact.target()));
        } else if (item instanceof BulkItem.Below below) {
            listener.found(below.size());
            try {
                startBelow(below);
            } catch (IOException e) {
                failed(item, e);
            }
        }
    }

    private void startBelow(BulkItem.Below item) throws IOException, InterruptedException {
        String key = item.name();
        String relative = item.relative();
        Optional<String> above = relative.isEmpty() ? Optional.empty() : names.fileAbove(relative);
        Path target = paths.resolve(key, relative, item.size().orElse(0));
        if (above.isPresent()) {
            throw new KeyRefusedException(
                    key, "the key that becomes the file " + above.get() + " stands where this one needs a folder");
        }
        if (KeyPaths.isMarker(relative)) {
            paths.checkOnDisk(key, target, true);
            checkFileUnderWay(key, target);
            EmptyFolders.make(target);
            markerMade(item, target);
            return;
        }
        checkFileUnderWay(key, target.getParent());
        checkFolderUnderWay(key, target);
        // In line behind another download of the very same object to the very same place: no harm, and no race.
        if (!awaitTarget(target, item.object())) {
            throw new KeyRefusedException(key, "another source for the name " + target + " came first");
        }
        paths.checkOnDisk(key, target, false);
        if (names.claim(relative, key) == NameLedger.Known.OTHER_SOURCE
                && (names.isFolding() || Files.exists(target))) {
            throw new KeyRefusedException(
                    key,
                    "another source for the name " + target + " came first"
                            + (names.isFolding() ? " (this file system does not tell upper from lower case)" : ""));
        }
        DownloadRequest request = DownloadRequest.of(item.object(), target);
        if (item.size().isPresent()) {
            request = request.withExpectedLength(item.size().getAsLong());
        }
        if (item.etag().isPresent()) {
            request = request.withExpectedETag(item.etag().get());
        }
        begin(item, request);
    }

    private void checkFileUnderWay(String key, Path folderOfKey) throws KeyRefusedException {
        lock.lock();
        try {
            for (Path part = folderOfKey; part != null && part.startsWith(folder); part = part.getParent()) {
                if (underWay.containsKey(part)) {
                    throw new KeyRefusedException(
                            key, "the key that becomes the file " + part + " stands where this one needs a folder");
                }
            }
        } finally {
            lock.unlock();
        }
    }

    /** A file cannot be where a file under way needs a folder. */
    private void checkFolderUnderWay(String key, Path target) throws KeyRefusedException {
        lock.lock();
        try {
            for (Path file : underWay.keySet()) {
                if (file.startsWith(target) && !file.equals(target)) {
                    throw new KeyRefusedException(key, "another key needs " + target + " as a folder");
                }
            }
        } finally {
            lock.unlock();
        }
    }

    /** Waits while the target is being written by the same object; false where another object writes it. */
    private boolean awaitTarget(Path target, ObjectId object) throws InterruptedException {
        lock.lockInterruptibly();
        try {
            while (true) {
                Under other = underWay.get(target);
                if (other == null || cancelled) {
                    return true;
                }
                if (!other.object.equals(object)) {
                    return false;
                }
                ended.await();
            }
        } finally {
            lock.unlock();
        }
    }

    private void begin(BulkItem item, DownloadRequest request) {
        Under under = new Under(request.object());
        lock.lock();
        try {
            running++;
            underWay.put(request.target(), under);
        } finally {
            lock.unlock();
        }
        AtomicLong furthest = new AtomicLong();
        fetch(item, request.withProgress(at -> advance(furthest, at)), under);
    }

    private void advance(AtomicLong furthest, long at) {
        long before = furthest.getAndAccumulate(at, Math::max);
        if (at > before) {
            listener.advanced(at - before);
        }
    }

    private void fetch(BulkItem item, DownloadRequest request, Under under) {
        CompletableFuture<DownloadResult> future = begun(() -> downloader.apply(request));
        boolean stop = follow(under, future);
        future.whenComplete((result, problem) -> {
            unfollow(under);
            if (problem == null) {
                completed(item, request.target(), result);
                return;
            }
            Throwable cause = unwrap(problem);
            if (cause instanceof DownloadFailure.ObjectChanged
                    && request.expectedETag().isPresent()) {
                compareWithListing(item, request, under, (IOException) cause);
            } else {
                ended(item, request.target(), cause);
            }
        });
        if (stop) {
            future.cancel(true);
        }
    }

    /**
     * The object is not what the listing said. If it was replaced since, the one that is there now is wanted; if it still
     * is the one that was listed, it is broken.
     */
    private void compareWithListing(BulkItem item, DownloadRequest request, Under under, IOException cause) {
        CompletableFuture<ObjectHead> head = begun(() -> heads.apply(request.object()));
        boolean stop = follow(under, head);
        head.whenComplete((now, problem) -> {
            unfollow(under);
            if (problem == null && !now.etag().equals(request.expectedETag())) {
                LOG.info("{} was replaced since it was listed; the one that is there now is fetched", item.name());
                DownloadRequest again =
                        DownloadRequest.of(request.object(), request.target()).withProgress(request.progress());
                fetch(item, again, under);
            } else {
                ended(item, request.target(), cause);
            }
        });
        if (stop) {
            head.cancel(true);
        }
    }

    /** What throws instead of failing its future would leave the window one place short. */
    private static <T> CompletableFuture<T> begun(Supplier<CompletableFuture<T>> starter) {
        try {
            return starter.get();
        } catch (RuntimeException | Error e) {
            return CompletableFuture.failedFuture(e);
        }
    }

    /** True when everything is cancelled. */
    private boolean follow(Under under, CompletableFuture<?> future) {
        lock.lock();
        try {
            under.step = Optional.of(future);
            return cancelled;
        } finally {
            lock.unlock();
        }
    }

    private void unfollow(Under under) {
        lock.lock();
        try {
            under.step = Optional.empty();
        } finally {
            lock.unlock();
        }
    }

    private static Throwable unwrap(Throwable problem) {
        Throwable cause = problem;
        while (cause instanceof CompletionException && cause.getCause() != null) {
            cause = cause.getCause();
        }
        return cause;
    }

    // ------------------------------------------------------------------ ends

    private void completed(BulkItem item, Path target, DownloadResult result) {
        tell(() -> listener.completed(item, result));
        lock.lock();
        try {
            objects++;
            bytes += result.bytes();
            retries += result.retries();
            direct += result.direct() ? 1 : 0;
            count(result.verified());
            underWay.remove(target);
            running--;
            ended.signalAll();
        } finally {
            lock.unlock();
        }
    }

    /** What a listener throws on a downloader's thread would leave the window one place short, too. */
    private static void tell(Runnable listener) {
        try {
            listener.run();
        } catch (RuntimeException | Error e) {
            LOG.error("A listener of downloads threw; they go on", e);
        }
    }

    private void markerMade(BulkItem item, Path target) {
        listener.completed(item, new DownloadResult(target, 0, "nothing to verify", 0, false, Optional.empty()));
        lock.lock();
        try {
            objects++;
            markers++;
        } finally {
            lock.unlock();
        }
    }

    private void count(String how) {
        String kind = verified.containsKey(how) || verified.size() < MAX_KINDS ? how : "other";
        verified.merge(kind, 1L, Long::sum);
    }

    private void ended(BulkItem item, Path target, Throwable problem) {
        boolean wanted = !isCancelled()
                && !(problem instanceof CancellationException)
                && !(problem instanceof DownloadFailure.Cancelled);
        if (wanted) {
            tell(() -> listener.failed(item, asIo(problem)));
        }
        lock.lock();
        try {
            if (wanted) {
                failed++;
            } else {
                dropped++;
            }
            underWay.remove(target);
            running--;
            ended.signalAll();
        } finally {
            lock.unlock();
        }
    }

    private static IOException asIo(Throwable problem) {
        return problem instanceof IOException io
                ? io
                : new IOException("An error in Millrace itself, which is worth a report: " + problem, problem);
    }

    private void failed(BulkItem item, IOException cause) {
        listener.failed(item, cause);
        lock.lock();
        try {
            failed++;
        } finally {
            lock.unlock();
        }
    }
}
