// SPDX-License-Identifier: Apache-2.0
package dev.millrace.layers.store;

import dev.millrace.layers.TaskKind;
import dev.millrace.transfer.DownloadFailure;
import dev.millrace.transfer.DownloadRequest;
import dev.millrace.transfer.DownloadResult;
import dev.millrace.transfer.RunningDownload;
import java.io.IOException;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One layer on its way here: room on the disk, then the bytes. All who want the layer meanwhile share it, and it goes on when
 * they give up. Tells its layer once how it ended, when nothing of it is under way any more.
 */
final class LayerDownload {
    private static final Logger LOG = LoggerFactory.getLogger(LayerDownload.class);
    private static final int MAX_FULL_DISKS = 3;

    /** Hears that the file is there. */
    interface OnSuccess {
        /** {@code room} is to be ended by the one who hears. */
        void downloaded(LayerDownload download, LayerFile file, DiskBudget.Reservation room);
    }

    /** Hears that it is not. */
    interface OnFailure {
        void failed(LayerDownload download, StoreFailure failure);
    }

    /**
     * Somebody who waits.
     *
     * @param sinceNanos when the waiting began
     * @param counted its end has come, and its time was added to the others'
     */
    record Waiter(CompletableFuture<ResidentLayer> future, long sinceNanos, AtomicBoolean counted) {}

    final TaskKind task;
    final DownloadReason reason;
    /** Guarded by the layer's lock. */
    final List<Waiter> waiters = new ArrayList<>();
    /** Somebody reads the layer; guarded by the layer's lock. */
    boolean read;

    private final Layer layer;
    private final StoreParts parts;
    private final StopSignal stop = new StopSignal();

    // Of the step that runs; each begins after the one before.
    private boolean refreshed;
    private int fullDisks;
    private Optional<DiskBudget.Reservation> held = Optional.empty();
    private boolean ended;
    private OnSuccess onSuccess = (download, file, room) -> room.release();
    private OnFailure onFailure = (download, failure) -> {};

    LayerDownload(Layer layer, StoreParts parts, TaskKind task, DownloadReason reason) {
        this.layer = layer;
        this.parts = parts;
        this.task = task;
        this.reason = reason;
        read = reason == DownloadReason.ON_DEMAND;
    }

    /** Those who still wait; with the layer's lock held. */
    List<Waiter> waiting() {
        return waiters.stream().filter(waiter -> !waiter.future().isDone()).toList();
    }

    /** True where so many still wait; with the layer's lock held. Those who gave up take no place. */
    boolean isFull(int most) {
        if (waiters.size() >= most) {
            waiters.removeIf(waiter -> waiter.future().isDone());
        }
        return waiters.size() >= most;
    }

    /** Begins. Does not block. Exactly one of both hears, once. */
    void start(OnSuccess success, OnFailure failure) {
        onSuccess = success;
        onFailure = failure;
        next(this::reserve);
    }

    /** Runs a step on a thread of the store. */
    private void next(Runnable step) {
        parts.workers().execute(() -> guarded(step));
    }

    /** Whatever a step throws ends the download: those who wait would wait for ever. */
    private void guarded(Runnable step) {
        try {
            step.run();
        } catch (RuntimeException | Error e) {
            if (stop.why().isEmpty()) {
                LOG.error("The download of {} failed by a defect of this program", layer, e);
            }
            if (!ended) {
                end(failure(e));
            }
        }
    }

    /** Asks to stop; the layer hears of the end as ever. Does not block. */
    void stop(StoreFailure why) {
        stop.stop(why);
    }

    private void reserve() {
        LayerFile file = layer.file();
        CompletableFuture<DiskBudget.Reservation> room = parts.budget().reserve(file.size(), layer.toString());
        stop.by(() -> room.cancel(false));
        room.whenComplete((reservation, problem) -> guarded(() -> {
            if (problem == null) {
                held = Optional.of(reservation);
                next(() -> fetch(file, reservation));
            } else {
                end(failure(Waits.cause(problem)));
            }
        }));
    }

    private void fetch(LayerFile file, DiskBudget.Reservation reservation) {
        RunningDownload running;
        long begun = parts.timing().nanoTime();
        try {
            Path target = layer.pathOf(file);
            clearTheWay(target);
            running = parts.remote().download(request(file, target, reservation));
        } catch (IOException e) {
            end(parts.localFailure(layer + " cannot be put where its file belongs", e));
            return;
        }
        stop.by(running::stop);
        running.result()
                .whenComplete((result, problem) -> guarded(() -> {
                    parts.counters()
                            .operation(IoOperation.DOWNLOAD, parts.timing().nanoTime() - begun);
                    fetched(file, reservation, result, problem);
                }));
    }

    private DownloadRequest request(LayerFile file, Path target, DiskBudget.Reservation reservation) {
        DownloadRequest request = DownloadRequest.of(
                        parts.remote().layer(layer.place(), file.nameOf(layer.name())), target)
                .withExpectedLength(file.size())
                .withOnDemand(reason != DownloadReason.BULK)
                .withProgress(position -> reservation.written());
        return file.crc32c().map(request::withExpectedCrc32c).orElse(request);
    }

    /** A folder where the file belongs is taken away if empty, else set aside: what is in it is nobody's of here. */
    private static void clearTheWay(Path target) throws IOException {
        if (!Files.isDirectory(target, LinkOption.NOFOLLOW_LINKS)) {
            if (Files.exists(target, LinkOption.NOFOLLOW_LINKS)
                    && !Files.isRegularFile(target, LinkOption.NOFOLLOW_LINKS)) {
                Files.delete(target);
            }
            return;
        }
        try {
            Files.delete(target);
        } catch (DirectoryNotEmptyException e) {
            Path aside = target.resolveSibling("set-aside-" + UUID.randomUUID());
            Files.move(target, aside);
            LOG.warn("The folder {} stood where the file of a layer belongs; it is now {}", target, aside);
        }
    }

    private void fetched(LayerFile file, DiskBudget.Reservation reservation, DownloadResult result, Throwable problem) {
        if (problem == null) {
            LOG.debug("{} is resident: {} bytes, verified: {}", layer, result.bytes(), result.verified());
            ended = true;
            onSuccess.downloaded(this, file, reservation);
            return;
        }
        reservation.release();
        Throwable cause = Waits.cause(problem);
        if (stop.why().isEmpty() && cause instanceof DownloadFailure.ObjectMissing missing) {
            // Not on this thread, which is the downloader's: the index comes by a download, too.
            next(() -> afterMissing(file, missing));
        } else if (stop.why().isEmpty() && cause instanceof DownloadFailure.LocalDisk disk && disk.isFull()) {
            afterFullDisk(file, disk);
        } else {
            end(failure(cause));
        }
    }

    /** The index may have moved on; it is read again, once. */
    private void afterMissing(LayerFile file, DownloadFailure.ObjectMissing cause) {
        if (!refreshed) {
            refreshed = true;
            try {
                layer.home().refresh();
            } catch (StoreFailure | RuntimeException e) {
                if (stop.why().isEmpty()) {
                    LOG.warn(
                            "{} is missing in the store, and the index could not be read again: {}",
                            layer,
                            e.getMessage());
                }
            }
            if (stop.why().isEmpty() && !layer.file().equals(file)) {
                LOG.info("{} was replaced in the index; its new file is fetched", layer);
                reserve();
                return;
            }
        }
        end(stop.why()
                .orElseGet(() -> new StoreFailure.MissingInStore(
                        layer + " is named by the index and missing in the store: " + cause.getMessage(), cause)));
    }

    /** The file system has less than it says (a quota, or others were faster): it says more when some layers have gone. */
    private void afterFullDisk(LayerFile file, DownloadFailure.LocalDisk cause) {
        fullDisks++;
        CompletableFuture<Long> freed = fullDisks > MAX_FULL_DISKS
                ? CompletableFuture.completedFuture(0L)
                : parts.budget().makeRoom(file.size());
        stop.by(() -> freed.cancel(false));
        freed.whenComplete((bytes, problem) -> guarded(() -> {
            if (problem == null && bytes > 0) {
                next(this::reserve);
                return;
            }
            parts.counters().noSpace.increment();
            end(stop.why()
                    .orElseGet(() -> new StoreFailure.NoSpace(
                            "there is no room for " + layer + ", and eviction made none: " + cause.getMessage(),
                            cause)));
        }));
    }

    private StoreFailure failure(Throwable cause) {
        Optional<StoreFailure> why = stop.why();
        if (why.isPresent()) {
            return why.get();
        }
        if (cause instanceof StoreFailure already) {
            return already;
        }
        if (cause instanceof DownloadFailure.Cancelled) {
            return new StoreFailure.ShuttingDown(layer + " is not fetched: " + cause.getMessage());
        }
        if (cause instanceof DownloadFailure.FatalLocal) {
            return new StoreFailure.FatalLocal(cause.getMessage(), cause);
        }
        return new StoreFailure.DownloadFailed(layer + " could not be fetched: " + cause.getMessage(), cause);
    }

    private void end(StoreFailure failure) {
        ended = true;
        held.ifPresent(DiskBudget.Reservation::release);
        onFailure.failed(this, failure);
    }
}
