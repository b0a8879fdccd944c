// SPDX-License-Identifier: Apache-2.0
package dev.millrace.transfer;

import dev.millrace.io.IoEngine;
import dev.millrace.io.TemporaryFile;
import java.io.IOException;
import java.nio.channels.WritableByteChannel;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Downloads objects to files that are there only when they are whole. Retries, resumes, verifies, syncs, renames.
 *
 * <p>Thread-safe. Futures complete on a pool of this downloader's own: a continuation that blocks there holds up nobody's
 * bytes. Cancelling a future cancels its download; what it holds is given back soon after, and {@link #close} waits for
 * that.
 */
public final class Downloader implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Downloader.class);
    private static final int PREPARERS = 4;
    private static final int COMPLETERS = 64;
    private static final int STREAMERS = 64;
    private static final int MAX_REMEMBERED_FOLDERS = 4096;

    private final IoEngine engine;
    private final ObjectSource source;
    private final DownloaderConfig config;
    private final Timing timing;
    private final Permits layerPermits;
    private final Permits indexPermits;
    private final StoreRate rate;
    private final Watchdog watchdog;
    private final MadeFolders folders;
    private final ExecutorService preparing;
    private final ExecutorService publishing;
    private final ExecutorService completing;
    private final ExecutorService streaming;
    private final Shared shared = new Shared();

    private final ReentrantLock lock = new ReentrantLock();
    private final Condition idle = lock.newCondition();
    private final Set<Download> underWay = new HashSet<>();
    private final Set<Path> cleaned = new HashSet<>();
    private volatile boolean closed;

    /** Makes the pools of a downloader: simulations have theirs run by hand. */
    public interface Pools {
        /** A pool of so many threads, which are named so; shut down when the downloader is closed. */
        ExecutorService make(String name, int threads);
    }

    private Downloader(IoEngine engine, ObjectSource source, DownloaderConfig config, Timing timing, Pools pools) {
        this.engine = engine;
        this.source = source;
        this.config = config;
        this.timing = timing;
        layerPermits = new Permits(config.layerPermits());
        indexPermits = new Permits(config.indexPermits());
        rate = new StoreRate(timing);
        watchdog = new Watchdog(timing, config);
        folders = new MadeFolders(engine);
        preparing = pools.make("millrace-prepare", PREPARERS);
        publishing = pools.make("millrace-publish", config.publishers());
        completing = pools.make("millrace-downloads", COMPLETERS);
        streaming = pools.make("millrace-stream", STREAMERS);
    }

    /** Daemon threads that end when idle. Their queues hold at most one task for each download under way. */
    private static ExecutorService pool(String name, int threads) {
        AtomicInteger number = new AtomicInteger();
        ThreadPoolExecutor pool = new ThreadPoolExecutor(
                threads, threads, 10, TimeUnit.SECONDS, new LinkedBlockingQueue<>(), runnable -> {
                    Thread thread = new Thread(runnable, name + "-" + number.getAndIncrement());
                    thread.setDaemon(true);
                    return thread;
                });
        pool.allowCoreThreadTimeOut(true);
        return pool;
    }

    /**
     * A downloader. The engine and the source stay the caller's, and must stay open until this is closed.
     */
    public static Downloader open(IoEngine engine, ObjectSource source, DownloaderConfig config) {
        return open(engine, source, config, Timing.real("millrace-timer"));
    }

    static Downloader open(IoEngine engine, ObjectSource source, DownloaderConfig config, Timing timing) {
        return open(engine, source, config, timing, Downloader::pool);
    }

    /**
     * The same with time, chance and threads of the caller's, for simulations. All three are the downloader's from now on: it
     * closes them.
     */
    public static Downloader open(
            IoEngine engine, ObjectSource source, DownloaderConfig config, Timing timing, Pools pools) {
        return new Downloader(
                engine, source, Descriptors.fit(config, engine.descriptors().limit()), timing, pools);
    }

    /**
     * Downloads an object to a file. When the future completes, the file is there under its final name, whole, verified
     * and durable; when it fails (with a {@link DownloadFailure}), clean-up is over.
     */
    public CompletableFuture<DownloadResult> download(DownloadRequest request) {
        return start(request).result();
    }

    /**
     * As {@link #download}, for those who must know when a download that they stop is over: cancelling a future ends the
     * future at once and clean-up goes on.
     */
    public RunningDownload start(DownloadRequest request) {
        String key = request.object().key();
        String last = key.substring(key.lastIndexOf('/') + 1);
        if (TemporaryFile.isTemporaryName(last)) {
            return RunningDownload.failed(new DownloadFailure.BadTarget("the key " + request.object()
                    + " is refused: its last part has the form of temporary files, which are removed after a crash"));
        }
        Target target;
        try {
            target = Target.of(request.target());
        } catch (DownloadFailure.BadTarget e) {
            return RunningDownload.failed(e);
        }
        Download download = new Download(shared, request, target.file(), new FileSinks(target));
        return new RunningDownload(
                enter(download),
                () -> download.stop(
                        new DownloadFailure.Cancelled("download of " + request.object() + " was cancelled")));
    }

    /**
     * Writes an object to a channel, straight and in order: for pipes, devices and standard output. Retries and verifies
     * as {@link #download} does, but bytes that were written cannot be taken back: where the object changes or the
     * checksum differs in the end, the future fails and the channel has them. The channel is written to by one thread of
     * this downloader at a time, must be blocking, and is not closed.
     */
    public CompletableFuture<DownloadResult> stream(ObjectId object, WritableByteChannel channel) {
        return stream(DownloadRequest.of(object, Path.of("")), channel);
    }

    /** {@link #stream(ObjectId, WritableByteChannel)} with all that a request can say but its target, which is ignored. */
    public CompletableFuture<DownloadResult> stream(DownloadRequest request, WritableByteChannel channel) {
        return enter(new Download(shared, request, Path.of(""), new ChannelSinks(channel)));
    }

    private CompletableFuture<DownloadResult> enter(Download download) {
        lock.lock();
        try {
            if (closed) {
                return CompletableFuture.failedFuture(new DownloadFailure.Cancelled("the downloader is closed"));
            }
            if (underWay.size() >= config.maxWaiting()) {
                return CompletableFuture.failedFuture(new DownloadFailure.TooManyWaiting(config.maxWaiting()
                        + " downloads are accepted and not yet done; wait for some of them, or raise maxWaiting"));
            }
            underWay.add(download);
        } finally {
            lock.unlock();
        }
        download.start();
        return download.future();
    }

    /** What is left of crashed processes goes when the first download comes to a folder. */
    private void cleanOnce(Path folder) {
        lock.lock();
        try {
            if (cleaned.size() >= MAX_REMEMBERED_FOLDERS) {
                cleaned.clear();
            }
            if (!cleaned.add(folder)) {
                return;
            }
        } finally {
            lock.unlock();
        }
        try {
            TemporaryFile.clean(engine, folder);
        } catch (IOException e) {
            LOG.debug("Temporary files in {} could not be looked for", folder, e);
        }
    }

    private final class FileSinks implements Download.SinkMaker {
        private final Target target;
        private boolean entered;

        FileSinks(Target target) {
            this.target = target;
        }

        @Override
        public Sink open() throws IOException {
            if (!entered) {
                folders.enter(target.folder());
                entered = true;
                cleanOnce(target.folder());
            }
            return FileSink.open(engine, target, true, config.buffersPerDownload(), config.direct());
        }

        @Override
        public void failed() {
            leave(true);
        }

        @Override
        public void succeeded() {
            leave(false);
        }

        private void leave(boolean failed) {
            if (entered) {
                folders.leave(target.folder(), failed);
            }
        }
    }

    private final class ChannelSinks implements Download.SinkMaker {
        private final WritableByteChannel channel;

        ChannelSinks(WritableByteChannel channel) {
            this.channel = channel;
        }

        @Override
        public Sink open() {
            return new ChannelSink(engine, channel, streaming);
        }

        @Override
        public void failed() {
            // the channel is the caller's
        }

        @Override
        public void succeeded() {
            // the channel is the caller's
        }
    }

    /** What all downloads of this downloader use together. */
    final class Shared {
        ObjectSource source() {
            return source;
        }

        DownloaderConfig config() {
            return config;
        }

        Timing timing() {
            return timing;
        }

        Permits layerPermits() {
            return layerPermits;
        }

        Permits indexPermits() {
            return indexPermits;
        }

        StoreRate rate() {
            return rate;
        }

        Watchdog watchdog() {
            return watchdog;
        }

        /** Nothing begins any more. */
        boolean isClosed() {
            return closed;
        }

        /** Bytes between two reports of progress. */
        int progressStep() {
            return engine.buffers().bufferSize();
        }

        /** Short steps that may touch the file system. */
        void prepare(Runnable step) {
            preparing.execute(step);
        }

        /** Long steps: syncing and cleaning up. */
        void publish(Runnable step) {
            publishing.execute(step);
        }

        /** A download has given back all it had; the caller hears of it on a thread that may be blocked. */
        void done(Download download, Runnable completion) {
            completing.execute(completion);
            lock.lock();
            try {
                underWay.remove(download);
                if (underWay.isEmpty()) {
                    idle.signalAll();
                }
            } finally {
                lock.unlock();
            }
        }
    }

    /**
     * Cancels what is under way and returns when every buffer, descriptor, permit and temporary file is back or gone.
     * Sticky: from its start nothing enters. Idempotent; further calls wait, too.
     */
    @Override
    public void close() {
        Set<Download> stopping;
        lock.lock();
        try {
            closed = true;
            stopping = new HashSet<>(underWay);
        } finally {
            lock.unlock();
        }
        stopping.forEach(download -> download.stop(new DownloadFailure.Cancelled("the downloader is closed")));
        lock.lock();
        try {
            while (!underWay.isEmpty()) {
                idle.awaitUninterruptibly();
            }
        } finally {
            lock.unlock();
        }
        watchdog.close();
        timing.close();
        preparing.shutdown();
        publishing.shutdown();
        streaming.shutdown();
        completing.shutdown();
    }
}
