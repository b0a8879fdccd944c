// SPDX-License-Identifier: Apache-2.0
package dev.millrace.layers.stats;

import dev.millrace.layers.AccessKind;
import dev.millrace.layers.TaskKind;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * Who read a layer, for what and when, and when the layer came and went: for the API, which may reset it, and, apart from
 * that and never reset, the times that eviction goes by.
 *
 * <p>Any thread may call anything. {@link #recordAccess} takes no lock, waits for nothing and allocates nothing but once
 * after the layer was made or reset. An access that runs while {@link #snapshotAndReset} does is wholly before or wholly after it,
 * and never lost; entries of the history are in the order in which accesses began. Moments come from the caller's clock, in
 * milliseconds since 1970; what lies before 1970 or after the year 2527 is recorded as the nearest moment within.
 *
 * <p>Memory, all that hangs on it included: 72 bytes when only loaded, at most 96 with up to five residence events, at most
 * 400 once it was read (64-bit JVM with compressed class pointers).
 */
@SuppressWarnings("EnumOrdinal") // of what lies in memory only
public final class AccessStatistics {
    private static final VarHandle ACCESSES = field("accesses", long[].class);
    private static final VarHandle LAST_ACCESS = field("lastAccess", long.class);

    private static final int CAPACITY = LayerAccessStats.HISTORY;
    private static final long[] NONE = {};
    private static final ResidenceStatus[] STATUSES = ResidenceStatus.values();
    private static final ResidenceReason[] REASONS = ResidenceReason.values();
    private static final int MILLIS_SHIFT = 8;
    private static final int STATUS_SHIFT = 4;
    private static final int NIBBLE = 15;

    /** An {@link AccessLog}; null before the first access and the first one after a reset. */
    private volatile long[] accesses;

    /** A ring once it has {@link #CAPACITY} places, before that as long as it needs to be; guarded by this. */
    private long[] residenceEvents = NONE;
    /** How many were ever recorded since the last reset; guarded by this. */
    private int residenceCount;

    private volatile long lastAccess;
    private volatile long lastResidenceChange;

    private static VarHandle field(String name, Class<?> type) {
        try {
            return MethodHandles.lookup().findVarHandle(AccessStatistics.class, name, type);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    /**
     * Records that the layer is read.
     *
     * @param nowMillis the moment, in milliseconds since 1970
     */
    public void recordAccess(AccessKind kind, TaskKind task, long nowMillis) {
        long millis = clamp(nowMillis);
        long last = lastAccess;
        while (millis > last && !LAST_ACCESS.compareAndSet(this, last, millis)) {
            last = lastAccess;
        }
        long[] log = accesses;
        // A log is replaced before it is sealed: the next one takes it, unless there was yet another reset.
        while (log == null || !AccessLog.record(log, kind, task, millis)) {
            log = current();
        }
    }

    private long[] current() {
        long[] log = accesses;
        if (log != null) {
            return log;
        }
        long[] fresh = AccessLog.create();
        long[] witness = (long[]) ACCESSES.compareAndExchange(this, (long[]) null, fresh);
        return witness == null ? fresh : witness;
    }

    /**
     * Records that the layer came or went, or was found here or there.
     *
     * @param nowMillis the moment, in milliseconds since 1970
     */
    public synchronized void recordResidence(ResidenceStatus status, ResidenceReason reason, long nowMillis) {
        long millis = clamp(nowMillis);
        lastResidenceChange = millis;
        if (residenceCount == residenceEvents.length && residenceCount < CAPACITY) {
            residenceEvents = Arrays.copyOf(residenceEvents, grown(residenceCount));
        }
        residenceEvents[residenceCount % residenceEvents.length] =
                millis << MILLIS_SHIFT | status.ordinal() << STATUS_SHIFT | reason.ordinal();
        // Where it cannot count on, it stays in step with the ring.
        residenceCount = residenceCount == Integer.MAX_VALUE ? residenceCount - CAPACITY + 1 : residenceCount + 1;
    }

    /** Most layers are loaded and nothing else; five places are what fits into the memory of one never read. */
    private static int grown(int full) {
        if (full == 0) {
            return 2;
        }
        return full == 2 ? 5 : CAPACITY;
    }

    /** When the layer was last read, whatever was reset, in milliseconds since 1970; empty before the first access. */
    public OptionalLong lastAccessMillis() {
        long millis = lastAccess;
        return millis == 0 ? OptionalLong.empty() : OptionalLong.of(millis);
    }

    /** When the layer last came or went, whatever was reset, in milliseconds since 1970; empty before it is known. */
    public OptionalLong lastResidenceChangeMillis() {
        long millis = lastResidenceChange;
        return millis == 0 ? OptionalLong.empty() : OptionalLong.of(millis);
    }

    /**
     * What is recorded, as of one moment; where accesses follow one another without a pause, some of them may be counted and
     * not yet in the history, or the other way round.
     */
    public LayerAccessStats snapshot() {
        return snapshotAndReset(StatisticsReset.NO_RESET);
    }

    /**
     * What is recorded, and clears what is asked for; what was before the reset is in the answer, the rest is kept.
     *
     * <p>{@link StatisticsReset#ALL_STATS} waits for accesses that are just being recorded, and for one that is held up in the
     * middle of it at most a second. Of an access that runs while {@link StatisticsReset#JUST_TASK_KIND_FLAGS} does, the flag may be
     * in the answer and the count not yet.
     */
    public LayerAccessStats snapshotAndReset(StatisticsReset reset) {
        AccessLog.Content content = AccessLog.Content.EMPTY;
        HistoryBuffer<ResidenceEvent> events;
        long[] log;
        synchronized (this) {
            events = residenceHistory();
            log = accesses;
            if (reset == StatisticsReset.ALL_STATS) {
                log = (long[]) ACCESSES.getAndSet(this, (long[]) null);
                residenceEvents = NONE;
                residenceCount = 0;
            } else if (log != null) {
                // Within the lock no other reset seals it.
                long flags = reset == StatisticsReset.JUST_TASK_KIND_FLAGS ? AccessLog.takeFlags(log) : 0;
                content = AccessLog.read(log);
                content = reset == StatisticsReset.NO_RESET ? content : content.withFlags(flags);
            }
        }
        if (reset == StatisticsReset.ALL_STATS && log != null) {
            content = AccessLog.seal(log);
        }
        return new LayerAccessStats(
                content.accesses(),
                content.taskKinds(),
                content.first(),
                content.history(),
                events,
                OptionalLong.of(lastAccess),
                OptionalLong.of(lastResidenceChange),
                Optional.of(true));
    }

    private HistoryBuffer<ResidenceEvent> residenceHistory() {
        List<ResidenceEvent> history = new ArrayList<>(CAPACITY);
        int kept = Math.min(residenceCount, CAPACITY);
        for (int place = residenceCount - kept; place < residenceCount; place++) {
            long event = residenceEvents[place % residenceEvents.length];
            history.add(new ResidenceEvent(
                    event >>> MILLIS_SHIFT,
                    STATUSES[(int) event >>> STATUS_SHIFT & NIBBLE],
                    REASONS[(int) event & NIBBLE]));
        }
        return HistoryBuffer.of(CAPACITY, history, residenceCount - kept);
    }

    private static long clamp(long millis) {
        return Math.max(0, Math.min(millis, AccessLog.MAX_MILLIS));
    }
}
