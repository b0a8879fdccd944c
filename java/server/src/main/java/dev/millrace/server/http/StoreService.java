// SPDX-License-Identifier: Apache-2.0
package dev.millrace.server.http;

import dev.millrace.layers.KeyRange;
import dev.millrace.layers.LayerName;
import dev.millrace.layers.TaskKind;
import dev.millrace.layers.TenantId;
import dev.millrace.layers.TimelineId;
import dev.millrace.layers.json.BlobLayerInfo;
import dev.millrace.layers.json.HistoricLayerInfo;
import dev.millrace.layers.json.LayerMapWriter;
import dev.millrace.layers.stats.LayerAccessStats;
import dev.millrace.layers.stats.StatisticsReset;
import dev.millrace.layers.store.BulkDownloadStatus;
import dev.millrace.layers.store.DownloadReason;
import dev.millrace.layers.store.EvictionOutcome;
import dev.millrace.layers.store.EvictionReason;
import dev.millrace.layers.store.EvictionRun;
import dev.millrace.layers.store.Layer;
import dev.millrace.layers.store.LayerStore;
import dev.millrace.layers.store.StoreFailure;
import dev.millrace.layers.store.Tenant;
import dev.millrace.layers.store.Timeline;
import java.io.IOException;
import java.nio.file.FileStore;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * A {@link LayerStore} behind the API: what blocks runs on a few threads here, and a timeline that is not there yet, or not
 * there any more, is told from one that never was.
 */
public final class StoreService implements LayerService, AutoCloseable {
    private static final int THREADS = 8;
    private static final int MAX_WAITING = 256;
    /** How long room may be waited for; what goes later still goes. */
    private static final Duration ROOM_LIMIT = Duration.ofMinutes(2);

    private static final String ACTIVE = "Active";
    private static final String ATTACHING = "Attaching";
    private static final String BROKEN = "Broken";

    private final LayerStore store;
    private final Path dataFolder;
    private final AttachedTimelines attached;
    private final ThreadPoolExecutor workers;
    private volatile Phase phase = Phase.ATTACHING;

    /** Over a store, which stays the caller's. */
    public StoreService(LayerStore store, Path dataFolder) {
        this.store = store;
        this.dataFolder = dataFolder;
        this.attached = new AttachedTimelines(store);
        AtomicInteger number = new AtomicInteger();
        workers = new ThreadPoolExecutor(
                THREADS, THREADS, 10, TimeUnit.SECONDS, new ArrayBlockingQueue<>(MAX_WAITING), task -> {
                    Thread thread = new Thread(task, "millrace-api-" + number.getAndIncrement());
                    thread.setDaemon(true);
                    return thread;
                });
        workers.allowCoreThreadTimeOut(true);
    }

    /**
     * Attaches every timeline that the object store has an index of; returns at once. Those that cannot be attached are
     * logged, and shown as broken until they are attached by a call.
     *
     * @return done when each is attached or broken
     */
    public CompletableFuture<Void> attachAll() {
        CompletableFuture<Void> done = new CompletableFuture<>();
        Thread starter = new Thread(
                () -> {
                    try {
                        attached.attachAll(() -> phase != Phase.ATTACHING);
                        ready();
                        done.complete(null);
                    } catch (IOException | RuntimeException e) {
                        done.completeExceptionally(e);
                    }
                },
                "millrace-attaching");
        starter.setDaemon(true);
        starter.start();
        return done;
    }

    /** Nothing (more) is to be attached by itself. */
    private synchronized void ready() {
        if (phase == Phase.ATTACHING) {
            phase = Phase.READY;
        }
    }

    /** From now on everything is answered 503. Does not wait for what is under way. */
    public synchronized void stop() {
        phase = Phase.STOPPING;
    }

    @Override
    public void close() {
        stop();
        workers.shutdownNow();
    }

    // ------------------------------------------------------------------ tenants and timelines

    @Override
    public Phase phase() {
        return phase;
    }

    private void checkRunning() throws ApiException {
        if (phase == Phase.STOPPING) {
            throw ApiException.unavailable("the server is shutting down");
        }
    }

    @Override
    public List<TenantView> tenants() throws ApiException {
        checkRunning();
        if (!attached.areListed() && phase == Phase.ATTACHING) {
            throw ApiException.unavailable("the server is finding out which tenants there are");
        }
        Map<TenantId, TenantView> all = new TreeMap<>();
        attached.others()
                .forEach((place, problem) -> all.put(
                        place.tenant(), view(place.tenant(), problem.isPresent() ? BROKEN : ATTACHING, 0, List.of())));
        store.tenants().forEach(tenant -> all.put(tenant.id(), view(tenant)));
        return List.copyOf(all.values());
    }

    private TenantView view(Tenant tenant) {
        List<TimelineId> timelines = tenant.timelines().stream()
                .map(timeline -> timeline.place().timeline())
                .toList();
        return view(tenant.id(), ACTIVE, tenant.residentBytes(), timelines);
    }

    private TenantView view(TenantId id, String state, long bytes, List<TimelineId> timelines) {
        return new TenantView(
                id,
                state,
                state.equals(ACTIVE) ? "attached" : "maybe",
                bytes,
                store.config().generation(),
                timelines);
    }

    @Override
    public TenantView tenant(TenantId id) throws ApiException {
        checkRunning();
        Optional<Tenant> tenant = store.tenants().stream()
                .filter(candidate -> candidate.id().equals(id))
                .findFirst();
        if (tenant.isPresent()) {
            return view(tenant.get());
        }
        attached.checkAbsent(place -> place.tenant().equals(id), "tenant " + id, phase);
        throw ApiException.notFound("there is no tenant " + id + " here");
    }

    private Timeline find(TenantId tenant, TimelineId id) throws ApiException, StoreFailure {
        checkRunning();
        try {
            return store.timeline(tenant, id);
        } catch (StoreFailure.WrongState e) {
            throw ApiException.unavailable(e.getMessage());
        } catch (StoreFailure.NotFound e) {
            attached.checkAbsent(
                    place -> place.tenant().equals(tenant) && place.timeline().equals(id),
                    "timeline " + tenant + "/" + id,
                    phase);
            throw e;
        }
    }

    @Override
    public TimelineView timeline(TenantId tenant, TimelineId id) throws ApiException, IOException {
        return view(find(tenant, id));
    }

    private static TimelineView view(Timeline timeline) {
        long residentBytes = 0;
        long totalBytes = 0;
        long residentLayers = 0;
        List<Layer> layers = timeline.layers();
        for (Layer layer : layers) {
            long size = layer.size();
            totalBytes += size;
            if (!layer.isRemote()) {
                residentBytes += size;
                residentLayers++;
            }
        }
        return new TimelineView(
                timeline.place().tenant(),
                timeline.place().timeline(),
                ACTIVE,
                residentBytes,
                totalBytes,
                layers.size(),
                residentLayers);
    }

    @Override
    public CompletionStage<TimelineView> attach(TenantId tenant, TimelineId timeline) {
        return blocking(() -> view(attached.attach(tenant, timeline)));
    }

    @Override
    public CompletionStage<Void> detach(TenantId tenant, TimelineId timeline) {
        return blocking(() -> {
            attached.detach(tenant, timeline);
            return null;
        });
    }

    @Override
    public CompletionStage<TimelineView> reload(TenantId tenant, TimelineId id) {
        return blocking(() -> {
            Timeline timeline = find(tenant, id);
            timeline.reload();
            return view(timeline);
        });
    }

    private <T> CompletionStage<T> blocking(Callable<T> call) {
        CompletableFuture<T> result = new CompletableFuture<>();
        try {
            checkRunning();
            workers.execute(() -> {
                try {
                    result.complete(call.call());
                } catch (Exception e) {
                    result.completeExceptionally(e);
                }
            });
        } catch (RejectedExecutionException e) {
            result.completeExceptionally(ApiException.unavailable(
                    MAX_WAITING + " calls wait for their turn already, or the server is shutting down"));
        } catch (ApiException e) {
            result.completeExceptionally(e);
        }
        return result;
    }

    // ------------------------------------------------------------------ layers

    @Override
    public Listing layers(TenantId tenant, TimelineId id, StatisticsReset reset) throws ApiException, IOException {
        Timeline timeline = find(tenant, id);
        return to -> {
            try (LayerMapWriter map = new LayerMapWriter(to)) {
                for (Iterator<Layer> layers = timeline.historicLayers(); layers.hasNext(); ) {
                    map.historic(historic(layers.next(), reset));
                }
                for (Iterator<Layer> layers = timeline.blobLayers(); layers.hasNext(); ) {
                    Layer layer = layers.next();
                    map.blob(new BlobLayerInfo(
                            (LayerName.Blob) layer.name(), layer.size(), layer.isRemote(), statistics(layer, reset)));
                }
            }
        };
    }

    private static HistoricLayerInfo historic(Layer layer, StatisticsReset reset) {
        boolean remote = layer.isRemote();
        LayerAccessStats statistics = statistics(layer, reset);
        if (layer.name() instanceof LayerName.Delta delta) {
            boolean l0 = delta.keys().equals(KeyRange.ALL);
            return new HistoricLayerInfo.Delta(delta, layer.size(), remote, l0, statistics);
        }
        return new HistoricLayerInfo.Image((LayerName.Image) layer.name(), layer.size(), remote, statistics);
    }

    /** Without garbage collection every layer can be needed. */
    private static LayerAccessStats statistics(Layer layer, StatisticsReset reset) {
        return layer.statistics().snapshotAndReset(reset).withVisible(true);
    }

    @Override
    public CompletionStage<Downloaded> download(TenantId tenant, TimelineId timeline, LayerName name) {
        return found(
                tenant,
                timeline,
                name,
                layer -> layer.download(TaskKind.MGMT_REQUEST, DownloadReason.EXPLICIT)
                        .thenApply(downloaded -> new Downloaded(downloaded, layer.size())));
    }

    @Override
    public CompletionStage<Evicted> evict(TenantId tenant, TimelineId timeline, LayerName name, Duration limit) {
        return found(
                tenant,
                timeline,
                name,
                layer -> layer.evict(EvictionReason.EXPLICIT)
                        .thenApply(outcome -> translated(layer, outcome))
                        .completeOnTimeout(Evicted.WAITING, limit.toMillis(), TimeUnit.MILLISECONDS));
    }

    private static Evicted translated(Layer layer, EvictionOutcome outcome) {
        return switch (outcome) {
            case EVICTED -> Evicted.DONE;
            case NOT_RESIDENT, READER_CAME, SUPERSEDED -> Evicted.NOT_DONE;
            case NOT_UPLOADED ->
                throw new CompletionException(
                        ApiException.conflict(layer + " is nowhere but here: it is not evicted before it is uploaded"));
            case SHUTTING_DOWN ->
                throw new CompletionException(ApiException.unavailable(
                        "shutting down: " + layer + " is not evicted, its timeline is being detached"));
            case FAILED ->
                throw new CompletionException(new ApiException(
                        500,
                        layer + " stays: its file could not be removed; the server's log says why",
                        Optional.empty()));
        };
    }

    /** Does something to a layer. */
    @FunctionalInterface
    private interface LayerStep<T> {
        CompletionStage<T> take(Layer layer);
    }

    private <T> CompletionStage<T> found(TenantId tenant, TimelineId timeline, LayerName name, LayerStep<T> step) {
        try {
            return step.take(find(tenant, timeline).requireLayer(name));
        } catch (IOException | ApiException e) {
            return CompletableFuture.failedFuture(e);
        }
    }

    @Override
    public BulkStart downloadAll(TenantId tenant, TimelineId id, int concurrency) throws ApiException, IOException {
        Timeline timeline = find(tenant, id);
        try {
            return new BulkStart(view(timeline.downloadAll(concurrency).status()), true);
        } catch (StoreFailure.WrongState e) {
            return new BulkStart(
                    timeline.lastBulkDownload()
                            .map(running -> view(running.status()))
                            .orElseThrow(() -> ApiException.conflict(e.getMessage())),
                    false);
        }
    }

    @Override
    public Optional<BulkDownload> bulkDownload(TenantId tenant, TimelineId id) throws ApiException, IOException {
        return find(tenant, id).lastBulkDownload().map(task -> view(task.status()));
    }

    private static BulkDownload view(BulkDownloadStatus status) {
        return new BulkDownload(
                status.taskId(),
                status.state().label(),
                status.totalLayerCount(),
                status.successfulDownloadCount(),
                status.failedDownloadCount());
    }

    // ------------------------------------------------------------------ the disk

    @Override
    public CompletionStage<Freed> makeRoom(long bytes) {
        try {
            checkRunning();
        } catch (ApiException e) {
            return CompletableFuture.failedFuture(e);
        }
        EvictionRun run = store.evict(bytes);
        return run.done()
                .completeOnTimeout(null, ROOM_LIMIT.toMillis(), TimeUnit.MILLISECONDS)
                .thenApply(done -> freed(run.evicted()));
    }

    private static Freed freed(List<EvictionRun.Evicted> gone) {
        List<FreedLayer> named = new ArrayList<>();
        gone.stream()
                .limit(Freed.MAX_LISTED)
                .forEach(layer -> named.add(new FreedLayer(
                        layer.place().tenant(), layer.place().timeline(), layer.layer(), layer.bytes())));
        return new Freed(gone.stream().mapToLong(EvictionRun.Evicted::bytes).sum(), gone.size(), named);
    }

    @Override
    public DiskUse disk() throws IOException {
        FileStore files = Files.getFileStore(dataFolder);
        return new DiskUse(
                files.getUsableSpace(), files.getTotalSpace(), store.metrics().residentBytes());
    }
}
