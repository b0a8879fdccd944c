// SPDX-License-Identifier: Apache-2.0
package dev.millrace.layers.store;

import dev.millrace.layers.AccessKind;
import dev.millrace.layers.LayerName;
import dev.millrace.layers.ReadContext;
import dev.millrace.layers.TaskKind;
import dev.millrace.layers.stats.AccessStatistics;
import dev.millrace.transfer.Timing;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A layer of a timeline: its name, who reads it, and whether its file is on local disk, which {@link LayerState} knows.
 *
 * <p>Statistics live as long as this object, whatever becomes of the file. Thread-safe; no method blocks. Futures complete on
 * threads of the store, which may be blocked for a short time.
 */
public final class Layer {
    private static final Logger LOG = LoggerFactory.getLogger(Layer.class);

    /** How a layer comes to be known. */
    enum Start {
        /** Its file was there when its timeline was attached. */
        FOUND_RESIDENT,
        /** It was not. */
        FOUND_REMOTE,
        /** It is new, and nowhere but here. */
        CREATED
    }

    private final StoreParts parts;
    private final LayerHome home;
    private final LayerName name;
    private final AccessStatistics statistics = new AccessStatistics();
    private final LayerState state;

    private Layer(
            StoreParts parts,
            LayerHome home,
            LayerName name,
            LayerFile file,
            Start start,
            Optional<CompletableFuture<Void>> before) {
        this.parts = parts;
        this.home = home;
        this.name = name;
        state = new LayerState(parts, this, file, start);
        before.ifPresent(state::comeAfter);
    }

    /** A layer that begins to be known. */
    static Layer of(StoreParts parts, LayerHome home, LayerName name, LayerFile file, Start start) {
        return of(parts, home, name, file, start, Optional.empty());
    }

    /**
     * A layer that begins to be known.
     *
     * @param before done when a layer that had the same name before is quiet: nothing is downloaded until then
     */
    static Layer of(
            StoreParts parts,
            LayerHome home,
            LayerName name,
            LayerFile file,
            Start start,
            Optional<CompletableFuture<Void>> before) {
        Layer layer = new Layer(parts, home, name, file, start, before);
        layer.state.appear();
        return layer;
    }

    // ------------------------------------------------------------------ what it is

    /** Its name, without a generation. */
    public LayerName name() {
        return name;
    }

    /** Its tenant and timeline. */
    public RemoteStore.TimelinePlace place() {
        return home.place();
    }

    /** What the index says of its file. */
    public LayerFile file() {
        return state.file();
    }

    /** Bytes of its file. */
    public long size() {
        return file().size();
    }

    /** True where its file is not on local disk: from the moment that it is to go, and while it is on its way here. */
    public boolean isRemote() {
        return state.isRemote();
    }

    /** True where the store has it, too. */
    public boolean isUploaded() {
        return state.isUploaded();
    }

    /** Who read it, and when it came and went. */
    public AccessStatistics statistics() {
        return statistics;
    }

    /** With its timeline, for people. */
    @Override
    public String toString() {
        return "layer " + name + " of " + home.place();
    }

    LayerHome home() {
        return home;
    }

    LayerState state() {
        return state;
    }

    long now() {
        return parts.wallClock().millis();
    }

    Path pathOf(LayerFile of) {
        return home.folder().resolve(of.nameOf(name).toString());
    }

    // ------------------------------------------------------------------ reading

    /**
     * The door of all reads: makes the layer resident as the context says, counts the access, opens the file. A local file
     * that is found missing, short or not regular is fetched anew, once.
     *
     * @return what is loaded, to be closed; fails with {@link StoreFailure}. Cancelling it, as the context's time running
     *     out, ends the waiting and not the download.
     */
    public CompletableFuture<LoadedLayer> load(AccessKind kind, ReadContext context) {
        CompletableFuture<LoadedLayer> result = limited(context);
        load(kind, context, context.counted(), true, result);
        return result;
    }

    private void load(
            AccessKind kind,
            ReadContext context,
            boolean counted,
            boolean mayFetchAnew,
            CompletableFuture<LoadedLayer> result) {
        if (result.isDone()) {
            return;
        }
        CompletableFuture<ResidentLayer> pinned = state.acquire(context, DownloadReason.ON_DEMAND, true);
        result.whenComplete((loaded, problem) -> pinned.cancel(false));
        pinned.whenComplete((pin, problem) -> {
            if (problem != null) {
                result.completeExceptionally(Waits.cause(problem));
                return;
            }
            if (counted) {
                statistics.recordAccess(kind, context.taskKind(), now());
            }
            state.open(pin.residence()).whenComplete((open, bad) -> {
                if (bad == null) {
                    LoadedLayer loaded = new LoadedLayer(pin, open);
                    if (!result.complete(loaded)) {
                        loaded.close();
                    }
                    return;
                }
                Throwable cause = Waits.cause(bad);
                Optional<LocalDefect> defect =
                        cause instanceof StoreFailure.LocalFileUnusable unusable ? unusable.defect() : Optional.empty();
                // Dropped by another while it was opened: that says nothing about the file that comes next.
                boolean superseded = defect.isPresent() && !state.has(pin.residence());
                defect.ifPresent(found -> state.drop(pin.residence(), found));
                pin.close();
                if (superseded || (defect.isPresent() && mayFetchAnew)) {
                    load(kind, context, false, superseded && mayFetchAnew, result);
                    return;
                }
                if (cause instanceof StoreFailure.LocalFileUnusable again && defect.isPresent()) {
                    state.holdBack(again);
                }
                result.completeExceptionally(cause);
            });
        });
    }

    private <T> CompletableFuture<T> limited(ReadContext context) {
        CompletableFuture<T> result = new CompletableFuture<>();
        context.timeout().ifPresent(time -> {
            Timing.Alarm alarm = parts.timing()
                    .after(
                            time,
                            () -> result.completeExceptionally(new StoreFailure.TimedOut(this + " was not here within "
                                    + time.toMillis() + " ms; its download, if any, goes on")));
            result.whenComplete((done, problem) -> alarm.cancel());
        });
        return result;
    }

    // ------------------------------------------------------------------ pinning

    /** Keeps the layer on local disk where it is there; never downloads, never waits. */
    public Optional<ResidentLayer> keepResident() {
        return state.keep().map(of -> new ResidentLayer(this, of));
    }

    /**
     * Downloads the layer where it is not here, as the context says, and keeps it. No access.
     *
     * @return to be closed; fails with {@link StoreFailure}
     */
    public CompletableFuture<ResidentLayer> downloadAndKeepResident(ReadContext context) {
        CompletableFuture<ResidentLayer> result = limited(context);
        CompletableFuture<ResidentLayer> pinned = state.acquire(context, DownloadReason.ON_DEMAND, true);
        result.whenComplete((done, problem) -> pinned.cancel(false));
        pinned.whenComplete((pin, problem) -> {
            if (problem != null) {
                result.completeExceptionally(Waits.cause(problem));
            } else if (!result.complete(pin)) {
                pin.close();
            }
        });
        return result;
    }

    /**
     * Downloads the layer, whatever happened to the last download. No access.
     *
     * @return false where it was here already
     */
    public CompletableFuture<Boolean> download(TaskKind task, DownloadReason reason) {
        boolean wasRemote = isRemote();
        CompletableFuture<ResidentLayer> pinned =
                state.acquire(ReadContext.of(task), reason, reason == DownloadReason.ON_DEMAND);
        CompletableFuture<Boolean> result = new CompletableFuture<>();
        pinned.whenComplete((pin, problem) -> {
            if (problem != null) {
                result.completeExceptionally(Waits.cause(problem));
            } else {
                pin.close();
                result.complete(wasRemote);
            }
        });
        return result;
    }

    void release(Residence of) {
        state.release(of);
    }

    /** {@code again}: it was fetched for that reason just before, so the store's bytes are no better. */
    void dropRotten(Residence of, IOException cause, boolean again) {
        LOG.warn("{} is damaged {}: {}", this, again ? "in the store, too" : "on local disk", cause.getMessage());
        if (again) {
            state.holdBack(new StoreFailure.LocalFileUnusable(
                    "the file of " + this + " is damaged, and was when it was fetched anew: " + cause.getMessage(),
                    LocalDefect.ROTTEN,
                    cause));
        }
        state.drop(of, LocalDefect.ROTTEN);
    }

    // ------------------------------------------------------------------ eviction

    /**
     * Asks the layer to go. The future completes when its file is gone, or stays: it waits for readers that are there, and
     * for nothing else. Whoever asks while another eviction waits shares its end.
     */
    public CompletableFuture<EvictionOutcome> evict(EvictionReason reason) {
        return state.evict(reason);
    }
}
