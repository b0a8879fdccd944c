// SPDX-License-Identifier: Apache-2.0
package dev.millrace.layers.store;

import dev.millrace.layers.ReadContext;
import dev.millrace.layers.TaskKind;
import dev.millrace.layers.stats.AccessStatistics;
import dev.millrace.layers.stats.ResidenceReason;
import dev.millrace.layers.stats.ResidenceStatus;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.ReentrantLock;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Whether a layer's file is on local disk. One of these is true at any time:
 *
 * <ul>
 *   <li><b>resident</b>: read and pinned freely. An eviction that was asked for waits here for the last reader; a reader that
 *       comes first cancels it.
 *   <li><b>being removed</b>: the eviction has won, or the file was found to be unusable. Who comes waits for the end of
 *       that, and then downloads.
 *   <li><b>on its way</b>: one download, shared by all who wait.
 *   <li><b>remote</b>: whoever reads it begins a download, unless the last one failed a short time ago.
 * </ul>
 *
 * <p>Thread-safe; no method blocks. The lock is held for a few steps only; budget, statistics and counters are called with it
 * held, futures never completed.
 */
final class LayerState {
    private static final Logger LOG = LoggerFactory.getLogger(LayerState.class);
    private static final int MAX_WAITERS = 65_536;

    private final StoreParts parts;
    private final Layer layer;

    private final ReentrantLock lock = new ReentrantLock();
    private LayerFile file;
    private boolean uploaded;
    private Optional<Residence> residence = Optional.empty();
    /** Among the layers that could go. */
    private Optional<EvictionQueue.Place<Layer>> place = Optional.empty();

    private Optional<CompletableFuture<Void>> removal = Optional.empty();
    private Optional<LayerDownload> download = Optional.empty();
    private Optional<BackOff> backOff = Optional.empty();
    private Optional<StoreFailure> closed = Optional.empty();
    private Optional<CompletableFuture<Void>> quiet = Optional.empty();
    private long evictedAtMillis;

    /** The state of a layer that is just made. */
    LayerState(StoreParts parts, Layer layer, LayerFile file, Layer.Start start) {
        this.parts = parts;
        this.layer = layer;
        this.file = file;
        uploaded = start != Layer.Start.CREATED;
        if (start != Layer.Start.FOUND_REMOTE) {
            residence = Optional.of(new Residence(file, layer.pathOf(file)));
            parts.counters().resident(file.size());
            parts.budget().added(file.size());
        }
        layer.statistics()
                .recordResidence(
                        start == Layer.Start.FOUND_REMOTE ? ResidenceStatus.EVICTED : ResidenceStatus.RESIDENT,
                        start == Layer.Start.CREATED ? ResidenceReason.LAYER_CREATE : ResidenceReason.LAYER_LOAD,
                        layer.now());
    }

    /** Nothing is downloaded, and the state not quiet, before this is done: another layer's file has the same name. */
    void comeAfter(CompletableFuture<Void> before) {
        lock.lock();
        try {
            removal = Optional.of(before);
        } finally {
            lock.unlock();
        }
        before.whenComplete((done, problem) -> {
            lock.lock();
            try {
                removal = Optional.empty();
            } finally {
                lock.unlock();
            }
            checkQuiet();
        });
    }

    /** Others may now meet the layer: to be called once, when all of it is made. */
    void appear() {
        lock.lock();
        try {
            enlist();
        } finally {
            lock.unlock();
        }
    }

    /** With the lock held, after any change: the layer is among those that could go exactly while it could. */
    private void enlist() {
        boolean mayGo = closed.isEmpty()
                && uploaded
                && file.size() > 0
                && residence.isPresent()
                && residence.get().eviction.isEmpty();
        if (mayGo && place.isEmpty()) {
            place = Optional.of(parts.evictable().add(layer, layer.place().tenant(), file.size(), lastUsedMillis()));
        } else if (!mayGo && place.isPresent()) {
            parts.evictable().remove(place.get());
            place = Optional.empty();
        }
    }

    private long lastUsedMillis() {
        AccessStatistics statistics = layer.statistics();
        return statistics
                .lastAccessMillis()
                .orElseGet(() -> statistics.lastResidenceChangeMillis().orElse(0));
    }

    /** How it is used, for a choice of what is to go; empty where it cannot go, or is about to. */
    Optional<EvictionQueue.Use> use() {
        lock.lock();
        try {
            return place.map(listed -> new EvictionQueue.Use(lastUsedMillis(), residence.orElseThrow().pins > 0));
        } finally {
            lock.unlock();
        }
    }

    LayerFile file() {
        lock.lock();
        try {
            return file;
        } finally {
            lock.unlock();
        }
    }

    boolean isRemote() {
        lock.lock();
        try {
            return residence.isEmpty();
        } finally {
            lock.unlock();
        }
    }

    /** True while this is how the layer is resident. */
    boolean has(Residence of) {
        lock.lock();
        try {
            return residence.isPresent() && residence.get() == of;
        } finally {
            lock.unlock();
        }
    }

    boolean isUploaded() {
        lock.lock();
        try {
            return uploaded;
        } finally {
            lock.unlock();
        }
    }

    // ------------------------------------------------------------------ readers

    /** A reader of what is here; empty where nothing is. */
    Optional<Residence> keep() {
        Optional<Residence> pinned;
        Optional<Residence.Eviction> cancelled = Optional.empty();
        lock.lock();
        try {
            pinned = closed.isPresent() ? Optional.empty() : residence;
            if (pinned.isPresent()) {
                cancelled = pin(pinned.get());
            }
        } finally {
            lock.unlock();
        }
        finish(cancelled, EvictionOutcome.READER_CAME);
        return pinned;
    }

    /**
     * A reader of what is here, or is downloaded first.
     *
     * @param holdsBack for a while after a failure nothing is begun
     * @return to be closed; cancelling it ends the waiting and nothing else
     */
    CompletableFuture<ResidentLayer> acquire(ReadContext context, DownloadReason reason, boolean holdsBack) {
        CompletableFuture<ResidentLayer> future = new CompletableFuture<>();
        Optional<StoreFailure> refused = Optional.empty();
        Optional<Residence> pinned = Optional.empty();
        Optional<Residence.Eviction> cancelled = Optional.empty();
        Optional<Runnable> begin = Optional.empty();
        lock.lock();
        try {
            if (closed.isPresent()) {
                refused = closed;
            } else if (residence.isPresent()) {
                pinned = residence;
                cancelled = pin(residence.get());
            } else {
                refused = whyNoDownload(context, holdsBack);
                if (refused.isEmpty()) {
                    begin = wait(future, context.taskKind(), reason);
                }
            }
        } finally {
            lock.unlock();
        }
        finish(cancelled, EvictionOutcome.READER_CAME);
        pinned.ifPresent(of -> future.complete(new ResidentLayer(layer, of)));
        refused.ifPresent(future::completeExceptionally);
        begin.ifPresent(Runnable::run);
        return future;
    }

    /** With the lock held: what stands against a download for such a context. */
    private Optional<StoreFailure> whyNoDownload(ReadContext context, boolean holdsBack) {
        if (context.onEvicted() == ReadContext.OnEvicted.DENY) {
            parts.counters().denied.increment();
            return Optional.of(new StoreFailure.DownloadRequired(
                    layer + " is not resident, and this read must not download; download it first"));
        }
        if (download.isEmpty() && holdsBack && backOff.isPresent()) {
            StoreFailure cause = backOff.get().cause();
            Duration left = backOff.get().timeLeft(parts.timing().nanoTime());
            if (!left.isNegative() && !left.isZero()) {
                return Optional.of(new StoreFailure.BackingOff(
                        layer + " is not fetched for another " + left.toMillis()
                                + " ms, since its last download failed; a download that is asked for begins at once: "
                                + cause.getMessage(),
                        cause,
                        left));
            }
        }
        if (download.isPresent() && download.get().isFull(MAX_WAITERS)) {
            return Optional.of(
                    new StoreFailure.TooManyWaiting(MAX_WAITERS + " reads wait for " + layer + " already; come again"));
        }
        if (context.onEvicted() == ReadContext.OnEvicted.WARN) {
            parts.counters().unexpectedDownloads.increment();
            LOG.warn("{} is downloaded for {}, which was not expected", layer, context.taskKind());
        }
        return Optional.empty();
    }

    /** With the lock held: joins the download under way, or gives what begins one. */
    private Optional<Runnable> wait(CompletableFuture<ResidentLayer> future, TaskKind task, DownloadReason reason) {
        LayerDownload.Waiter waiter =
                new LayerDownload.Waiter(future, parts.timing().nanoTime(), new AtomicBoolean());
        parts.counters().waits.increment();
        // Who gives up has waited too.
        future.whenComplete((pin, problem) -> countWait(waiter));
        if (download.isPresent()) {
            download.get().waiters.add(waiter);
            download.get().read |= reason == DownloadReason.ON_DEMAND;
            return Optional.empty();
        }
        LayerDownload fresh = new LayerDownload(layer, parts, task, reason);
        fresh.waiters.add(waiter);
        return Optional.of(begin(fresh));
    }

    /** With the lock held. A download begins when the removal of the file is over. */
    private Runnable begin(LayerDownload fresh) {
        download = Optional.of(fresh);
        CompletableFuture<Void> before = removal.orElseGet(() -> CompletableFuture.completedFuture(null));
        return () -> before.whenComplete((gone, problem) -> fresh.start(this::downloaded, this::notDownloaded));
    }

    /** With the lock held: one reader more. What it cancels is to be told after the lock is given back. */
    private Optional<Residence.Eviction> pin(Residence of) {
        of.pins++;
        Optional<Residence.Eviction> cancelled = of.eviction;
        of.eviction = Optional.empty();
        enlist();
        return cancelled;
    }

    void release(Residence of) {
        Optional<Runnable> then = Optional.empty();
        lock.lock();
        try {
            of.pins--;
            if (of.pins == 0) {
                then = of.over
                        ? Optional.of(() -> parts.workers().execute(() -> LocalFiles.close(of)))
                        : of.eviction.map(eviction -> doom(of, eviction)).or(this::mayMakeRoom);
            }
        } finally {
            lock.unlock();
        }
        then.ifPresent(Runnable::run);
    }

    /** Whoever waits for room asks only those layers to go that nobody reads, where others would do as well. */
    private Optional<Runnable> mayMakeRoom() {
        DiskBudget budget = parts.budget();
        return budget.takesIdle() ? Optional.of(() -> parts.workers().execute(budget::pump)) : Optional.empty();
    }

    /** The file, opened once for all readers of a residence. */
    CompletableFuture<OpenFile> open(Residence of) {
        CompletableFuture<OpenFile> opening = new CompletableFuture<>();
        lock.lock();
        try {
            if (of.opened.isPresent()) {
                return of.opened.get();
            }
            of.opened = Optional.of(opening);
        } finally {
            lock.unlock();
        }
        parts.workers().execute(() -> {
            try {
                opening.complete(LocalFiles.open(parts, layer, of));
            } catch (StoreFailure | RuntimeException | Error e) {
                // Whatever it is: those who wait for the file would wait for ever.
                lock.lock();
                try {
                    of.opened = Optional.empty();
                } finally {
                    lock.unlock();
                }
                opening.completeExceptionally(e);
            }
        });
        return opening;
    }

    // ------------------------------------------------------------------ the end of a download

    private void downloaded(LayerDownload ended, LayerFile of, DiskBudget.Reservation room) {
        Residence fresh = new Residence(of, layer.pathOf(of));
        List<LayerDownload.Waiter> waiting = List.of();
        boolean wanted;
        lock.lock();
        try {
            wanted = closed.isEmpty() && file.equals(of);
            if (wanted) {
                download = Optional.empty();
                waiting = ended.waiting();
                fresh.pins = waiting.size();
                residence = Optional.of(fresh);
                backOff = Optional.empty();
                cameHere(ended.read);
                enlist();
            }
        } finally {
            lock.unlock();
        }
        parts.counters().downloaded(ended.task, ended.reason, of.size());
        if (wanted) {
            parts.counters().resident(of.size());
            room.becomeResident();
            tell(waiting, Optional.of(fresh), Optional.empty());
            checkQuiet();
        } else {
            LocalFiles.delete(parts, fresh.path);
            room.release();
            afterUnwanted(ended);
        }
    }

    /** The layer was closed, or has another file in the index now, which those who wait want. */
    private void afterUnwanted(LayerDownload ended) {
        Optional<StoreFailure> why;
        Optional<Runnable> again = Optional.empty();
        List<LayerDownload.Waiter> waiting;
        lock.lock();
        try {
            download = Optional.empty();
            waiting = ended.waiting();
            why = closed;
            if (why.isEmpty()) {
                LayerDownload next = new LayerDownload(layer, parts, ended.task, ended.reason);
                next.read = ended.read;
                next.waiters.addAll(waiting);
                again = Optional.of(begin(next));
            }
        } finally {
            lock.unlock();
        }
        if (why.isPresent()) {
            tell(waiting, Optional.empty(), why);
        }
        again.ifPresent(Runnable::run);
        checkQuiet();
    }

    /** With the lock held. */
    private void cameHere(boolean read) {
        long millis = layer.now();
        layer.statistics().recordResidence(ResidenceStatus.RESIDENT, ResidenceReason.RESIDENCE_CHANGE, millis);
        if (read && evictedAtMillis != 0) {
            parts.counters().redownloads.count(Duration.ofMillis(millis - evictedAtMillis));
        }
        evictedAtMillis = 0;
    }

    private void notDownloaded(LayerDownload ended, StoreFailure failure) {
        boolean cancelled = failure instanceof StoreFailure.ShuttingDown || failure instanceof StoreFailure.NotFound;
        List<LayerDownload.Waiter> waiting;
        lock.lock();
        try {
            download = Optional.empty();
            waiting = ended.waiting();
            if (!cancelled) {
                lengthenBackOff(failure);
            }
        } finally {
            lock.unlock();
        }
        if (cancelled) {
            parts.counters().downloadsCancelled.increment();
        } else {
            parts.counters().downloadsFailed.increment();
            LOG.warn("{}", failure.getMessage());
        }
        tell(waiting, Optional.empty(), Optional.of(failure));
        checkQuiet();
    }

    /** With the lock held. */
    private void lengthenBackOff(StoreFailure failure) {
        long nanos = parts.timing().nanoTime();
        double random = parts.timing().random();
        backOff = Optional.of(backOff.map(before -> before.next(failure, nanos, random))
                .orElseGet(() -> BackOff.first(failure, nanos, random)));
    }

    /** As after a failed download. */
    void holdBack(StoreFailure why) {
        lock.lock();
        try {
            lengthenBackOff(why);
        } finally {
            lock.unlock();
        }
    }

    /** Either there is a residence, in which each of them is counted as a reader, or a reason why there is none. */
    private void tell(List<LayerDownload.Waiter> waiting, Optional<Residence> fresh, Optional<StoreFailure> why) {
        for (LayerDownload.Waiter waiter : waiting) {
            countWait(waiter); // before it is told, so that what it does next sees the count
            if (fresh.isPresent()) {
                ResidentLayer pin = new ResidentLayer(layer, fresh.get());
                if (!waiter.future().complete(pin)) {
                    pin.close();
                }
            } else {
                waiter.future().completeExceptionally(why.orElseThrow());
            }
        }
    }

    /** Once, at the end of the waiting, whichever end that is. */
    private void countWait(LayerDownload.Waiter waiter) {
        if (waiter.counted().compareAndSet(false, true)) {
            parts.counters().waitNanos.add(parts.timing().nanoTime() - waiter.sinceNanos());
        }
    }

    // ------------------------------------------------------------------ eviction

    /** As {@link Layer#evict}. */
    CompletableFuture<EvictionOutcome> evict(EvictionReason reason) {
        Residence.Eviction eviction;
        Optional<Runnable> then = Optional.empty();
        lock.lock();
        try {
            if (closed.isPresent()) {
                return CompletableFuture.completedFuture(EvictionOutcome.SHUTTING_DOWN);
            }
            if (residence.isEmpty()) {
                return CompletableFuture.completedFuture(EvictionOutcome.NOT_RESIDENT);
            }
            if (!uploaded) {
                return CompletableFuture.completedFuture(EvictionOutcome.NOT_UPLOADED);
            }
            Residence of = residence.get();
            if (of.eviction.isPresent()) {
                return of.eviction.get().done.copy();
            }
            eviction = new Residence.Eviction(parts.budget().removal(of.file.size()));
            of.eviction = Optional.of(eviction);
            enlist();
            parts.counters().evictionStarted(reason);
            if (of.pins == 0) {
                then = Optional.of(doom(of, eviction));
            }
        } finally {
            lock.unlock();
        }
        then.ifPresent(Runnable::run);
        return eviction.done.copy();
    }

    /** With the lock held: from here on no reader comes first. */
    private Runnable doom(Residence of, Residence.Eviction eviction) {
        residence = Optional.empty();
        eviction.room.start();
        CompletableFuture<Void> gone = new CompletableFuture<>();
        removal = Optional.of(gone);
        return () -> parts.workers().execute(() -> remove(of, eviction, gone));
    }

    private void remove(Residence of, Residence.Eviction eviction, CompletableFuture<Void> gone) {
        LocalFiles.close(of);
        boolean removed = LocalFiles.delete(parts, of.path);
        boolean stays;
        lock.lock();
        try {
            removal = Optional.empty();
            // A file that cannot be removed is still good, and in nobody's way: a download would replace it.
            stays = !removed && closed.isEmpty() && download.isEmpty();
            if (stays) {
                residence = Optional.of(new Residence(of.file, of.path));
                enlist();
            } else {
                evictedAtMillis = layer.now();
                layer.statistics()
                        .recordResidence(ResidenceStatus.EVICTED, ResidenceReason.RESIDENCE_CHANGE, evictedAtMillis);
            }
        } finally {
            lock.unlock();
        }
        if (!stays) {
            parts.counters().notResident(of.file.size());
            parts.budget().removed(of.file.size());
        }
        parts.counters().evictedBytes.add(removed ? of.file.size() : 0);
        finish(Optional.of(eviction), removed ? EvictionOutcome.EVICTED : EvictionOutcome.FAILED);
        gone.complete(null);
        checkQuiet();
    }

    /** Tells the end of an eviction, without the lock. */
    private void finish(Optional<Residence.Eviction> eviction, EvictionOutcome outcome) {
        if (eviction.isPresent()) {
            parts.counters().evictionEnded(outcome);
            eviction.get().room.end();
            eviction.get().done.complete(outcome);
        }
    }

    // ------------------------------------------------------------------ other ends of a residence

    /** The file is unusable: it goes at once, since nobody is helped by it, and the next read has it fetched anew. */
    void drop(Residence of, LocalDefect defect) {
        Ended ended;
        lock.lock();
        try {
            if (residence.isEmpty() || residence.get() != of || !uploaded) {
                return;
            }
            ended = end(of, true);
        } finally {
            lock.unlock();
        }
        parts.counters().defect(defect);
        LOG.warn("The file of {} {}: {} is dropped and fetched anew when it is read", layer, defect.words(), of.path);
        afterwards(ended, EvictionOutcome.SUPERSEDED);
    }

    /** The index has another file of this layer. */
    void replaced(LayerFile by) {
        Optional<Ended> ended = Optional.empty();
        lock.lock();
        try {
            uploaded = true;
            if (file.equals(by)) {
                enlist();
                return;
            }
            LOG.info(
                    "{} has another file in the index: {} in place of {}",
                    layer,
                    by.nameOf(layer.name()),
                    file.nameOf(layer.name()));
            file = by;
            backOff = Optional.empty();
            ended = residence.map(of -> end(of, true));
        } finally {
            lock.unlock();
        }
        ended.ifPresent(what -> afterwards(what, EvictionOutcome.SUPERSEDED));
    }

    /**
     * What is left to do, without the lock, for a residence that ended otherwise than by eviction.
     *
     * @param room that it makes
     * @param eviction that it cancels
     * @param idle nobody reads it
     * @param removal to be completed when the file is gone; empty where it stays
     */
    private record Ended(
            Residence of,
            DiskBudget.Removal room,
            Optional<Residence.Eviction> eviction,
            boolean idle,
            Optional<CompletableFuture<Void>> removal) {}

    /**
     * With the lock held. The file's name goes at once where it is to go, and not when its last reader lets go: another
     * file may soon have the same name. Who has it open is not disturbed.
     */
    private Ended end(Residence of, boolean deleted) {
        residence = Optional.empty();
        Optional<Residence.Eviction> eviction = of.eviction;
        of.eviction = Optional.empty();
        of.over = true;
        DiskBudget.Removal room = parts.budget().removal(of.file.size());
        room.start();
        if (deleted) {
            removal = Optional.of(new CompletableFuture<>());
            layer.statistics().recordResidence(ResidenceStatus.EVICTED, ResidenceReason.RESIDENCE_CHANGE, layer.now());
        }
        enlist();
        return new Ended(of, room, eviction, of.pins == 0, deleted ? removal : Optional.empty());
    }

    private void afterwards(Ended ended, EvictionOutcome outcome) {
        if (ended.idle) {
            parts.workers().execute(() -> LocalFiles.close(ended.of));
        }
        if (ended.removal.isEmpty()) {
            noLongerCounted(ended, outcome);
            return;
        }
        parts.workers().execute(() -> {
            LocalFiles.delete(parts, ended.of.path);
            lock.lock();
            try {
                removal = Optional.empty();
            } finally {
                lock.unlock();
            }
            noLongerCounted(ended, outcome);
            ended.removal.get().complete(null);
            checkQuiet();
        });
    }

    private void noLongerCounted(Ended ended, EvictionOutcome outcome) {
        parts.counters().notResident(ended.of.file.size());
        parts.budget().removed(ended.of.file.size());
        ended.room.end();
        finish(ended.eviction, outcome);
    }

    /** The store has it now. */
    void uploaded() {
        lock.lock();
        try {
            uploaded = true;
            enlist();
        } finally {
            lock.unlock();
        }
    }

    /**
     * Nothing more is to be had of this layer: who waits hears why at once, what is under way is stopped. Readers that are
     * there keep what they have.
     *
     * @param deleteFile the file goes, too
     * @return done when nothing of the layer is under way
     */
    CompletableFuture<Void> close(StoreFailure why, boolean deleteFile) {
        Optional<Ended> ended = Optional.empty();
        List<LayerDownload.Waiter> waiting = List.of();
        Optional<LayerDownload> stopping;
        CompletableFuture<Void> end;
        lock.lock();
        try {
            if (closed.isEmpty()) {
                closed = Optional.of(why);
                quiet = Optional.of(new CompletableFuture<>());
                ended = residence.map(of -> end(of, deleteFile));
                waiting = download.map(LayerDownload::waiting).orElse(List.of());
            }
            stopping = download;
            end = quiet.orElseThrow();
        } finally {
            lock.unlock();
        }
        ended.ifPresent(what -> afterwards(what, EvictionOutcome.SHUTTING_DOWN));
        tell(waiting, Optional.empty(), Optional.of(why));
        stopping.ifPresent(under -> under.stop(why));
        checkQuiet();
        return end;
    }

    private void checkQuiet() {
        Optional<CompletableFuture<Void>> reached;
        lock.lock();
        try {
            reached = download.isEmpty() && removal.isEmpty() ? quiet : Optional.empty();
        } finally {
            lock.unlock();
        }
        reached.ifPresent(future -> future.complete(null));
    }
}
