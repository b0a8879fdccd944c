// SPDX-License-Identifier: Apache-2.0
package dev.millrace.io;

import dev.millrace.io.engine.EngineCounters;
import dev.millrace.io.engine.EngineLoop;
import dev.millrace.io.engine.PoolMemory;
import dev.millrace.io.engine.Registration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.ReentrantLock;

/**
 * The lanes of an engine: those that run, and those before them that end what they have begun. Any thread.
 *
 * <p><b>Switching.</b> The new lanes are made and registered beside the old ones, then put in their place in one step, then
 * the old ones are retired. An operation asks for its lane when it begins ({@link Seat#hold}) and stays there; so each runs
 * whole on one engine, and nobody waits: the last operation of an old lane closes it. While both are there registered
 * memory is charged twice. A new ring that does not get all of it then registers nothing, and tries again when the old
 * ones are gone.
 *
 * <p><b>Bounds.</b> At most {@value #MOST_ENDING} lanes are ending at a time; beyond that a switch is refused.
 */
final class Lanes {
    /** What keeps more than so many lanes waiting is a disk that does not answer, not load. */
    static final int MOST_ENDING = 128;

    private static final int STATS = 16;

    /** Makes lanes. */
    @FunctionalInterface
    interface Source {
        /**
         * Starts lanes of a kind, or fails and leaves nothing behind.
         *
         * @param besideOthers whether others hold registered memory that will soon be free
         */
        Started start(EngineKind kind, boolean besideOthers) throws EngineUnavailableException;
    }

    /**
     * Lanes that were started together.
     *
     * @param notes reason and remedy of each step down, as sentences, but those of registration
     */
    record Started(EngineKind kind, List<Lane> lanes, List<String> notes) {
        Started {
            lanes = List.copyOf(lanes);
            notes = List.copyOf(notes);
        }

        /** All steps down, each once: of registration that of the ring that knows least. */
        List<String> allNotes() {
            List<String> all = new ArrayList<>(notes);
            lanes.stream()
                    .map(Lane::registration)
                    .min(Comparator.comparingInt(Registration::buffers))
                    .flatMap(Registration::note)
                    .ifPresent(all::add);
            failure().ifPresent(all::add);
            return all;
        }

        /** Why one of them ended by itself. */
        Optional<String> failure() {
            return failureOf(lanes);
        }
    }

    private static Optional<String> failureOf(List<Lane> lanes) {
        return lanes.stream()
                .map(lane -> lane.loop().failure())
                .filter(text -> !text.isEmpty())
                .findFirst();
    }

    /** Where a file sits: always on the same of the lanes that run. */
    private final class Seat implements LaneHolder {
        private final int number;

        Seat(int number) {
            this.number = number;
        }

        @Override
        public Lane hold() {
            while (true) {
                List<Lane> lanes = current.lanes();
                Lane lane = lanes.get(number % lanes.size());
                if (lane.tryHold()) {
                    return lane;
                }
                // It was retired just now: those that follow it were put in its place before.
            }
        }
    }

    private final PoolMemory memory;
    private final Source source;
    private final List<LaneHolder> seats = new ArrayList<>();
    private final AtomicInteger nextSeat = new AtomicInteger();

    /** One switch, or the close, at a time. */
    private final ReentrantLock switching = new ReentrantLock();

    private final ReentrantLock lock = new ReentrantLock();
    private volatile Started current;
    private final List<Lane> ending = new ArrayList<>();
    private final long[] closedStats = new long[STATS];
    private long closedHandlerErrors;
    private long switches;
    private volatile boolean closing;

    Lanes(PoolMemory memory, Started first, int seatCount, Source source) {
        this.memory = memory;
        this.current = first;
        this.source = source;
        for (int i = 0; i < seatCount; i++) {
            seats.add(new Seat(i));
        }
    }

    /** A seat, each in its turn. */
    int nextSeat() {
        return Math.floorMod(nextSeat.getAndIncrement(), seats.size());
    }

    LaneHolder seat(int number) {
        return seats.get(number);
    }

    /** A lane for what belongs to no file, each in its turn. */
    Lane hold() {
        return seats.get(nextSeat()).hold();
    }

    Started current() {
        return current;
    }

    long switches() {
        lock.lock();
        try {
            return switches;
        } finally {
            lock.unlock();
        }
    }

    /** True from the start of {@link #close}. */
    boolean isClosing() {
        return closing;
    }

    /** Why lanes that run, or have run and are ending, ended by themselves; empty where none did. */
    String failure() {
        return failureOf(snapshot()).orElse("");
    }

    /** True where operations can be begun. Asked by each of them: allocates nothing. */
    boolean isRunning() {
        List<Lane> lanes = current.lanes();
        for (int i = 0; i < lanes.size(); i++) {
            // Not whether it is closing: it may have been followed by another since we looked.
            if (!lanes.get(i).loop().failure().isEmpty()) {
                return false;
            }
        }
        return !closing;
    }

    /** Lanes that run, then those that are ending. */
    List<Lane> snapshot() {
        lock.lock();
        try {
            List<Lane> all = new ArrayList<>(current.lanes());
            all.addAll(ending);
            return all;
        } finally {
            lock.unlock();
        }
    }

    /** Buffers that each running ring knows. */
    int registered() {
        int least = memory.pieces().size();
        for (Lane lane : current.lanes()) {
            least = Math.min(least, lane.registration().buffers());
        }
        return least;
    }

    /** Counters in the order of {@code struct mr_engine_stats}, of all lanes there ever were. */
    long[] stats() {
        long[] sum;
        List<Lane> all;
        lock.lock();
        try {
            sum = closedStats.clone();
            all = snapshot();
        } finally {
            lock.unlock();
        }
        for (Lane lane : all) {
            lane.loop().sampleKernelWorkers();
            EngineCounters.add(sum, lane.loop().stats());
        }
        return sum;
    }

    /** Handlers that threw, on all lanes there ever were. */
    long handlerErrors() {
        lock.lock();
        try {
            long sum = closedHandlerErrors;
            for (Lane lane : snapshot()) {
                sum += lane.loop().handlerErrors();
            }
            return sum;
        } finally {
            lock.unlock();
        }
    }

    /**
     * Puts lanes of another kind in the place of those that run. Where these run already and none has failed, nothing is
     * done.
     *
     * @return whether anything was done
     * @throws EngineUnavailableException where they cannot be had; nothing has changed then
     */
    boolean switchTo(EngineKind kind) throws EngineUnavailableException {
        switching.lock();
        try {
            Started before = current;
            if (closing) {
                throw new EngineUnavailableException(refused(kind) + "the engine was closed");
            }
            if (before.kind() == kind && before.failure().isEmpty()) {
                return false;
            }
            int stillEnding = snapshot().size();
            if (stillEnding > MOST_ENDING) {
                throw new EngineUnavailableException(
                        refused(kind) + (stillEnding - before.lanes().size())
                                + " engine threads of earlier switches still wait for operations in flight: find what keeps the"
                                + " disk from answering");
            }
            Started next = source.start(kind, true);
            lock.lock();
            try {
                current = next;
                ending.addAll(before.lanes());
                switches++;
            } finally {
                lock.unlock();
            }
            for (Lane lane : before.lanes()) {
                lane.loop().whenClosed(() -> ended(lane));
                lane.retire();
            }
            return true;
        } finally {
            switching.unlock();
        }
    }

    static String refused(EngineKind kind) {
        return "the engine " + kind.label() + " cannot be had: ";
    }

    /** On the thread of a lane that has ended. */
    private void ended(Lane lane) {
        lock.lock();
        try {
            ending.remove(lane);
            EngineCounters.addClosed(closedStats, lane.loop().stats());
            closedHandlerErrors += lane.loop().handlerErrors();
            if (ending.isEmpty() && !closing) {
                registerWhatFits(); // under the lock: whoever sees the lane gone finds this already queued
            }
        } finally {
            lock.unlock();
        }
    }

    /** Queued at those that run and had no room for the pool beside the ones before them; holds the lock. */
    private void registerWhatFits() {
        for (Lane running : current.lanes()) {
            Registration now = running.registration();
            if (now.buffers() == 0 && now.note().isPresent()) {
                running.register(memory, false);
            }
        }
    }

    /** Ends all lanes, each as {@link EngineLoop#close} does; returns when the kernel has let go of everything. */
    void close() {
        closing = true;
        switching.lock(); // a switch under way ends first, and puts its lanes where this finds them
        try {
            List<Lane> all = snapshot();
            all.forEach(lane -> lane.loop().beginClose());
            all.forEach(lane -> lane.loop().close());
        } finally {
            switching.unlock();
        }
    }
}
