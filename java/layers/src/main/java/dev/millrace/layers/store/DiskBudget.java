// SPDX-License-Identifier: Apache-2.0
package dev.millrace.layers.store;

import dev.millrace.transfer.Timing;
import java.io.IOException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.ReentrantLock;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * How much of the disk layers may take. A download reserves its bytes first; where that passes a bound, least recently used
 * layers are asked to go, and the download waits, in line with others, until there is room, nothing more can come of
 * evictions and of other downloads, or its time is over.
 *
 * <p>Thread-safe. Layers are called without the lock held; they may call this with theirs held.
 */
final class DiskBudget {
    private static final Logger LOG = LoggerFactory.getLogger(DiskBudget.class);
    private static final int MAX_WAITING = 1_000_000;

    /** Who can make room. */
    interface Evictor {
        /**
         * Asks layers of so many bytes together to go, or of fewer where there are no more.
         *
         * @param asked bytes of layers that were asked already and are still in use: of those in use so many fewer are asked
         */
        EvictionRun evict(long bytes, long asked, EvictionReason reason);
    }

    private record Waiter(long bytes, String label, CompletableFuture<Reservation> future) {}

    private final LayerStoreConfig config;
    private final DiskSpace space;
    private final Timing timing;
    private final StoreCounters counters;
    private final Evictor evictor;

    /**
     * Held from the moment that it is known how much is missing until layers are asked to go for it: two who ask at once would ask
     * for the same twice. Taken before the one below.
     */
    private final ReentrantLock askLock = new ReentrantLock();

    private final ReentrantLock lock = new ReentrantLock();
    private final ArrayDeque<Waiter> line = new ArrayDeque<>();
    private long resident;
    private long reserved;
    private long unwritten;
    /** Of layers that were asked to go and are in use, so that nobody knows whether they will. */
    private long asked;
    /** Of layers whose files are being removed. */
    private long freeing;
    /** How often something has ended that may have made room; each time the line is served anew afterwards. */
    private long ends;

    /** A layer that nobody reads any more would be asked to go. */
    private final AtomicBoolean wantsIdle = new AtomicBoolean();

    private boolean pumping;
    private boolean pumpAgain;
    private boolean closed;

    DiskBudget(LayerStoreConfig config, DiskSpace space, Timing timing, StoreCounters counters, Evictor evictor) {
        this.config = config;
        this.space = space;
        this.timing = timing;
        this.counters = counters;
        this.evictor = evictor;
    }

    /** Room that a download has. Ends by one of {@link #becomeResident} and {@link #release}. */
    final class Reservation {
        private final long bytes;
        private boolean written;
        private boolean over;

        Reservation(long bytes) {
            this.bytes = bytes;
        }

        /** The file system has given the bytes: they no longer count on top of what it says is used. */
        void written() {
            lock.lock();
            try {
                if (!written && !over) {
                    written = true;
                    unwritten -= bytes;
                }
            } finally {
                lock.unlock();
            }
        }

        /** The layer is on disk. */
        void becomeResident() {
            end(true);
        }

        /** There is no file. */
        void release() {
            end(false);
        }

        private void end(boolean isResident) {
            lock.lock();
            try {
                if (over) {
                    return;
                }
                over = true;
                ends++;
                reserved -= bytes;
                unwritten -= written ? 0 : bytes;
                resident += isResident ? bytes : 0;
            } finally {
                lock.unlock();
            }
            pump();
        }
    }

    // ------------------------------------------------------------------ what layers say

    /** A layer is on disk without having been downloaded. */
    void added(long bytes) {
        lock.lock();
        try {
            resident += bytes;
        } finally {
            lock.unlock();
        }
    }

    /** A layer's file is gone. */
    void removed(long bytes) {
        lock.lock();
        try {
            ends++;
            resident -= bytes;
        } finally {
            lock.unlock();
        }
        pump();
    }

    /** A layer that is to go, from the wish to its end. */
    final class Removal {
        private final long bytes;
        private boolean started;

        private Removal(long bytes) {
            this.bytes = bytes;
        }

        /** Nobody reads it any more: its file is being removed. */
        void start() {
            lock.lock();
            try {
                started = true;
                asked -= bytes;
                freeing += bytes;
            } finally {
                lock.unlock();
            }
        }

        /** The file is gone, or stays. Once. */
        void end() {
            lock.lock();
            try {
                ends++;
                asked -= started ? 0 : bytes;
                freeing -= started ? bytes : 0;
            } finally {
                lock.unlock();
            }
            pump();
        }
    }

    /** A layer of so many bytes is asked to go. */
    Removal removal(long bytes) {
        lock.lock();
        try {
            asked += bytes;
        } finally {
            lock.unlock();
        }
        return new Removal(bytes);
    }

    /**
     * Whether it is worth {@link #pump} that nobody reads some layer any more. Takes no lock; true for one of many who ask, who
     * has then to do it.
     */
    boolean takesIdle() {
        return wantsIdle.get() && wantsIdle.compareAndSet(true, false);
    }

    // ------------------------------------------------------------------ reserving

    /**
     * Room for so many bytes. Cancel the future to leave the line.
     *
     * @param label what for, for people
     * @return fails with {@link StoreFailure.NoSpace} and {@link StoreFailure.ShuttingDown}; completed by whoever makes room
     */
    CompletableFuture<Reservation> reserve(long bytes, String label) {
        CompletableFuture<Reservation> future = new CompletableFuture<>();
        Timing.Alarm alarm = timing.after(config.spaceTimeout(), () -> timedOut(future, bytes, label));
        future.whenComplete((reservation, problem) -> alarm.cancel());
        Optional<StoreFailure> refused = Optional.empty();
        lock.lock();
        try {
            if (closed) {
                refused = Optional.of(new StoreFailure.ShuttingDown(label + " is not fetched: the store is closed"));
            } else if (bytes > config.maxResidentBytes()) {
                refused = Optional.of(new StoreFailure.NoSpace(label + " has " + bytes
                        + " bytes and at most " + config.maxResidentBytes()
                        + " may be resident in all; raise the bound (max-resident-bytes)"));
            } else if (line.size() >= MAX_WAITING) {
                refused = Optional.of(new StoreFailure.TooManyWaiting(
                        MAX_WAITING + " downloads wait for room on the disk already, and " + label + " may not"));
            } else {
                line.add(new Waiter(bytes, label, future));
            }
        } finally {
            lock.unlock();
        }
        if (refused.isPresent()) {
            counters.noSpace.add(refused.get() instanceof StoreFailure.NoSpace ? 1 : 0);
            future.completeExceptionally(refused.get());
        } else {
            pump();
        }
        return future;
    }

    private void timedOut(CompletableFuture<Reservation> future, long bytes, String label) {
        StoreFailure.NoSpace failure = new StoreFailure.NoSpace(
                "there is no room for the " + bytes + " bytes of " + label
                        + ": within " + config.spaceTimeout().toSeconds()
                        + " s no reader let go of enough layers that are to be evicted; free some space or raise the bounds");
        if (future.completeExceptionally(failure)) {
            counters.noSpace.increment();
            pump();
        }
    }

    /** Serves the line as far as there is room, and asks for more. Whoever comes meanwhile has it done again. */
    void pump() {
        lock.lock();
        try {
            pumpAgain = true;
            if (pumping) {
                return;
            }
            pumping = true;
        } finally {
            lock.unlock();
        }
        while (isToPump()) {
            serve();
        }
    }

    private boolean isToPump() {
        lock.lock();
        try {
            pumping = pumpAgain;
            pumpAgain = false;
            return pumping;
        } finally {
            lock.unlock();
        }
    }

    private void serve() {
        while (true) {
            Optional<Waiter> first = firstInLine();
            // Before layers are looked at: one that is let go of after that look is told of.
            wantsIdle.set(first.isPresent());
            if (first.isEmpty()) {
                return;
            }
            Waiter waiter = first.get();
            long endsBefore = ends();
            try {
                Optional<Reservation> reservation = tryReserve(waiter);
                if (reservation.isPresent()) {
                    if (!waiter.future.complete(reservation.get())) {
                        reservation.get().release();
                    }
                    continue;
                }
                if (!waitsWithReason(waiter, endsBefore)) {
                    refuse(waiter);
                    continue;
                }
                return;
            } catch (IOException e) {
                leave(waiter);
                waiter.future.completeExceptionally(new StoreFailure.NoSpace(
                        "how much room there is for " + waiter.label + " cannot be told: " + e.getMessage(), e));
            } catch (RuntimeException | Error e) {
                LOG.error("Room for {} is not found by a defect of this program", waiter.label, e);
                leave(waiter);
                waiter.future.completeExceptionally(e);
            }
        }
    }

    private long ends() {
        lock.lock();
        try {
            return ends;
        } finally {
            lock.unlock();
        }
    }

    private Optional<Waiter> firstInLine() {
        lock.lock();
        try {
            while (!line.isEmpty() && line.peek().future.isDone()) {
                line.poll();
            }
            return Optional.ofNullable(line.peek());
        } finally {
            lock.unlock();
        }
    }

    private void leave(Waiter waiter) {
        lock.lock();
        try {
            line.remove(waiter);
        } finally {
            lock.unlock();
        }
    }

    private Optional<Reservation> tryReserve(Waiter waiter) throws IOException {
        lock.lock();
        try {
            if (shortfall(waiter.bytes) > 0) {
                return Optional.empty();
            }
            line.remove(waiter);
            reserved += waiter.bytes;
            unwritten += waiter.bytes;
            return Optional.of(new Reservation(waiter.bytes));
        } finally {
            lock.unlock();
        }
    }

    /** True while evictions, or downloads that become layers to evict, may still make room. */
    private boolean waitsWithReason(Waiter waiter, long endsBefore) throws IOException {
        askLock.lock();
        try {
            Missing missing = missing(waiter.bytes);
            if (missing.bytes > 0) {
                evictor.evict(missing.bytes, missing.asked, EvictionReason.DOWNLOAD_NEEDS_ROOM);
            }
        } finally {
            askLock.unlock();
        }
        lock.lock();
        try {
            // What has ended since there was too little may not have come to serving the line yet, and will.
            return freeing > 0 || asked > 0 || reserved > 0 || ends != endsBefore;
        } finally {
            lock.unlock();
        }
    }

    /**
     * What must go before so many bytes fit, beyond what is going already.
     *
     * @param asked of layers that were asked to go and are in use. Those do not count: their readers may be waiting for the
     *     very bytes that need the room, while layers that nobody reads could go at once.
     */
    private record Missing(long bytes, long asked) {}

    private Missing missing(long bytes) throws IOException {
        lock.lock();
        try {
            return new Missing(shortfall(bytes) - freeing, asked);
        } finally {
            lock.unlock();
        }
    }

    private void refuse(Waiter waiter) throws IOException {
        DiskSpace.Room room = space.now();
        long nowResident;
        lock.lock();
        try {
            line.remove(waiter);
            nowResident = resident;
        } finally {
            lock.unlock();
        }
        StoreFailure.NoSpace failure = new StoreFailure.NoSpace(
                "there is no room for the " + waiter.bytes + " bytes of "
                        + waiter.label + ": " + room.free() + " bytes are free on the disk, " + nowResident
                        + " bytes of layers are resident, and no layer is left to evict; free some space or raise the bounds");
        if (waiter.future.completeExceptionally(failure)) {
            counters.noSpace.increment();
            LOG.warn("{}", failure.getMessage());
        }
    }

    /** Bytes that must go before so many fit under every bound; zero or less: they fit. With the lock held. */
    private long shortfall(long bytes) throws IOException {
        DiskSpace.Room room = space.now();
        long overResident = config.maxResidentBytes() == Long.MAX_VALUE
                ? Long.MIN_VALUE
                : resident + reserved + bytes - config.maxResidentBytes();
        long mustStayFree = mustStayFree(room);
        long overDisk =
                room.free() >= Long.MAX_VALUE / 2 ? Long.MIN_VALUE : mustStayFree - (room.free() - unwritten - bytes);
        return Math.max(overResident, overDisk);
    }

    private long mustStayFree(DiskSpace.Room room) {
        long byPercent = (long) (room.total() * ((100.0 - config.maxUsagePercent()) / 100));
        return Math.max(config.minAvailableBytes(), byPercent);
    }

    /**
     * Evicts so many bytes whatever the bounds say, and waits no longer than for a reservation.
     *
     * @return bytes that were freed; cancel it to wait no longer
     */
    CompletableFuture<Long> makeRoom(long bytes) {
        EvictionRun run = evictor.evict(bytes, 0, EvictionReason.DOWNLOAD_NEEDS_ROOM);
        CompletableFuture<Long> freed = new CompletableFuture<>();
        run.done().whenComplete((result, problem) -> freed.complete(problem == null ? run.freedBytes() : 0));
        Timing.Alarm alarm = timing.after(config.spaceTimeout(), () -> freed.complete(run.freedBytes()));
        freed.whenComplete((result, problem) -> alarm.cancel());
        return freed;
    }

    // ------------------------------------------------------------------ bounds

    /** Asks layers to go where a bound is passed, whoever passed it. Does not wait for them. */
    void enforce() {
        askLock.lock();
        try {
            Missing over = missing(0);
            if (over.bytes > 0) {
                EvictionRun run = evictor.evict(over.bytes, over.asked, EvictionReason.BOUND_PASSED);
                LOG.info(
                        "The bounds of the disk are passed by {} bytes; layers of {} bytes were asked to go",
                        over.bytes,
                        run.askedBytes());
            }
        } catch (IOException e) {
            LOG.warn("How much room there is cannot be told: {}", e.getMessage());
            return;
        } finally {
            askLock.unlock();
        }
        pump();
    }

    /** Ends all waiting. Sticky. */
    void close() {
        List<Waiter> all;
        lock.lock();
        try {
            closed = true;
            all = new ArrayList<>(line);
            line.clear();
            wantsIdle.set(false);
        } finally {
            lock.unlock();
        }
        all.forEach(waiter -> waiter.future.completeExceptionally(
                new StoreFailure.ShuttingDown(waiter.label + " is not fetched: the store is closed")));
    }
}
