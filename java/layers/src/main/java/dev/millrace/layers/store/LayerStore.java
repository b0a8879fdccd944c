// SPDX-License-Identifier: Apache-2.0
package dev.millrace.layers.store;

import dev.millrace.io.IoEngine;
import dev.millrace.layers.TenantId;
import dev.millrace.layers.TimelineId;
import dev.millrace.layers.format.BlockCache;
import dev.millrace.layers.format.LayerReaders;
import dev.millrace.transfer.Downloader;
import dev.millrace.transfer.DownloaderConfig;
import dev.millrace.transfer.ObjectSource;
import dev.millrace.transfer.ObjectWriter;
import dev.millrace.transfer.Timing;
import dev.millrace.transfer.Uploader;
import java.io.IOException;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.Executor;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import java.util.function.UnaryOperator;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Layers in a data folder and an object store. Owns the folder: no other store, of this process or another, may have it.
 *
 * <p>Timelines are attached, detached and read again while others are read. Thread-safe.
 */
public final class LayerStore implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(LayerStore.class);

    /**
     * Where a store's objects are.
     *
     * @param source fetches; stays the caller's, and must stay open until the store is closed
     * @param writer puts; empty where nothing is to be written
     * @param bucket name of the bucket
     * @param prefix of all keys: empty, or ending in a slash
     */
    public record Remote(ObjectSource source, Optional<ObjectWriter> writer, String bucket, String prefix) {
        /** Checks the prefix. */
        public Remote {
            RemoteStore.checkPrefix(prefix);
        }
    }

    /**
     * What tests replace.
     *
     * @param timing of waiting and backing off
     * @param wallClock of moments
     * @param space on the disk
     * @param pooled what runs steps that block, from what does so otherwise
     * @param downloads makes the downloader
     * @param meanwhile what a thread does that waits for the store
     */
    record Surroundings(
            Timing timing,
            InstantSource wallClock,
            DiskSpace space,
            UnaryOperator<Executor> pooled,
            Downloads downloads,
            Waits.Meanwhile meanwhile) {}

    /** Makes a downloader. */
    interface Downloads {
        Downloader open(IoEngine engine, ObjectSource source, DownloaderConfig config);
    }

    private final Path dataFolder;
    private final FolderLock folderLock;
    private final Downloader downloader;
    private final ThreadPoolExecutor pool;
    private final BlockCache blockCache;
    private final StoreParts parts;
    private final Timing.Alarm boundsAlarm;
    private final ConcurrentSkipListMap<RemoteStore.TimelinePlace, Slot> timelines = new ConcurrentSkipListMap<>();
    private final AtomicBoolean closed = new AtomicBoolean();
    /** Held for reading while a timeline's folder is put in order; for writing by the end, which begins after that. */
    private final ReentrantReadWriteLock attachLock = new ReentrantReadWriteLock();

    /**
     * A timeline that is attached, or on its way in or out.
     *
     * @param timeline empty on the way in
     * @param attached neither on the way in nor out
     */
    private record Slot(Optional<Timeline> timeline, boolean attached, String doing) {
        Optional<Timeline> ready() {
            return timeline.filter(any -> attached);
        }
    }

    private LayerStore(
            IoEngine engine,
            Path dataFolder,
            Remote remote,
            LayerStoreConfig config,
            Surroundings surroundings,
            FolderLock folderLock) {
        this.dataFolder = dataFolder;
        this.folderLock = folderLock;
        Timing timing = surroundings.timing();
        blockCache = new BlockCache(config.blockCacheBytes());
        LayerReaders readers = new LayerReaders(engine, blockCache);
        pool = pool(config.threads());
        // Behind all that can refuse what it is given: it has threads, which somebody must end.
        downloader = surroundings
                .downloads()
                .open(
                        engine,
                        remote.source(),
                        config.downloader()
                                .withFatalHandler(
                                        failure -> config.fatalHandler().accept(failure)));
        StoreCounters counters = new StoreCounters();
        DiskBudget budget = new DiskBudget(config, surroundings.space(), timing, counters, this::evictOldest);
        RemoteStore store = new RemoteStore(
                remote.source(),
                downloader,
                remote.writer().map(writer -> new Uploader(writer, timing)),
                remote.bucket(),
                remote.prefix(),
                surroundings.meanwhile());
        parts = new StoreParts(
                config,
                engine,
                readers,
                store,
                timing,
                surroundings.wallClock(),
                surroundings.pooled().apply(workers(pool)),
                surroundings.meanwhile(),
                counters,
                budget,
                new EvictionQueue<>(layer -> layer.state().use()));
        boundsAlarm =
                timing.every(config.boundsInterval(), () -> parts.workers().execute(budget::enforce));
    }

    private static ThreadPoolExecutor pool(int threads) {
        AtomicInteger number = new AtomicInteger();
        ThreadPoolExecutor pool =
                new ThreadPoolExecutor(threads, threads, 10, TimeUnit.SECONDS, new LinkedBlockingQueue<>(), task -> {
                    Thread thread = new Thread(task, "millrace-layers-" + number.getAndIncrement());
                    thread.setDaemon(true);
                    return thread;
                });
        pool.allowCoreThreadTimeOut(true);
        return pool;
    }

    /** After the end there are only readers that let go: they do themselves what is left. */
    private static Executor workers(ThreadPoolExecutor pool) {
        return task -> {
            try {
                pool.execute(task);
            } catch (RejectedExecutionException afterTheEnd) {
                task.run();
            }
        };
    }

    /**
     * A store over a data folder, which is made where it is missing. No timeline is attached yet. Blocks.
     *
     * @param engine stays the caller's, and must stay open until the store is closed
     * @throws StoreFailure.FolderInUse where another process, or store of this one, has the folder
     * @throws IOException where the folder cannot be made or locked
     */
    public static LayerStore open(IoEngine engine, Path dataFolder, Remote remote, LayerStoreConfig config)
            throws IOException {
        return open(
                engine,
                dataFolder,
                remote,
                config,
                new Surroundings(
                        Timing.real("millrace-layers-timer"),
                        InstantSource.system(),
                        DiskSpace.of(dataFolder),
                        pool -> pool,
                        Downloader::open,
                        Waits.Meanwhile.NOTHING));
    }

    static LayerStore open(
            IoEngine engine, Path dataFolder, Remote remote, LayerStoreConfig config, Surroundings surroundings)
            throws IOException {
        boolean opened = false;
        try {
            FolderLock lock = FolderLock.take(engine, dataFolder);
            try {
                LayerStore store = new LayerStore(engine, dataFolder.toRealPath(), remote, config, surroundings, lock);
                opened = true;
                return store;
            } finally {
                if (!opened) {
                    lock.close();
                }
            }
        } finally {
            if (!opened) {
                surroundings.timing().close();
            }
        }
    }

    // ------------------------------------------------------------------ timelines

    /**
     * Attaches a timeline: reads its newest index, puts its folder in order. Blocks.
     *
     * @throws StoreFailure.WrongState where it is attached, or about to be, or being detached
     * @throws StoreFailure where its index cannot be read or its folder not be put in order; it is not attached then
     */
    public Timeline attach(TenantId tenant, TimelineId id) throws StoreFailure {
        RemoteStore.TimelinePlace place = new RemoteStore.TimelinePlace(tenant, id);
        Slot coming = new Slot(Optional.empty(), false, "being attached");
        Slot there = timelines.putIfAbsent(place, coming);
        if (there != null) {
            throw new StoreFailure.WrongState(place + " is " + there.doing());
        }
        try {
            checkOpen();
            RemoteStore.FoundIndex found =
                    parts.remote().readIndex(place, parts.config().generation());
            attachLock.readLock().lock();
            try {
                // Once the store is closed the folder may be another's.
                checkOpen();
                Timeline timeline = Timeline.attach(parts, place, dataFolder, found);
                timelines.replace(place, coming, new Slot(Optional.of(timeline), true, "attached already"));
                return timeline;
            } finally {
                attachLock.readLock().unlock();
            }
        } finally {
            timelines.remove(place, coming);
        }
    }

    /**
     * Lets a timeline go: cancels its downloads and waits until nothing of it is under way. Readers keep what they have.
     *
     * @param deleteFiles its local files go, those of layers that are nowhere but here excepted; else they stay and are taken
     *     up when it is attached again, and count for no bound meanwhile
     * @throws StoreFailure.NotFound where it is not attached
     */
    public void detach(TenantId tenant, TimelineId id, boolean deleteFiles) throws StoreFailure {
        RemoteStore.TimelinePlace place = new RemoteStore.TimelinePlace(tenant, id);
        Slot there = slot(place);
        Slot going = new Slot(there.timeline(), false, "being detached");
        if (there.ready().isEmpty() || !timelines.replace(place, there, going)) {
            throw new StoreFailure.WrongState(place + " is " + there.doing());
        }
        // Until nothing is under way no other may come in its place, whether this thread waits for that or not.
        CompletableFuture<Void> end = there.timeline()
                .get()
                .detach(deleteFiles)
                .whenComplete((quiet, problem) -> timelines.remove(place, going));
        try {
            Waits.forIo(end, parts.meanwhile());
            LOG.info("{} is detached", place);
        } catch (IOException e) {
            LOG.warn("The end of {} was not waited for: {}", place, e.getMessage());
        }
    }

    private Slot slot(RemoteStore.TimelinePlace place) throws StoreFailure.NotFound {
        Slot there = timelines.get(place);
        if (there == null) {
            throw new StoreFailure.NotFound(place + " is not attached");
        }
        return there;
    }

    /**
     * A timeline.
     *
     * @throws StoreFailure.NotFound where it is not attached
     * @throws StoreFailure.WrongState where it is on its way in or out
     */
    public Timeline timeline(TenantId tenant, TimelineId id) throws StoreFailure {
        Slot there = slot(new RemoteStore.TimelinePlace(tenant, id));
        return there.ready().orElseThrow(() -> new StoreFailure.WrongState(tenant + "/" + id + " is " + there.doing()));
    }

    /** All that are attached, in the order of their ids. */
    public List<Timeline> timelines() {
        return timelines.values().stream()
                .flatMap(slot -> slot.ready().stream())
                .toList();
    }

    /** All tenants with a timeline attached, in the order of their ids. */
    public List<Tenant> tenants() {
        Map<TenantId, List<Timeline>> byTenant = new TreeMap<>();
        timelines()
                .forEach(timeline -> byTenant.computeIfAbsent(timeline.place().tenant(), id -> new ArrayList<>())
                        .add(timeline));
        return byTenant.entrySet().stream()
                .map(tenant -> new Tenant(tenant.getKey(), tenant.getValue()))
                .toList();
    }

    /** The object store. */
    public RemoteStore remote() {
        return parts.remote();
    }

    /** How it works. */
    public LayerStoreConfig config() {
        return parts.config();
    }

    /** What it has done, and what it has. */
    public StoreMetrics metrics() {
        return parts.counters().snapshot(parts.readers().counters());
    }

    /** What the cache of summaries and index blocks has counted, and holds. */
    public BlockCache.Counters blockCache() {
        return blockCache.counters();
    }

    // ------------------------------------------------------------------ room

    /**
     * Asks least recently used layers of so many bytes together to go, whatever the bounds say.
     *
     * @param bytes at least so many, where there are as many that can go
     */
    public EvictionRun evict(long bytes) {
        if (bytes < 0) {
            throw new IllegalArgumentException("bytes to evict must be 0 or more, and not " + bytes);
        }
        return evictOldest(bytes, 0, EvictionReason.BYTES_ASKED_FOR);
    }

    private EvictionRun evictOldest(long bytes, long asked, EvictionReason reason) {
        List<Layer> chosen =
                parts.evictable().choose(bytes, bytes - asked, parts.config().tenantMinimumBytes());
        List<CompletableFuture<EvictionOutcome>> evictions =
                chosen.stream().map(layer -> layer.evict(reason)).toList();
        EvictionRun run = new EvictionRun(chosen, evictions);
        if (!chosen.isEmpty()) {
            LOG.info("{} layers of {} bytes are asked to go: {}", chosen.size(), run.askedBytes(), reason.label());
        }
        return run;
    }

    // ------------------------------------------------------------------ the end

    private void checkOpen() throws StoreFailure {
        if (closed.get()) {
            throw closedFailure();
        }
    }

    private static StoreFailure.ShuttingDown closedFailure() {
        return new StoreFailure.ShuttingDown("the store of layers is closed");
    }

    /**
     * Detaches all timelines, their files stay; returns when nothing is under way and the folder is free for others, and not
     * before, also where its thread is interrupted. Sticky: from its start nothing is attached. Idempotent. Not for what runs on
     * threads of the store, as continuations of its futures do.
     */
    @Override
    public void close() throws IOException {
        if (!closed.compareAndSet(false, true)) {
            return;
        }
        attachLock.writeLock().lock();
        try {
            boundsAlarm.cancel();
        } finally {
            attachLock.writeLock().unlock();
        }
        parts.budget().close();
        List<CompletableFuture<Void>> ends = new ArrayList<>();
        // Those that are being detached already, too.
        for (Slot slot : timelines.values()) {
            slot.timeline().ifPresent(timeline -> ends.add(timeline.detach(false)));
        }
        Waits.uninterruptibly(CompletableFuture.allOf(ends.toArray(CompletableFuture[]::new)), parts.meanwhile());
        timelines.clear();
        downloader.close();
        parts.timing().close();
        endPool();
        folderLock.close();
    }

    /** Files that nobody reads any more are closed by then. */
    private void endPool() {
        pool.shutdown();
        boolean interrupted = false;
        while (!pool.isTerminated()) {
            try {
                pool.awaitTermination(1, TimeUnit.DAYS);
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
