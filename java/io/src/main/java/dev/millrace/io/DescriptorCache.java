// SPDX-License-Identifier: Apache-2.0
package dev.millrace.io;

import dev.millrace.io.Descriptor.Phase;
import dev.millrace.io.Descriptor.Reopened;
import dev.millrace.io.Descriptor.Waiting;
import dev.millrace.io.engine.EngineLoop;
import dev.millrace.io.engine.Errno;
import dev.millrace.io.engine.OpenFilesLimit;
import dev.millrace.io.engine.Syscalls;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import java.util.function.Function;

/**
 * Keeps the descriptors of an engine's files few: at most so many are open, and who needs one more takes it from a file that
 * nobody uses at the moment. Which one, a clock says: its hand passes over files that were used since it last came by, and
 * over those with unsynced writes as long as there are others, since those have to be synced first.
 *
 * <p><b>Waiting.</b> Where all are in use, the next one waits in line, first come first served, and one file that is in use
 * is <i>drained</i> for it: who wants that file now waits, too, and when its last operation ends its descriptor goes to the
 * line. So whoever waits does so no longer than the operations take that were under way, however busy other files are.
 *
 * <p><b>No deadlock.</b> An operation holds one pin and asks for none while it holds it (of several files it would take them
 * one after the other). It takes its pin after its buffer and before its place in the engine's line. What holds a pin
 * therefore waits only for the kernel and for such places, which go to operations that have theirs. Closing and opening
 * descriptors, which may wait for a disk, is done by the thread that asked, or for one that must not block and for those in
 * line on the threads for files, where nothing ever waits for a descriptor. Files that keep their descriptors for good count
 * too; where no others are left there is nothing to wait for, and that is an error.
 *
 * <p>Below its lock nothing is called that may block. Any thread.
 */
final class DescriptorCache {
    /** Descriptors given up, one after the other, for an open that the system has none for. */
    private static final int MOST_SHED = 16;
    /** Read before descriptors are short, since reading takes one. */
    private static final String PROCESS_LIMIT = OpenFilesLimit.text();

    /** Someone who needs room for one more descriptor. */
    interface Request {
        /** There is room. On a thread that may block. */
        void granted();

        /** False where everyone has left: there is nothing to do for it any more. */
        boolean isWaitedFor();

        /** What tells everyone who waits that there will be none. */
        List<Runnable> refusals(Function<String, IoFailure> why);
    }

    private final IoEngine engine;
    private final Executor files;
    private final int limit;

    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();
    /** Those that are open and not kept. */
    private final DescriptorClock clock = new DescriptorClock();

    private final ArrayDeque<Request> line = new ArrayDeque<>();
    /** True while somebody is in line: read by everyone who unpins. */
    private volatile boolean wanted;

    private int open;
    private int mostOpen;
    private int kept;
    private int draining;
    private long evictions;
    private long reopens;
    private long waits;
    private boolean closed;

    /** {@code files} runs what may wait for a disk; refusing it means that the engine is closed. */
    DescriptorCache(IoEngine engine, int limit, Executor files) {
        this.engine = engine;
        this.limit = limit;
        this.files = files;
    }

    DescriptorCounters counters() {
        lock.lock();
        try {
            return new DescriptorCounters(limit, open, mostOpen, kept, evictions, reopens, waits);
        } finally {
            lock.unlock();
        }
    }

    /** What a failure for want of descriptors should say of ours. */
    String usage() {
        DescriptorCounters now = counters();
        return "(" + now.open() + " of at most " + limit + " descriptors are open for files of this engine and in use, "
                + "and RLIMIT_NOFILE is " + PROCESS_LIMIT + ")";
    }

    // ------------------------------------------------------------------ opening

    /**
     * Room for a file that is being opened; waits for it. To be filled by a {@link Descriptor}, or given back.
     *
     * @throws EngineClosedException where the engine closes first
     * @throws OperationFailedException where all there is is kept for good
     */
    void makeRoom(String operation, String path) throws IoFailure {
        refuseEngineThread();
        ParkedPin parked = new ParkedPin();
        ask(new Opening(operation, path, parked)).filter(Grant::begin).ifPresent(this::carryOut);
        parked.await();
    }

    /** The same for one that must not wait, told on a thread that may block. */
    void makeRoomThen(String operation, String path, PinWaiter then) {
        ask(new Opening(operation, path, then)).ifPresent(this::dispatch);
    }

    private Optional<Grant> ask(Opening opening) {
        return answer(after -> request(opening, after));
    }

    /** Nothing was opened after all. */
    void giveRoomBack() {
        after(after -> {
            open--;
            serve(after);
        });
    }

    /** One was opened; it fills the room that was made. */
    void opened(Descriptor descriptor, boolean forGood) {
        after(after -> {
            if (forGood) {
                keep(descriptor, after);
            } else {
                clock.add(descriptor);
                drain(after);
            }
        });
    }

    /**
     * Opens where the system may have no descriptor left: then some of ours that nobody uses are closed.
     *
     * @return a descriptor or a negated errno
     */
    int openWithRoom(Syscalls syscalls, String path, int flags, int mode) {
        int result = syscalls.open(path, flags, mode);
        for (int i = 0; i < MOST_SHED && (result == -Errno.EMFILE || result == -Errno.ENFILE); i++) {
            if (!shed()) {
                return result;
            }
            result = syscalls.open(path, flags, mode);
        }
        return result;
    }

    private boolean shed() {
        Optional<Descriptor> victim;
        lock.lock();
        try {
            victim = claim();
        } finally {
            lock.unlock();
        }
        if (victim.isEmpty() || !retire(victim.get())) {
            return false;
        }
        giveRoomBack();
        return true;
    }

    // ------------------------------------------------------------------ entering and leaving

    boolean isWanted() {
        return wanted;
    }

    /** {@link Descriptor#enter(String)} of one that is not simply open. */
    void enter(Descriptor descriptor, String operation) throws IoFailure {
        refuseEngineThread();
        ParkedPin parked = new ParkedPin();
        Optional<Grant> grant = answer(after ->
                enter(descriptor, new Waiting(operation, parked), after).or(descriptor::grant));
        // What it waits for may be waiting for a thread: then it is done on this one.
        for (; grant.isPresent() && grant.get().begin(); grant = nextFor(descriptor, parked)) {
            carryOut(grant.get());
        }
        parked.await();
    }

    private Optional<Grant> nextFor(Descriptor descriptor, ParkedPin parked) {
        lock.lock();
        try {
            return parked.isTold() ? Optional.empty() : descriptor.grant();
        } finally {
            lock.unlock();
        }
    }

    /** {@link Descriptor#enter(String, PinWaiter)} of one that is not simply open. */
    void enter(Descriptor descriptor, String operation, PinWaiter waiter) {
        answer(after -> enter(descriptor, new Waiting(operation, waiter), after))
                .ifPresent(this::dispatch);
    }

    private Optional<Grant> enter(Descriptor descriptor, Waiting who, List<Runnable> after) {
        if (descriptor.isClosing()) {
            after.add(() -> who.waiter().refused(new FileClosedException(who.operation(), descriptor.path())));
            return Optional.empty();
        }
        switch (descriptor.phase()) {
            case OPEN -> { // since it was looked at
                descriptor.reopenTo(1);
                after.add(who.waiter()::pinned);
            }
            case AWAY -> {
                descriptor.await(who);
                return request(descriptor, after);
            }
            default -> descriptor.await(who);
        }
        return Optional.empty();
    }

    boolean leave(Descriptor descriptor, PinWaiter waiter) {
        lock.lock();
        try {
            return descriptor.forget(waiter);
        } finally {
            lock.unlock();
        }
    }

    /** The last pin is gone, and somebody may be interested. */
    void unpinned(Descriptor descriptor) {
        after(after -> {
            if (descriptor.isPinned()) {
                return;
            }
            if (descriptor.isClosing()) {
                changed.signalAll();
            } else if (descriptor.phase() == Phase.DRAINING) {
                draining--;
                if (firstInLine().isPresent()) {
                    descriptor.phase(Phase.RETIRING);
                    after.add(grantFirst(Optional.of(descriptor)));
                } else {
                    becomesOpen(descriptor, after);
                }
            } else if (descriptor.phase() == Phase.CHANGING) {
                changed.signalAll();
            } else if (descriptor.clockIndex() >= 0 && firstInLine().isPresent() && descriptor.claim()) {
                take(descriptor);
                after.add(grantFirst(Optional.of(descriptor)));
            }
        });
    }

    /** From now on it is closed with its file only. It is pinned. */
    void keep(Descriptor descriptor) {
        after(after -> keep(descriptor, after));
    }

    private void keep(Descriptor descriptor, List<Runnable> after) {
        if (descriptor.isKept()) {
            return;
        }
        descriptor.setKept();
        kept++;
        clock.remove(descriptor);
        if (descriptor.phase() == Phase.DRAINING) {
            draining--;
            becomesOpen(descriptor, after);
        } else if (descriptor.phase() == Phase.CHANGING) {
            becomesOpen(descriptor, after);
        }
        if (wanted && allAreKept()) {
            refuseLine(after, Refusal.ALL_KEPT);
        }
        drain(after);
    }

    // ------------------------------------------------------------------ another mode

    /**
     * Has a file's descriptor opened as the engine's mode says, now where it is open and at the next use where it is not;
     * waits for the operations that use it, while later ones wait for the new descriptor. A kept one stays as it is.
     */
    void followMode(Descriptor descriptor) {
        refuseEngineThread();
        if (!takeForMode(descriptor)) {
            return;
        }
        if (!descriptor.retire(engine.syscalls())) {
            spare(descriptor);
            return;
        }
        boolean closes;
        lock.lock();
        try {
            closes = descriptor.isClosing();
            descriptor.phase(closes ? Phase.AWAY : Phase.OPENING);
            open -= closes ? 1 : 0;
            changed.signalAll();
        } finally {
            lock.unlock();
        }
        if (!closes) {
            descriptor.granted();
        }
    }

    /** True where it was taken from its file, and nobody uses it. */
    private boolean takeForMode(Descriptor descriptor) {
        lock.lock();
        try {
            descriptor.follow(engine.mode());
            while (!descriptor.isClosing() && !descriptor.isOpenAsItShould()) {
                if (descriptor.phase() == Phase.OPEN) {
                    clock.remove(descriptor);
                    descriptor.shut();
                    descriptor.phase(Phase.CHANGING);
                    while (descriptor.phase() == Phase.CHANGING && descriptor.isPinned()) {
                        changed.awaitUninterruptibly();
                    }
                    if (descriptor.phase() == Phase.CHANGING) {
                        descriptor.phase(descriptor.isClosing() ? Phase.OPEN : Phase.RETIRING);
                        changed.signalAll();
                        return !descriptor.isClosing();
                    }
                } else {
                    changed.awaitUninterruptibly(); // it is on its way from one to the other
                }
            }
            return false;
        } finally {
            lock.unlock();
        }
    }

    // ------------------------------------------------------------------ closing

    /** {@link VirtualFile#close}. */
    void close(Descriptor descriptor) throws IoFailure {
        List<Runnable> refused;
        lock.lock();
        try {
            if (descriptor.isClosing()) {
                while (descriptor.phase() != Phase.GONE) {
                    changed.awaitUninterruptibly();
                }
                return;
            }
            descriptor.beginsClosing();
            descriptor.shut();
            clock.remove(descriptor);
            if (descriptor.phase() == Phase.IN_LINE) {
                line.remove(descriptor);
                wanted = !line.isEmpty();
                descriptor.phase(Phase.AWAY);
            } else if (descriptor.phase() == Phase.DRAINING) {
                draining--;
                descriptor.phase(Phase.OPEN); // which nobody can enter any more
            }
            refused = descriptor.refusals(operation -> new FileClosedException(operation, descriptor.path()));
        } finally {
            lock.unlock();
        }
        refused.forEach(Runnable::run);
        boolean there;
        lock.lock();
        try {
            while (descriptor.isPinned()
                    || descriptor.phase() == Phase.CHANGING
                    || descriptor.phase() == Phase.RETIRING
                    || descriptor.phase() == Phase.OPENING) {
                changed.awaitUninterruptibly();
            }
            there = descriptor.phase() != Phase.AWAY;
        } finally {
            lock.unlock();
        }
        engine.names().remove(descriptor);
        int result = there ? engine.blockingSyscalls().close(descriptor.fd()) : 0;
        engine.letGo();
        after(after -> {
            open -= there ? 1 : 0;
            kept -= there && descriptor.isKept() ? 1 : 0;
            descriptor.phase(Phase.GONE);
            changed.signalAll();
            serve(after);
        });
        if (result < 0) {
            throw engine.failure("close", descriptor.path(), -result, 0, true);
        }
    }

    /** The engine closes: whoever is in line is told. */
    void close() {
        after(after -> {
            closed = true;
            refuseLine(after, Refusal.CLOSED);
        });
    }

    // ------------------------------------------------------------------ below the lock

    /** Runs below the lock, and then what that leaves to be told or done. */
    private void after(Consumer<List<Runnable>> body) {
        answer(after -> {
            body.accept(after);
            return Optional.empty();
        });
    }

    /** The same for what has an answer. */
    private Optional<Grant> answer(Function<List<Runnable>, Optional<Grant>> body) {
        List<Runnable> after = new ArrayList<>(0);
        Optional<Grant> answer;
        lock.lock();
        try {
            answer = body.apply(after);
        } finally {
            lock.unlock();
        }
        after.forEach(Runnable::run);
        return answer;
    }

    private enum Refusal {
        CLOSED,
        ALL_KEPT
    }

    private List<Runnable> refusals(Request request, Refusal why) {
        String path = request instanceof Descriptor descriptor ? descriptor.path() : ((Opening) request).path();
        return request.refusals(operation -> switch (why) {
            case CLOSED -> engine.closedException(operation, path);
            case ALL_KEPT -> OperationFailedException.allKept(operation, path, limit);
        });
    }

    private void refuse(Request request, Refusal why, List<Runnable> after) {
        if (request instanceof Descriptor descriptor) {
            descriptor.phase(Phase.AWAY);
            changed.signalAll();
        }
        after.addAll(refusals(request, why));
    }

    private void refuseLine(List<Runnable> after, Refusal why) {
        Request request;
        while ((request = line.poll()) != null) {
            refuse(request, why, after);
        }
        wanted = false;
    }

    /** True where waiting would have no end. */
    private boolean allAreKept() {
        return kept >= limit;
    }

    /** Room at once; or a place in line, or a refusal. */
    private Optional<Grant> request(Request request, List<Runnable> after) {
        if (closed) {
            refuse(request, Refusal.CLOSED, after);
            return Optional.empty();
        }
        Optional<Grant> now = line.isEmpty() ? grant(request) : Optional.empty();
        if (now.isPresent()) {
            return now;
        }
        if (allAreKept()) {
            refuse(request, Refusal.ALL_KEPT, after);
            return Optional.empty();
        }
        if (request instanceof Descriptor descriptor) {
            descriptor.phase(Phase.IN_LINE);
        }
        line.add(request);
        waits++;
        // Announced before the last look at who is in use, and who unpins looks at the announcement last: one of
        // the two sees the other.
        wanted = true;
        drain(after);
        return Optional.empty();
    }

    private Optional<Grant> grant(Request request) {
        Optional<Descriptor> victim = Optional.empty();
        if (open < limit) {
            open++;
            mostOpen = Math.max(mostOpen, open);
        } else {
            victim = claim();
            if (victim.isEmpty()) {
                return Optional.empty();
            }
        }
        return Optional.of(granted(request, victim));
    }

    private static Grant granted(Request request, Optional<Descriptor> victim) {
        Grant grant = new Grant(request, victim);
        victim.ifPresent(descriptor -> descriptor.grant(Optional.of(grant)));
        if (request instanceof Descriptor descriptor) {
            descriptor.phase(Phase.OPENING);
            descriptor.grant(Optional.of(grant));
        }
        return grant;
    }

    /** The first in line that somebody waits for; the others leave it. */
    private Optional<Request> firstInLine() {
        while (!line.isEmpty() && !line.peek().isWaitedFor()) {
            if (line.poll() instanceof Descriptor descriptor) {
                descriptor.phase(Phase.AWAY);
            }
        }
        wanted = !line.isEmpty();
        return Optional.ofNullable(line.peek());
    }

    /** The first in line gets the room of one that was taken, or of none. */
    private Runnable grantFirst(Optional<Descriptor> victim) {
        Grant grant = granted(line.remove(), victim);
        wanted = !line.isEmpty();
        return () -> dispatch(grant);
    }

    /** Gives room to as many in line as there is room for. */
    private void serve(List<Runnable> after) {
        while (firstInLine().isPresent() && open < limit) {
            open++;
            mostOpen = Math.max(mostOpen, open);
            after.add(grantFirst(Optional.empty()));
        }
    }

    /**
     * Sees to it that each in line is served, however busy all files stay: for each of them one file lets nobody in any
     * more. Those that are being opened or closed come here when they are.
     */
    private void drain(List<Runnable> after) {
        while (draining < line.size() && !clock.isEmpty()) {
            Descriptor next = clock.advance();
            next.shut();
            clock.remove(next);
            if (next.isPinned()) {
                next.phase(Phase.DRAINING);
                draining++;
            } else { // perhaps since the clock's last look, by one who saw nobody in line then
                next.phase(Phase.RETIRING);
                after.add(grantFirst(Optional.of(next)));
            }
        }
    }

    private Optional<Descriptor> claim() {
        Optional<Descriptor> claimed = clock.claim();
        claimed.ifPresent(this::take);
        return claimed;
    }

    private void take(Descriptor claimed) {
        clock.remove(claimed);
        claimed.phase(Phase.RETIRING);
    }

    /** It has a number again, or still: everyone who waits for it is in. */
    private void becomesOpen(Descriptor descriptor, List<Runnable> after) {
        List<Waiting> waiting = descriptor.takeWaiting();
        descriptor.phase(Phase.OPEN);
        changed.signalAll();
        if (descriptor.isClosing()) {
            return;
        }
        descriptor.reopenTo(waiting.size());
        waiting.forEach(one -> after.add(one.waiter()::pinned));
        if (!descriptor.isKept()) {
            clock.add(descriptor);
            drain(after);
        }
    }

    // ------------------------------------------------------------------ what may wait for a disk

    private void refuseEngineThread() {
        if (EngineLoop.isAnyEngineThread()) {
            throw new IllegalStateException("a blocking call on an engine thread would stop all I/O");
        }
    }

    private void dispatch(Grant grant) {
        try {
            files.execute(() -> {
                if (grant.begin()) {
                    carryOut(grant);
                }
            });
        } catch (RejectedExecutionException e) {
            if (grant.begin()) {
                undo(grant);
            }
        }
    }

    /** Closes what has to be closed, and lets the request go on. On a thread that may block; no lock is held. */
    private void carryOut(Grant grant) {
        if (grant.victim().isPresent() && !retire(grant.victim().get())) {
            undo(grant, 0);
            return;
        }
        grant.request().granted();
    }

    /** Nobody closes or opens anything any more. */
    private void undo(Grant grant) {
        int room = grant.victim().isPresent() ? 0 : 1;
        grant.victim().ifPresent(this::spare);
        undo(grant, room);
    }

    private void undo(Grant grant, int room) {
        after(after -> {
            open -= room;
            refuse(grant.request(), Refusal.CLOSED, after);
            serve(after);
        });
    }

    /** It stays as it was. */
    private void spare(Descriptor victim) {
        after(after -> becomesOpen(victim, after));
    }

    /** Closes a descriptor that was taken; false where that could not be, and it is its file's again. */
    private boolean retire(Descriptor victim) {
        if (!victim.retire(engine.syscalls())) {
            spare(victim);
            return false;
        }
        after(after -> {
            evictions++;
            victim.phase(Phase.AWAY);
            changed.signalAll();
            if (!victim.isClosing() && victim.isWaitedFor()) {
                request(victim, after).ifPresent(grant -> after.add(() -> dispatch(grant)));
            }
        });
        return true;
    }

    /** The file of a request has been opened again, or could not be. */
    void reopened(Descriptor descriptor, Reopened outcome) {
        after(after -> {
            if (outcome.refusal().isPresent()) {
                descriptor.phase(Phase.AWAY);
                open--;
                changed.signalAll();
                after.addAll(descriptor.refusals(outcome.refusal().get()));
            } else {
                descriptor.takeOver(outcome);
                reopens++;
                becomesOpen(descriptor, after);
            }
            serve(after);
        });
    }
}
