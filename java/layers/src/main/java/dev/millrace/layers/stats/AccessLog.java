// SPDX-License-Identifier: Apache-2.0
package dev.millrace.layers.stats;

import dev.millrace.layers.AccessKind;
import dev.millrace.layers.TaskKind;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/**
 * The accesses of one layer from one reset to the next, packed into an array of longs: a ring of the last 16, the first, how
 * many began, how many were counted of each kind, and the kinds of tasks.
 *
 * <p>An access begins by adding to {@link #BEGUN}, which gives it its place in the history, and ends by adding to the count
 * of its kind; so, when both sums are equal, nothing is half done. {@link #seal} stops accesses from beginning: one that
 * comes later is told so, goes to the log that has taken the place of this one, and leaves no trace here.
 */
@SuppressWarnings("EnumOrdinal") // of what lies in memory only
final class AccessLog {
    private static final VarHandle LONGS = MethodHandles.arrayElementVarHandle(long[].class);

    /** How many accesses have begun; negative once it is sealed. What each access needs lies close together, in front. */
    private static final int BEGUN = 0;

    private static final int FLAGS = 1;
    /** Of four kinds, which never become more. */
    private static final int COUNTS = 2;

    private static final int FIRST = 6;
    private static final int SLOTS = 7;
    private static final int RING = LayerAccessStats.HISTORY;

    private static final long SEALED = Long.MIN_VALUE;

    private static final AccessKind[] KINDS = AccessKind.values();

    /*
     * An access in a long: 44 bits of milliseconds (until the year 2527), 12 of the lap around the ring (from 1 on, so that
     * none is ever 0; a slot is never 4096 laps behind), 6 of the task kind, 2 of the access kind.
     */
    static final long MAX_MILLIS = (1L << 44) - 1;
    private static final int MILLIS_SHIFT = 20;
    private static final int LAP_SHIFT = 8;
    private static final int LAP_MASK = 0xfff;
    private static final int TASK_SHIFT = 2;
    private static final int TASK_MASK = TaskKind.MAX_KINDS - 1;
    private static final int KIND_MASK = 3;

    /** How often a reader looks again for a moment at which nothing is half done. */
    private static final int LOOKS = 16;
    /** How long sealing waits for accesses that have begun. */
    private static final long MAX_WAIT_NANOS = TimeUnit.SECONDS.toNanos(1);

    private static final long PAUSE_NANOS = TimeUnit.MICROSECONDS.toNanos(50);
    private static final int SPINS = 200;

    private AccessLog() {}

    /** An empty log. */
    static long[] create() {
        return new long[SLOTS + RING];
    }

    /** Records an access; false where the log is sealed, and nothing was recorded. */
    static boolean record(long[] log, AccessKind kind, TaskKind task, long millis) {
        long place = (long) LONGS.getAndAdd(log, BEGUN, 1L);
        if (place < 0) {
            return false;
        }
        long entry = entry(place, kind, task, millis);
        if (place == 0) {
            LONGS.setRelease(log, FIRST, entry);
        }
        put(log, place, entry);
        long flag = 1L << task.index();
        if (((long) LONGS.getVolatile(log, FLAGS) & flag) == 0) {
            LONGS.getAndBitwiseOr(log, FLAGS, flag);
        }
        // Last: whoever sees it counted sees the rest.
        LONGS.getAndAdd(log, COUNTS + kind.ordinal(), 1L);
        return true;
    }

    static long entry(long place, AccessKind kind, TaskKind task, long millis) {
        return millis << MILLIS_SHIFT | lap(place) << LAP_SHIFT | task.index() << TASK_SHIFT | kind.ordinal();
    }

    /** One that was held up for a whole lap, or for thousands, must not overwrite a newer one. */
    static void put(long[] log, long place, long entry) {
        int slot = slot(place);
        long there = (long) LONGS.getAcquire(log, slot);
        while (there == 0 || place / RING + 1 > wholeLap(log, there)) {
            long witness = (long) LONGS.compareAndExchange(log, slot, there, entry);
            if (witness == there) {
                return;
            }
            there = witness;
        }
    }

    /**
     * The lap of an entry that is in the log, of which the entry has the last twelve bits: it began before what has begun by now, and
     * less than 4096 laps before.
     */
    private static long wholeLap(long[] log, long entry) {
        long newest = (begun(log) & ~SEALED) / RING + 1;
        return newest - (newest - lapOf(entry) & LAP_MASK);
    }

    private static int slot(long place) {
        return SLOTS + (int) (place % RING);
    }

    private static long lap(long place) {
        return place / RING + 1 & LAP_MASK;
    }

    private static int lapOf(long entry) {
        return (int) (entry >>> LAP_SHIFT) & LAP_MASK;
    }

    /** Clears the kinds of tasks; then what they were, as bits. */
    static long takeFlags(long[] log) {
        return (long) LONGS.getAndSet(log, FLAGS, 0L);
    }

    /**
     * Lets no more accesses begin, waits for those that have, which takes nanoseconds unless one was held up, and tells what
     * there was.
     */
    static Content seal(long[] log) {
        long begun = (long) LONGS.getAndBitwiseOr(log, BEGUN, SEALED);
        long start = System.nanoTime();
        for (int looks = 0; counted(log) != begun; looks++) {
            if (looks < SPINS) {
                Thread.onSpinWait();
            } else if (System.nanoTime() - start < MAX_WAIT_NANOS) {
                LockSupport.parkNanos(PAUSE_NANOS);
            } else {
                break; // the thread is stopped or dead; what it has not done yet is not seen
            }
        }
        return readOnce(log, begun);
    }

    private static long counted(long[] log) {
        long sum = 0;
        for (int kind = 0; kind < KINDS.length; kind++) {
            sum += (long) LONGS.getVolatile(log, COUNTS + kind);
        }
        return sum;
    }

    /**
     * What is in it.
     *
     * @param accesses how often it was read, for each kind
     * @param flags the kinds of tasks, as bits
     * @param first the first access
     * @param history the last accesses
     */
    record Content(
            Map<AccessKind, Long> accesses,
            long flags,
            Optional<LayerAccess> first,
            HistoryBuffer<LayerAccess> history) {
        static final Content EMPTY =
                new Content(Map.of(), 0, Optional.empty(), new HistoryBuffer<>(LayerAccessStats.HISTORY));

        Content withFlags(long other) {
            return new Content(accesses, other, first, history);
        }

        Set<String> taskKinds() {
            Set<String> labels = new LinkedHashSet<>();
            for (long rest = flags; rest != 0; rest &= rest - 1) {
                labels.add(TaskKind.at(Long.numberOfTrailingZeros(rest)).label());
            }
            return labels;
        }
    }

    /**
     * What is in a log that is not sealed, as of one moment; where accesses never pause, as of several moments close to each other, but each entry
     * of the history is one that was recorded.
     */
    static Content read(long[] log) {
        Content content = Content.EMPTY;
        for (int look = 0; look < LOOKS; look++) {
            long begun = begun(log);
            content = readOnce(log, begun);
            if (counted(log) == begun && begun(log) == begun) {
                break;
            }
            Thread.onSpinWait();
        }
        return content;
    }

    private static long begun(long[] log) {
        return (long) LONGS.getVolatile(log, BEGUN);
    }

    private static Content readOnce(long[] log, long begun) {
        Map<AccessKind, Long> counts = new EnumMap<>(AccessKind.class);
        for (AccessKind kind : KINDS) {
            counts.put(kind, (long) LONGS.getVolatile(log, COUNTS + kind.ordinal()));
        }
        List<LayerAccess> history = new ArrayList<>(RING);
        long dropped = Math.max(0, begun - RING);
        for (long place = dropped; place < begun; place++) {
            long entry = (long) LONGS.getVolatile(log, slot(place));
            // One that is not there yet, or no more, leaves something else in its place.
            if (entry != 0 && lapOf(entry) == lap(place)) {
                history.add(unpack(entry));
            }
        }
        long first = (long) LONGS.getVolatile(log, FIRST);
        return new Content(
                counts,
                (long) LONGS.getVolatile(log, FLAGS),
                first == 0 ? Optional.empty() : Optional.of(unpack(first)),
                HistoryBuffer.of(RING, history, dropped));
    }

    private static LayerAccess unpack(long entry) {
        return new LayerAccess(
                entry >>> MILLIS_SHIFT,
                TaskKind.at((int) entry >>> TASK_SHIFT & TASK_MASK).label(),
                KINDS[(int) entry & KIND_MASK]);
    }
}
