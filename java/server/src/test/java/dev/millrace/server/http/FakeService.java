// SPDX-License-Identifier: Apache-2.0
package dev.millrace.server.http;

import dev.millrace.io.EngineKind;
import dev.millrace.io.EngineStatus;
import dev.millrace.io.IoMode;
import dev.millrace.layers.Generation;
import dev.millrace.layers.LayerName;
import dev.millrace.layers.TenantId;
import dev.millrace.layers.TimelineId;
import dev.millrace.layers.stats.StatisticsReset;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicInteger;

/** A store in memory, which does as it is told: for what of the API is HTTP. One tenant, one timeline. */
final class FakeService implements LayerService, EngineControl {
    static final TenantId TENANT = new TenantId("0123456789abcdef0123456789abcdef");
    static final TimelineId TIMELINE = new TimelineId("fedcba9876543210fedcba9876543210");
    static final LayerName LAYER = LayerName.parse("first");
    static final LayerName OTHER = LayerName.parse("second");
    static final long BYTES = 1000;

    /** What was asked, in order. */
    final List<String> asked = Collections.synchronizedList(new ArrayList<>());

    private final Map<String, Boolean> resident = new TreeMap<>(Map.of("first", true, "second", false));
    private volatile Optional<ApiException> refusal = Optional.empty();
    private volatile Optional<CompletableFuture<Void>> hold = Optional.empty();
    private volatile Evicted eviction = Evicted.DONE;
    private volatile EngineKind engine = EngineKind.EPOLL;
    private volatile IoMode mode = IoMode.BUFFERED;
    private final AtomicInteger bulk = new AtomicInteger();

    /** The next call fails so. */
    void refuse(ApiException failure) {
        refusal = Optional.of(failure);
    }

    /** Downloads wait for this from now on. */
    void holdBy(CompletableFuture<Void> future) {
        hold = Optional.of(future);
    }

    /** Evictions end so from now on. */
    void evictAs(Evicted outcome) {
        eviction = outcome;
    }

    private void check(TenantId tenant, TimelineId timeline) throws ApiException {
        check(tenant);
        if (!timeline.equals(TIMELINE)) {
            throw ApiException.notFound("tenant " + tenant + " has no timeline " + timeline);
        }
    }

    private void check(TenantId tenant) throws ApiException {
        Optional<ApiException> failure = refusal;
        refusal = Optional.empty();
        if (failure.isPresent()) {
            throw failure.get();
        }
        if (!tenant.equals(TENANT)) {
            throw ApiException.notFound("there is no tenant " + tenant);
        }
    }

    @Override
    public Phase phase() {
        return Phase.READY;
    }

    @Override
    public List<TenantView> tenants() {
        return List.of(view());
    }

    private static TenantView view() {
        return new TenantView(TENANT, "Active", "attached", BYTES, Generation.FIRST, List.of(TIMELINE));
    }

    @Override
    public TenantView tenant(TenantId tenant) throws ApiException {
        check(tenant);
        return view();
    }

    @Override
    public TimelineView timeline(TenantId tenant, TimelineId timeline) throws ApiException {
        check(tenant, timeline);
        return new TimelineView(tenant, timeline, "Active", BYTES, 2 * BYTES, 2, 1);
    }

    private <T> CompletionStage<T> stage(Failures.Question<T> question) {
        try {
            return CompletableFuture.completedFuture(Failures.translated(question));
        } catch (ApiException e) {
            return CompletableFuture.failedFuture(e);
        }
    }

    @Override
    public CompletionStage<TimelineView> attach(TenantId tenant, TimelineId timeline) {
        asked.add("attach " + timeline);
        return stage(() -> timeline(tenant, timeline));
    }

    @Override
    public CompletionStage<Void> detach(TenantId tenant, TimelineId timeline) {
        asked.add("detach " + timeline);
        return stage(() -> timeline(tenant, timeline)).thenAccept(view -> {});
    }

    @Override
    public CompletionStage<TimelineView> reload(TenantId tenant, TimelineId timeline) {
        asked.add("reload " + timeline);
        return stage(() -> timeline(tenant, timeline));
    }

    @Override
    public Listing layers(TenantId tenant, TimelineId timeline, StatisticsReset reset) throws ApiException {
        asked.add("layers " + reset.label());
        check(tenant, timeline);
        return to -> {
            to.writeStartObject();
            to.writeArrayFieldStart("in_memory_layers");
            to.writeEndArray();
            to.writeArrayFieldStart("historic_layers");
            to.writeEndArray();
            to.writeArrayFieldStart("blob_layers");
            to.writeEndArray();
            to.writeEndObject();
        };
    }

    @Override
    public CompletionStage<Downloaded> download(TenantId tenant, TimelineId timeline, LayerName layer) {
        asked.add("download " + layer);
        CompletionStage<Downloaded> result = stage(() -> {
            check(tenant, timeline);
            return new Downloaded(!known(layer), BYTES);
        });
        return hold.isPresent() ? hold.get().thenCompose(over -> result) : result;
    }

    private boolean known(LayerName layer) throws ApiException {
        Boolean is = resident.get(layer.toString());
        if (is == null) {
            throw ApiException.notFound("timeline " + TIMELINE + " has no layer " + layer);
        }
        return is;
    }

    @Override
    public CompletionStage<Evicted> evict(TenantId tenant, TimelineId timeline, LayerName layer, Duration limit) {
        asked.add("evict " + layer + " " + limit);
        return stage(() -> {
            check(tenant, timeline);
            known(layer);
            return eviction;
        });
    }

    @Override
    public BulkStart downloadAll(TenantId tenant, TimelineId timeline, int concurrency) throws ApiException {
        check(tenant, timeline);
        asked.add("downloadAll " + concurrency);
        return new BulkStart(task(), bulk.incrementAndGet() == 1);
    }

    private static BulkDownload task() {
        return new BulkDownload("task-1", "Running", 2, 1, 0);
    }

    @Override
    public Optional<BulkDownload> bulkDownload(TenantId tenant, TimelineId timeline) throws ApiException {
        check(tenant, timeline);
        return bulk.get() == 0 ? Optional.empty() : Optional.of(task());
    }

    @Override
    public CompletionStage<Freed> makeRoom(long bytes) {
        asked.add("makeRoom " + bytes);
        return CompletableFuture.completedFuture(
                new Freed(BYTES, 1, List.of(new FreedLayer(TENANT, TIMELINE, LAYER, BYTES))));
    }

    @Override
    public DiskUse disk() {
        return new DiskUse(10, 30, BYTES);
    }

    // ------------------------------------------------------------------ the engine

    @Override
    public EngineStatus status() {
        return new EngineStatus(engine, "ffm", 8, 4, 4096, 0, 0, List.of(), 0, List.of("io_uring is not for tests"));
    }

    @Override
    public void switchTo(EngineKind kind) throws ApiException {
        if (kind == EngineKind.IO_URING) {
            throw ApiException.conflict("io_uring cannot run here: io_uring_setup gave EPERM");
        }
        engine = kind;
    }

    @Override
    public IoMode mode() {
        return mode;
    }

    @Override
    public void switchMode(IoMode other) {
        mode = other;
    }
}
