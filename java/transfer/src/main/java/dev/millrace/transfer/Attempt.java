// SPDX-License-Identifier: Apache-2.0
package dev.millrace.transfer;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.LongSupplier;

/**
 * One GET of a download: brings its chunks to the sink on the very thread that brought them, keeps the few that the sink
 * has no room for, and says once how it ended.
 *
 * <p><b>Threads.</b> Chunks come on a thread of the source, room on the engine thread, cuts on the timer's or anyone's.
 * Whoever comes while another is at work leaves word ({@code visitors}) and goes: nobody waits, above all not the engine
 * thread, for whose queue the other may be waiting. So at any time at most one thread is inside the sink.
 */
final class Attempt implements FetchListener {
    /** Chunks under way or un-taken at most; what is un-taken costs memory outside the pool. */
    static final int CHUNKS = 8;

    private static final int TOP_UP = 4;

    /** Hears how it goes. */
    interface Owner {
        /**
         * The head is here; to be followed, on any thread, by one of {@link #go}, {@link #refuse} and {@link #cutLocal}.
         * On the source's thread, must not block.
         */
        void answered(Attempt attempt, ObjectHead head);

        /** More bytes are kept. */
        void kept(long position);

        /** It is over; no byte comes any more. Must not block. */
        void over(Attempt attempt, Outcome outcome);
    }

    /** How an attempt ended. */
    enum Ending {
        /** The body is complete by its own framing, or all that was wanted of it is here. */
        COMPLETE,
        /** The source failed. */
        SOURCE,
        /** The sink failed. */
        LOCAL,
        /** It was cut: stalled, not what was asked for, or no longer wanted. */
        CUT
    }

    /** An ending with its cause. */
    record Outcome(Ending ending, Optional<IOException> cause) {}

    /** Sends the request whose answer is told to the listener. */
    interface Sender {
        Fetch send(FetchListener listener);
    }

    private final String what;
    private final Sender sender;
    private final Owner owner;
    private final LongSupplier clock;
    private final AtomicInteger visitors = new AtomicInteger();
    private final ConcurrentLinkedQueue<ByteBuffer> untaken = new ConcurrentLinkedQueue<>();

    private volatile Optional<Fetch> fetch = Optional.empty();
    private volatile Optional<Outcome> terminal = Optional.empty();
    private final AtomicReference<Optional<Outcome>> cut = new AtomicReference<>(Optional.empty());
    private final AtomicBoolean asked = new AtomicBoolean();
    private volatile boolean headSeen;
    private volatile boolean judging;
    private volatile boolean going;
    private volatile boolean full;
    private volatile boolean over;
    private volatile long arrived;
    private long began;

    // Of whoever is inside.
    private Optional<Sink> sink = Optional.empty();
    private long skip;
    private long left = Long.MAX_VALUE;
    private int consumed;

    // The watchdog's.
    private long lastArrived;
    private final long[] window = new long[Watchdog.SLICES];
    private int slices;

    Attempt(String what, Sender sender, Owner owner, LongSupplier clock) {
        this.what = what;
        this.sender = sender;
        this.owner = owner;
        this.clock = clock;
    }

    /** Sends the request. Once. */
    void start() {
        began = clock.getAsLong();
        try {
            Fetch started = sender.send(this);
            fetch = Optional.of(started);
            if (isCut()) {
                cancel(started);
            } else if (going) {
                ask(started); // the head came before the handle did
            }
        } catch (RuntimeException | Error e) {
            defect(e);
        }
    }

    private void ask(Fetch handle) {
        if (asked.compareAndSet(false, true)) {
            handle.request(CHUNKS);
        }
    }

    /** True where the store has answered. */
    boolean headSeen() {
        return headSeen;
    }

    /**
     * The answer is right and the sink ready.
     *
     * @param to where the bytes go; nobody else puts bytes there until it is over
     * @param skipped bytes of the body to pass over
     * @param take bytes wanted after those; empty for all
     */
    void go(Sink to, long skipped, OptionalLong take) {
        sink = Optional.of(to);
        skip = skipped;
        left = take.orElse(Long.MAX_VALUE);
        going = true;
        fetch.ifPresent(this::ask);
        judged();
    }

    /** The answer is not one to the question: {@link Owner#over} says CUT with this cause. */
    void refuse(IOException cause) {
        cut(cause);
        judged();
    }

    private void judged() {
        judging = false;
        visit();
    }

    /** Ends it. {@link Owner#over} says CUT with this cause, unless it is over already. Any thread. */
    void cut(IOException cause) {
        cut(new Outcome(Ending.CUT, Optional.of(cause)));
    }

    /** Ends it, since the sink cannot take what comes. Any thread. */
    void cutLocal(IOException cause) {
        cut(new Outcome(Ending.LOCAL, Optional.of(cause)));
        judged();
    }

    private void cut(Outcome outcome) {
        cut.compareAndSet(Optional.empty(), Optional.of(outcome));
        fetch.ifPresent(this::cancel);
    }

    private void cancel(Fetch handle) {
        try {
            handle.cancel();
        } catch (RuntimeException | Error e) {
            broke(LocalFailures.defect(what, e)); // the source need not say any more that it has ended
        }
    }

    /**
     * Ends it, since something threw that nobody foresaw; whoever waits for it is not to wait for ever. Any thread, also one
     * that is inside.
     */
    private void defect(Throwable e) {
        IOException cause = LocalFailures.defect(what, e);
        cut(new Outcome(Ending.LOCAL, Optional.of(cause)));
        if (fetch.isEmpty()) {
            broke(cause); // nobody is there who would
        } else {
            visit();
        }
    }

    private boolean isCut() {
        return cut.get().isPresent();
    }

    /** The sink has room again. Any thread, also one that is inside. */
    void ready() {
        full = false;
        visit();
    }

    // ------------------------------------------------------------------ what the source says

    @Override
    public void head(ObjectHead head) {
        if (over) {
            return; // of a source that could not be cancelled
        }
        judging = true;
        headSeen = true;
        try {
            owner.answered(this, head);
        } catch (RuntimeException | Error e) {
            judging = false;
            defect(e);
        }
    }

    @Override
    public void chunk(ByteBuffer bytes) {
        long before = arrived; // only ever written here, by one thread at a time
        arrived = before + bytes.remaining();
        untaken.add(bytes);
        visit();
    }

    @Override
    public void end() {
        terminal = Optional.of(new Outcome(Ending.COMPLETE, Optional.empty()));
        visit();
    }

    @Override
    public void failed(SourceFailure failure) {
        broke(failure);
    }

    /** {@link #failed} with any cause. */
    void broke(IOException failure) {
        terminal = Optional.of(new Outcome(Ending.SOURCE, Optional.of(failure)));
        visit();
    }

    // ------------------------------------------------------------------ one at a time

    private void visit() {
        if (visitors.getAndIncrement() != 0) {
            return;
        }
        int seen = 1;
        do {
            try {
                work();
            } catch (RuntimeException | Error e) {
                defect(e);
            }
            seen = visitors.addAndGet(-seen);
        } while (seen != 0);
    }

    private void work() {
        if (over) {
            untaken.clear();
            return;
        }
        takeAll();
        // Not while the owner still judges the answer: over would come before what it does then.
        if (terminal.isPresent() && untaken.isEmpty() && !judging) {
            over = true;
            owner.over(this, cut.get().or(() -> terminal).orElseThrow());
        }
    }

    private void takeAll() {
        ByteBuffer next = untaken.peek();
        while (next != null && !isCut()) {
            if (!take(next)) {
                break;
            }
            untaken.poll();
            consumed++;
            next = untaken.peek();
        }
        if (isCut()) {
            untaken.clear();
        } else if (consumed >= TOP_UP && terminal.isEmpty()) {
            int more = consumed;
            consumed = 0;
            fetch.ifPresent(handle -> handle.request(more));
        }
    }

    /** True when nothing is left of the chunk. */
    private boolean take(ByteBuffer chunk) {
        if (skip > 0) {
            int passed = (int) Math.min(skip, chunk.remaining());
            chunk.position(chunk.position() + passed);
            skip -= passed;
        }
        if (!chunk.hasRemaining()) {
            return true;
        }
        if (left == 0) {
            // All that was wanted is here, and the rest of the answer is not waited for.
            cut(new Outcome(Ending.COMPLETE, Optional.empty()));
            return false;
        }
        if (chunk.remaining() > left) {
            chunk.limit(chunk.position() + (int) left);
        }
        int before = chunk.remaining();
        Sink to = sink.orElseThrow();
        boolean all;
        try {
            full = true;
            all = to.write(chunk);
        } catch (IOException e) {
            cutLocal(e);
            return false;
        }
        left -= before - chunk.remaining();
        if (all) {
            full = false;
            owner.kept(to.position());
        }
        return all;
    }

    // ------------------------------------------------------------------ is it alive?

    /** Called by the watchdog, one thread, once a slice of the window. */
    void tick(long now, long firstByteNanos, long leastBytesInWindow, String windowText) {
        if (over || isCut()) {
            return;
        }
        if (!headSeen) {
            if (now - began > firstByteNanos) {
                cut(new StalledException("no answer came within " + firstByteNanos / 1_000_000 + " ms"));
            }
            return;
        }
        long soFar = arrived;
        if (!going || full) {
            lastArrived = soFar;
            return; // our own side is the slow one now
        }
        window[slices % window.length] = soFar - lastArrived;
        lastArrived = soFar;
        slices++;
        if (slices >= window.length) {
            long sum = 0;
            for (long bytes : window) {
                sum += bytes;
            }
            if (sum < leastBytesInWindow) {
                cut(new StalledException("only " + sum + " bytes came in " + windowText));
            }
        }
    }
}
