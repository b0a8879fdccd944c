// SPDX-License-Identifier: Apache-2.0
package dev.millrace.io;

import dev.millrace.io.engine.EngineLoop;
import dev.millrace.io.engine.Errno;
import dev.millrace.io.engine.FileStat;
import dev.millrace.io.engine.OpenFlag;
import dev.millrace.io.engine.Syscalls;
import dev.millrace.io.engine.Syscalls.StatResult;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Function;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The descriptor behind a {@link VirtualFile}: an operation pins it at its begin ({@link #enter}), uses its number
 * ({@link #fd}) and lets it go at its end ({@link #exit}). While nobody pins it the engine's {@link DescriptorCache} may
 * close it; the next one to enter finds it opened again, by its path, without creating or emptying anything, in the same
 * mode, and only if it is the same file.
 *
 * <p>One word holds the pins and what must be seen with them, so that entering and leaving is one compare-and-set each
 * while the descriptor is open. What else changes does so under the cache's lock.
 */
final class Descriptor implements DescriptorCache.Request {
    /** Where it is in its life. */
    enum Phase {
        /** The number is valid and may be pinned by anyone. */
        OPEN,
        /** Wanted by another file: closed when the last pin goes. New users wait. */
        DRAINING,
        /** To be opened in another mode: closed when the last pin goes. New users wait. */
        CHANGING,
        /** Taken from the file; being synced where that is needed, and closed. */
        RETIRING,
        /** There is none, and nobody asked. */
        AWAY,
        /** There is none, and users wait for one in the cache's line. */
        IN_LINE,
        /** Being opened again. */
        OPENING,
        /** The file is closed. */
        GONE
    }

    /** Someone who waits for this file's descriptor. */
    record Waiting(String operation, PinWaiter waiter) {}

    private static final long PINS = (1L << 32) - 1;
    /** The number may be pinned by anyone; not in a DRAINING phase or a later one. */
    private static final long OPEN = 1L << 32;
    /** Pinned since the clock's hand came by. */
    private static final long USED = 1L << 33;
    /** Something was written that is not known to be on the disk. */
    private static final long DIRTY = 1L << 34;
    /** Whoever unpins last tells the cache. */
    private static final long WATCHED = 1L << 35;

    private static final Logger LOG = LoggerFactory.getLogger(Descriptor.class);

    private final IoEngine engine;
    private final DescriptorCache cache;
    private final FileStat identity;
    private final boolean followsMode;
    /** How it is to be opened from now on; changes below the cache's lock. */
    private volatile int flags;

    private final AtomicLong state = new AtomicLong(OPEN | USED);
    private volatile String path;
    private volatile boolean closing;
    private volatile boolean kept;
    private volatile Optional<FatalIoException> syncFailure = Optional.empty();
    /** Changes only while there are no pins and the state is not OPEN, whose setting publishes it. */
    private int fd;

    // Guarded by the cache's lock.
    private Phase phase = Phase.OPEN;
    private List<Waiting> waiting = List.of();
    private Optional<Grant> grant = Optional.empty();
    /** Place in the clock, -1 outside. */
    private int clockIndex = -1;

    private int openedFlags;

    /**
     * An open one, which takes over the room that its opening had.
     *
     * @param flags of {@link OpenFlag}: how it is opened again
     * @param followsMode whether the engine's mode says whether it is direct
     */
    Descriptor(IoEngine engine, String path, int fd, FileStat identity, int flags, boolean followsMode) {
        this.engine = engine;
        this.cache = engine.descriptorCache();
        this.path = path;
        this.fd = fd;
        this.identity = identity;
        this.flags = flags;
        this.openedFlags = flags;
        this.followsMode = followsMode;
        engine.hold();
        cache.opened(this, identity.inode() == 0 || !allows(identity.permissions()));
        engine.names().add(this); // after it can be kept
    }

    IoEngine engine() {
        return engine;
    }

    String path() {
        return path;
    }

    /** The file has been renamed. */
    void moved(String to) {
        path = to;
    }

    FileStat identity() {
        return identity;
    }

    boolean is(FileStat other) {
        return identity.isSameFile(other);
    }

    /**
     * True where permissions let this file be opened again as it is. Its owner's are looked at, whoever we are: at worst a
     * descriptor is kept without need.
     */
    boolean allows(int permissions) {
        boolean mayRead = (flags & OpenFlag.READ) == 0 || (permissions & 0400) != 0;
        boolean mayWrite = (flags & OpenFlag.WRITE) == 0 || (permissions & 0200) != 0;
        return mayRead && mayWrite;
    }

    // ------------------------------------------------------------------ users

    /** The number. Only between an entering and its leaving. */
    int fd() {
        return fd;
    }

    /** Throws where an operation would be refused at once: the file or the engine is closed. */
    void checkOpen(String operation) throws IoFailure {
        engine.checkOpen(operation, path);
        if (closing) {
            throw new FileClosedException(operation, path);
        }
    }

    /**
     * Pins, for the caller's thread, which waits where there is no descriptor to be had.
     *
     * @return the number
     */
    int enter(String operation) throws IoFailure {
        checkOpen(operation);
        if (!pin()) {
            cache.enter(this, operation);
        }
        return fd;
    }

    /** Pins without ever waiting, from any thread; {@code waiter} is told, perhaps before this returns. */
    void enter(String operation, PinWaiter waiter) {
        try {
            checkOpen(operation);
        } catch (IoFailure e) {
            waiter.refused(e);
            return;
        }
        if (pin()) {
            waiter.pinned();
        } else {
            cache.enter(this, operation, waiter);
        }
    }

    /** Takes back an {@link #enter(String, PinWaiter)}; false where its waiter was told, or is about to be. */
    boolean leave(PinWaiter waiter) {
        return cache.leave(this, waiter);
    }

    private boolean pin() {
        long now = state.get();
        while ((now & OPEN) != 0) {
            if (state.compareAndSet(now, (now | USED) + 1)) {
                return true;
            }
            now = state.get();
        }
        return false;
    }

    /** Ends what {@link #enter} began. {@code wrote}: it may have changed the file. Any thread, the engine's too. */
    void exit(boolean wrote) {
        long now;
        long next;
        do {
            now = state.get();
            next = (wrote ? now | DIRTY : now) - 1;
        } while (!state.compareAndSet(now, next));
        if ((next & PINS) == 0 && ((next & WATCHED) != 0 || cache.isWanted())) {
            cache.unpinned(this);
        }
    }

    /**
     * Everything written up to now is about to be synced. What is written meanwhile makes it dirty anew, since that is noted
     * at a write's end.
     */
    void beginsSync() {
        change(0, DIRTY);
    }

    /** The sync said nothing: what was dirty still is. */
    void syncedNothing() {
        change(DIRTY, 0);
    }

    /** A failed sync, which stays: what the kernel dropped then, another one, or another descriptor, would not miss. */
    Optional<FatalIoException> syncFailure() {
        return syncFailure;
    }

    FatalIoException syncFailed(String operation, int errno, String detail) {
        FatalIoException fatal = new FatalIoException(operation, path, errno, detail);
        syncFailure = Optional.of(fatal);
        return fatal;
    }

    /** True where it passes the page cache by, or will when it is open. */
    boolean isDirect() {
        return (flags & OpenFlag.DIRECT) != 0;
    }

    boolean isKept() {
        return kept;
    }

    /** From now on never closed before its file. For one who has entered. */
    void keep() {
        cache.keep(this);
    }

    /** Opens it, where that is needed, and keeps it. */
    void keepFor(String operation) throws IoFailure {
        if (!kept) {
            enter(operation);
            keep();
            exit(false);
        }
    }

    /** {@link VirtualFile#close}. */
    void close() throws IoFailure {
        if (EngineLoop.isAnyEngineThread()) {
            throw new IllegalStateException("a file cannot be closed on an engine thread: it would wait for itself");
        }
        cache.close(this);
    }

    // ------------------------------------------------------------------ the cache's side

    /** Sets and clears bits of the state, whatever else changes in it meanwhile. */
    private long change(long set, long clear) {
        return state.updateAndGet(now -> (now | set) & ~clear);
    }

    boolean isPinned() {
        return (state.get() & PINS) != 0;
    }

    boolean isDirty() {
        return (state.get() & DIRTY) != 0;
    }

    /** True once for each use: the clock's second chance. */
    boolean wasUsed() {
        return (state.getAndUpdate(now -> now & ~USED) & USED) != 0;
    }

    /** Takes it from its file where nobody pins it. */
    boolean claim() {
        long now = state.get();
        while ((now & (OPEN | PINS)) == OPEN) {
            if (state.compareAndSet(now, now & ~OPEN)) {
                return true;
            }
            now = state.get();
        }
        return false;
    }

    /** From now on nobody can pin it without the cache, which hears when the last pin goes. */
    void shut() {
        change(WATCHED, OPEN);
    }

    /** May be pinned by anyone, and is already pinned {@code pins} times more. */
    void reopenTo(int pins) {
        state.updateAndGet(now -> ((now | OPEN | USED) & ~WATCHED) + pins);
    }

    void takeOver(Reopened reopened) {
        fd = reopened.fd();
        openedFlags = reopened.flags();
    }

    /** One that cannot be opened again stays as it is. */
    void follow(IoMode mode) {
        if (followsMode && !kept) {
            flags = mode.flags(flags);
        }
    }

    /** False where it is open, or is being opened, in another way than it should be. */
    boolean isOpenAsItShould() {
        return phase == Phase.AWAY || phase == Phase.IN_LINE || phase == Phase.GONE || openedFlags == flags;
    }

    Phase phase() {
        return phase;
    }

    /** Ends what it was granted, or was taken by. */
    void phase(Phase next) {
        phase = next;
        grant = Optional.empty();
    }

    /** What will open it, or close it for another; empty in other phases than these. */
    Optional<Grant> grant() {
        return grant;
    }

    void grant(Optional<Grant> next) {
        grant = next;
    }

    boolean isClosing() {
        return closing;
    }

    void beginsClosing() {
        closing = true;
    }

    void setKept() {
        kept = true;
        flags = openedFlags;
    }

    int clockIndex() {
        return clockIndex;
    }

    void clockIndex(int index) {
        clockIndex = index;
    }

    void await(Waiting who) {
        if (waiting.isEmpty()) {
            waiting = new ArrayList<>(2);
        }
        waiting.add(who);
    }

    boolean forget(PinWaiter waiter) {
        return !waiting.isEmpty() && waiting.removeIf(one -> one.waiter().equals(waiter));
    }

    @Override
    public boolean isWaitedFor() {
        return !waiting.isEmpty();
    }

    List<Waiting> takeWaiting() {
        List<Waiting> all = waiting;
        waiting = List.of();
        return all;
    }

    // ------------------------------------------------------------------ closing and opening behind the file's back

    /**
     * Syncs what is dirty and closes the number. A failure is the file's from then on: another descriptor would not be told.
     *
     * @return false where the engine was closed before: it is as it was
     */
    boolean retire(Syscalls syscalls) {
        if (isDirty() && syncFailure.isEmpty()) {
            beginsSync();
            int synced = syscalls.fdatasync(fd);
            if (synced == -Errno.ECANCELED) {
                syncedNothing();
                return false;
            }
            if (synced < 0) {
                syncFailed("fdatasync", -synced, "(when its descriptor was closed for want of descriptors)");
            }
        }
        int closed = syscalls.close(fd);
        if (closed < 0 && (flags & OpenFlag.WRITE) != 0 && syncFailure.isEmpty()) {
            syncFailed("close", -closed, "(when its descriptor was closed for want of descriptors)");
        }
        return true;
    }

    /** The number of the file opened again, or a negative one, and then why, for an operation that is named. */
    record Reopened(int fd, int flags, Optional<Function<String, IoFailure>> refusal) {
        private static Reopened refused(Function<String, IoFailure> why) {
            return new Reopened(-1, 0, Optional.of(why));
        }
    }

    Reopened reopen(Syscalls syscalls) {
        while (true) {
            String at = path;
            Reopened attempt = reopen(syscalls, at);
            // A rename of ours may have come between: then there is a new path to try, and an end to renames.
            if (attempt.fd >= 0 || !engine.names().hasMovedFrom(this, at)) {
                return attempt;
            }
        }
    }

    private Reopened reopen(Syscalls syscalls, String at) {
        StatResult before = syscalls.stat(at); // first, since opening a FIFO or a device may do anything
        if (before.error() < 0) {
            return refused(at, "stat", -before.error());
        }
        if (!is(before.stat())) {
            return replaced(at, "another file lies under its path now");
        }
        int how = flags;
        int opened = cache.openWithRoom(syscalls, at, how, 0);
        if (opened < 0) {
            return refused(at, "open", -opened);
        }
        StatResult after = syscalls.stat(opened);
        if (after.error() == 0 && is(after.stat())) {
            return new Reopened(opened, how, Optional.empty());
        }
        syscalls.close(opened);
        return after.error() < 0
                ? refused(at, "stat", -after.error())
                : replaced(at, "another file lies under its path now");
    }

    private Reopened refused(String at, String call, int errno) {
        return errno == Errno.ENOENT || errno == Errno.ENOTDIR
                ? replaced(at, "nothing lies under its path now")
                : Reopened.refused(operation -> engine.failure(call, at, errno, 0, false));
    }

    private static Reopened replaced(String at, String lies) {
        return Reopened.refused(operation -> new FileReplacedException(operation, at, lies));
    }

    @Override
    public void granted() {
        Reopened outcome;
        try {
            outcome = reopen(engine.syscalls());
        } catch (RuntimeException | Error e) {
            // No memory for a path, say: those who wait are not to be left without an answer.
            LOG.error("{} could not be opened again", path, e);
            outcome = refused(path, "open", Errno.UNKNOWN);
        }
        cache.reopened(this, outcome);
    }

    @Override
    public List<Runnable> refusals(Function<String, IoFailure> why) {
        List<Runnable> told = new ArrayList<>();
        for (Waiting one : takeWaiting()) {
            told.add(() -> one.waiter().refused(why.apply(one.operation())));
        }
        return told;
    }
}
