// SPDX-License-Identifier: Apache-2.0
package dev.millrace.io;

import dev.millrace.io.engine.Errno;
import dev.millrace.io.engine.OpCode;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Puts a stream of byte chunks of any size onto disk: fills owned buffers and writes each full one while the next fills.
 *
 * <p><b>The producer</b> calls {@link #write} with each chunk. It copies as much as there is room for and never blocks;
 * when it says false the producer keeps the rest, stops, and goes on when {@code onReady} is called. At the end it calls
 * {@link #finish}, or {@link #abort} when the source failed for good. One thread at a time; it may change.
 *
 * <p><b>Writes</b> but the first and last are whole buffers at multiples of the buffer size. Under direct I/O a start
 * inside a block begins with a read of that block, and <b>the tail</b> has one policy: padded with zeroes to a whole
 * block, written, and the file cut to its length. Nothing is cut when nothing was padded or reserved beyond the
 * end, and nothing written for an empty stream.
 *
 * <p><b>Bounds.</b> Never more buffers than {@code maxBuffers}, and none that it has no bytes for: a written buffer goes
 * back to the pool unless the producer waits for it, and goes to others when those wait in line, which this loop then
 * joins again, so that all progress.
 *
 * <p>Where the final length is not known, space is reserved in steps ahead of the writes, since writes that extend a file
 * cost ten times the CPU. A step for which there is no space is not an error: what is left may be enough for the rest.
 *
 * <p>Callbacks ({@code onReady}, those of {@link #finish} and {@link #abort}) run on the engine thread or on a thread
 * that gives a buffer back: they must not block.
 */
public final class CopyLoop {
    private static final Logger LOG = LoggerFactory.getLogger(CopyLoop.class);

    /** Space reserved ahead where the length is not known, in bytes. */
    static final long RESERVE_STEP = 64L << 20;
    /** Beyond this, offsets could overflow before a file system refuses them. */
    private static final long FURTHEST = Long.MAX_VALUE - (1L << 40);

    /** Sees each stretch of bytes once, in order, right after it was copied and while it is warm: for checksums. */
    public interface Observer {
        /** {@code length} bytes were copied to {@code at}; called on the producer's thread. */
        void copied(OwnedBuffer buffer, int at, int length);
    }

    private final VirtualFile file;
    private final BufferPool pool;
    private final int maxBuffers;
    private final Observer observer;
    private final Runnable onReady;
    private final Alignment alignment;
    /** What writes end in: the file system's block, where buffers are made of whole ones, else the alignment. */
    private final int block;

    private final ReentrantLock lock = new ReentrantLock();
    private final ArrayDeque<OwnedBuffer> free = new ArrayDeque<>();
    private final ArrayDeque<Write> idleWrites = new ArrayDeque<>();
    private final List<Write> awaitingSpace = new ArrayList<>();
    private int held;
    private int inFlight;
    private int mostHeld;
    private boolean waiting;
    private boolean headPending;
    /** A buffer is on its way; with the place in the pool's line, unless that was passed already. */
    private boolean linePending;

    private Optional<BufferPool.Waiter> inLine = Optional.empty();
    private volatile Optional<IoFailure> failure = Optional.empty();
    private final List<Consumer<Optional<IoFailure>>> atEnd = new ArrayList<>();
    private boolean ending;
    private boolean aborted;
    private boolean ended;
    private boolean over;
    private boolean reserving;
    private boolean partlyReserved;
    private long reservedTo;
    private volatile boolean padded;

    // The producer's.
    private Optional<OwnedBuffer> current = Optional.empty();
    private int filled;
    private int limit;
    private long bufferPosition;
    private long position;

    private CopyLoop(
            VirtualFile file, long start, long reservedTo, int maxBuffers, Observer observer, Runnable onReady) {
        this.file = file;
        this.pool = file.engine().buffers();
        this.maxBuffers = maxBuffers;
        this.observer = observer;
        this.onReady = onReady;
        this.alignment = file.alignment();
        int size = pool.bufferSize();
        int preferred = (int) Math.min(file.roundUpToBlock(1), 1 << 30);
        this.block = size % preferred == 0 ? preferred : alignment.offset();
        if (size % block != 0) {
            throw new IllegalArgumentException("buffers of " + size + " bytes cannot carry direct writes to "
                    + file.path() + ", which come in multiples of " + block);
        }
        position = start;
        bufferPosition = start - start % block;
        filled = (int) (start - bufferPosition);
        // What lies below the start is there already, or is meant to be a hole.
        this.reservedTo = reservedTo == Long.MAX_VALUE ? reservedTo : Math.max(roundUp(reservedTo), bufferPosition);
        limit = limitAt(bufferPosition);
        headPending = filled > 0;
    }

    /**
     * A loop that begins at an offset.
     *
     * @param file open for writing; for reading too where {@code start} is not aligned. Not closed by the loop.
     * @param start offset of the first byte
     * @param reservedTo the length that was given to {@link VirtualFile#reserve}; {@link Long#MAX_VALUE} where the file
     *     cannot reserve, 0 to reserve in steps as the stream grows
     * @param maxBuffers buffers held at most, at least 1; with 2 a write and the next fill overlap
     * @param observer sees each byte once
     * @param onReady called when {@link #write} may go on after it has said false
     */
    public static CopyLoop start(
            VirtualFile file, long start, long reservedTo, int maxBuffers, Observer observer, Runnable onReady) {
        if (start < 0 || start > FURTHEST || maxBuffers < 1 || reservedTo < 0) {
            throw new IllegalArgumentException("start " + start + ", reservedTo " + reservedTo + " and maxBuffers "
                    + maxBuffers + " are out of range");
        }
        return new CopyLoop(file, start, reservedTo, maxBuffers, observer, onReady);
    }

    /** Offset of the next byte: everything below it is written or in a buffer. */
    public long position() {
        return position;
    }

    /** The most buffers that were held at once. */
    public int mostBuffersHeld() {
        return mostHeld;
    }

    private long roundUp(long length) {
        long most = Long.MAX_VALUE - Long.MAX_VALUE % block;
        return length > most - block ? most : (length + block - 1) / block * block;
    }

    private int limitAt(long offset) {
        int size = pool.bufferSize();
        return (int) (size - offset % size);
    }

    // ------------------------------------------------------------------ the producer's side

    /**
     * Copies bytes of a chunk, moving its position.
     *
     * @return true when all of it was taken; false when the producer must wait for {@code onReady}, which may be called
     *     before this method has returned
     * @throws IoFailure when a write has failed; the loop is then to be aborted
     */
    public boolean write(ByteBuffer chunk) throws IoFailure {
        while (chunk.hasRemaining()) {
            if (failure.isPresent()) {
                throw failure.get();
            }
            if (current.isEmpty()) {
                current = takeBuffer();
                if (current.isEmpty()) {
                    if (failure.isPresent()) {
                        throw failure.get();
                    }
                    return false;
                }
            }
            OwnedBuffer buffer = current.get();
            int count = Math.min(chunk.remaining(), limit - filled);
            buffer.put(filled, chunk, count);
            observer.copied(buffer, filled, count);
            filled += count;
            position += count;
            if (filled == limit) {
                submitCurrent(filled);
            }
        }
        return true;
    }

    /** A free buffer; or nothing, and then {@code onReady} will be called when there is one. */
    private Optional<OwnedBuffer> takeBuffer() {
        OwnedBuffer found;
        boolean join = false;
        lock.lock();
        try {
            found = free.poll();
            if (found == null && held < maxBuffers) {
                Optional<OwnedBuffer> more = pool.tryAcquire();
                if (more.isPresent()) {
                    found = more.get();
                    held++;
                    mostHeld = Math.max(mostHeld, held);
                } else if (held == 0) {
                    join = true;
                    linePending = true;
                    held++;
                    mostHeld = Math.max(mostHeld, held);
                }
            }
            if (found == null) {
                waiting = true;
            }
        } finally {
            lock.unlock();
        }
        if (join) {
            BufferPool.Waiter waiter = pool.acquireThen(this::bufferArrived);
            lock.lock();
            try {
                inLine = linePending ? Optional.of(waiter) : Optional.empty();
                found = free.poll();
                waiting = found == null && linePending;
            } finally {
                lock.unlock();
            }
        }
        if (found != null && headPending) {
            readHead(found);
            return Optional.empty();
        }
        return Optional.ofNullable(found);
    }

    private void bufferArrived(Optional<OwnedBuffer> arrived) {
        boolean refused;
        lock.lock();
        try {
            refused = aborted;
        } finally {
            lock.unlock();
        }
        if (refused) {
            arrived.ifPresent(OwnedBuffer::close);
        }
        boolean ready;
        lock.lock();
        try {
            inLine = Optional.empty();
            if (arrived.isEmpty()) {
                fail(file.engine().closedException("write", file.path()));
            }
            if (arrived.isPresent() && !refused) {
                // An abort since the first look finds it among the free ones.
                free.add(arrived.get());
            } else {
                held--;
            }
            linePending = false;
            ready = waiting;
            waiting = false;
        } finally {
            lock.unlock();
        }
        if (ready) {
            tell(onReady);
        }
        endIfIdle();
    }

    /** Calls the user's code; what that throws must not stop the loop, nor whoever gave a buffer back. */
    private static void tell(Runnable callback) {
        try {
            callback.run();
        } catch (RuntimeException | Error e) {
            LOG.error("A callback of a copy loop threw; the loop goes on", e);
        }
    }

    /** Brings the bytes before an unaligned start into the first buffer, since a direct write replaces whole blocks. */
    private void readHead(OwnedBuffer buffer) {
        buffer.fill(0, filled, (byte) 0);
        lock.lock();
        try {
            headPending = false;
            waiting = true;
            inFlight++;
        } finally {
            lock.unlock();
        }
        PinnedTransfer head = new PinnedTransfer(file) {
            @Override
            void done(OwnedBuffer owned, int moved, int error) {
                bufferDone(
                        owned,
                        error == 0 ? Optional.empty() : Optional.of(CopyLoop.this.failed("read", error, bufferPosition)),
                        false);
            }

            @Override
            void failed(OwnedBuffer owned, IoFailure why) {
                bufferDone(owned, Optional.of(why), false);
            }
        };
        head.start(false, buffer, 0, (int) roundUp(filled), bufferPosition);
    }

    private void submitCurrent(int length) {
        OwnedBuffer buffer = current.orElseThrow();
        current = Optional.empty();
        Write write;
        boolean reserveFirst;
        boolean startReserve = false;
        lock.lock();
        try {
            inFlight++;
            write = Optional.ofNullable(idleWrites.poll()).orElseGet(Write::new);
            write.buffer = buffer;
            write.size = length;
            write.at = bufferPosition;
            bufferPosition += length;
            filled = 0;
            limit = limitAt(bufferPosition);
            reserveFirst = bufferPosition > reservedTo;
            if (reserveFirst) {
                awaitingSpace.add(write);
                startReserve = !reserving;
                reserving = true;
            }
        } finally {
            lock.unlock();
        }
        if (!reserveFirst) {
            write.go();
        } else if (startReserve) {
            new Reserve(reservedTo).go();
        }
    }

    /**
     * The stream is whole: writes the tail, waits for all writes, cuts the file where it is longer.
     *
     * @param then told nothing, or the failure, when the kernel has let go of every buffer and all are back in the pool;
     *     once
     */
    public void finish(Consumer<Optional<IoFailure>> then) {
        // The tail goes first: once the end is announced, whoever completes the last write ends the loop.
        if (current.isPresent() && filled > 0 && failure.isEmpty() && !isEnding()) {
            int whole = (int) roundUp(filled);
            if (whole > filled) {
                current.get().fill(filled, whole - filled, (byte) 0);
                padded = true;
            }
            submitCurrent(whole);
        }
        atEnd(then, false);
    }

    private boolean isEnding() {
        lock.lock();
        try {
            return ending;
        } finally {
            lock.unlock();
        }
    }

    /**
     * Gives up: what was not written is dropped. {@code then} is told once, when all buffers are back in the pool, also
     * when that was so before the call; one who waits for {@link #finish} is told that it was cancelled.
     */
    public void abort(Runnable then) {
        atEnd(ignored -> then.run(), true);
    }

    private void atEnd(Consumer<Optional<IoFailure>> then, boolean abort) {
        boolean now;
        lock.lock();
        try {
            now = over;
            if (!now) {
                atEnd.add(then);
            }
            ending = true;
            aborted |= abort;
            waiting &= !abort;
            if (abort && inLine.filter(BufferPool.Waiter::cancel).isPresent()) {
                inLine = Optional.empty();
                linePending = false;
                held--;
            }
        } finally {
            lock.unlock();
        }
        if (now) {
            tell(() -> then.accept(outcome()));
        } else {
            endIfIdle();
        }
    }

    // ------------------------------------------------------------------ completions

    /** A write of one buffer; reused, so that a steady stream allocates nothing. */
    private final class Write extends PinnedTransfer {
        private OwnedBuffer buffer;
        private int size;
        private long at;

        Write() {
            super(file);
        }

        void go() {
            start(true, buffer, 0, size, at);
        }

        @Override
        void done(OwnedBuffer owned, int moved, int error) {
            over(
                    owned,
                    error == 0
                            ? Optional.empty()
                            : Optional.of(file.engine().failure("write", file.path(), error, at + moved, moved, true)));
        }

        @Override
        void failed(OwnedBuffer owned, IoFailure why) {
            over(owned, Optional.of(why));
        }

        void drop() {
            over(buffer, Optional.empty());
        }

        private void over(OwnedBuffer owned, Optional<IoFailure> problem) {
            lock.lock();
            try {
                idleWrites.add(this);
            } finally {
                lock.unlock();
            }
            bufferDone(owned, problem, true);
        }
    }

    private IoFailure failed(String operation, int error, long at) {
        return file.engine().failure(operation, file.path(), error, at, true);
    }

    private void fail(IoFailure problem) {
        if (failure.isEmpty()) {
            failure = Optional.of(problem);
        }
    }

    private void bufferDone(OwnedBuffer buffer, Optional<IoFailure> problem, boolean mayGiveAway) {
        boolean ready;
        boolean giveAway;
        boolean wanted = mayGiveAway && pool.isWantedByOthers();
        lock.lock();
        try {
            problem.ifPresent(this::fail);
            // Kept only for a producer that waits for it: an idle buffer may be what another loop waits for.
            giveAway = wanted || ending || (mayGiveAway && !waiting);
        } finally {
            lock.unlock();
        }
        if (giveAway) {
            buffer.close();
        }
        // Only now: who sees nothing in flight may say that all buffers are back.
        lock.lock();
        try {
            inFlight--;
            if (giveAway) {
                held--;
            } else {
                free.add(buffer);
            }
            ready = waiting;
            waiting = false;
        } finally {
            lock.unlock();
        }
        if (ready) {
            tell(onReady);
        }
        endIfIdle();
    }

    /** Reserves the next step; the writes that wait for it go on whatever comes of it. */
    private final class Reserve extends FileOperation {
        private final long from;

        Reserve(long from) {
            super(file);
            this.from = from;
        }

        void go() {
            reset(OpCode.FALLOCATE);
            offset = from;
            extra = RESERVE_STEP;
            begin("write");
        }

        @Override
        public void refused(IoFailure why) {
            done(Long.MAX_VALUE, false); // the writes find out
        }

        @Override
        void ended(int result) {
            // Full: the writes find out whether what is left is enough. Never asked again in either case.
            boolean full = result == -Errno.ENOSPC || result == -Errno.EDQUOT || result == -Errno.EFBIG;
            done(result < 0 ? Long.MAX_VALUE : from + RESERVE_STEP, full);
        }

        private void done(long reached, boolean partly) {
            List<Write> go = new ArrayList<>();
            long next = -1;
            boolean drop;
            lock.lock();
            try {
                reservedTo = reached;
                partlyReserved |= partly;
                drop = aborted || failure.isPresent();
                List<Write> rest = new ArrayList<>();
                for (Write write : awaitingSpace) {
                    (write.at + write.size <= reservedTo ? go : rest).add(write);
                }
                awaitingSpace.clear();
                awaitingSpace.addAll(rest);
                reserving = !rest.isEmpty();
                next = reserving ? reservedTo : -1;
            } finally {
                lock.unlock();
            }
            for (Write write : go) {
                if (drop) {
                    write.drop();
                } else {
                    write.go();
                }
            }
            if (next >= 0) {
                new Reserve(next).go();
            }
        }
    }

    // ------------------------------------------------------------------ the end

    private void endIfIdle() {
        List<OwnedBuffer> rest;
        boolean mustCut;
        lock.lock();
        try {
            if (ended || !ending || inFlight > 0 || linePending) {
                return;
            }
            ended = true;
            rest = new ArrayList<>(free);
            free.clear();
            current.ifPresent(rest::add);
            current = Optional.empty();
            held = 0;
            boolean reservedBeyond = reservedTo != Long.MAX_VALUE && reservedTo > position;
            mustCut = (padded || partlyReserved || reservedBeyond) && !aborted && failure.isEmpty();
        } finally {
            lock.unlock();
        }
        rest.forEach(OwnedBuffer::close);
        if (mustCut) {
            new Cut().go();
        } else {
            tellEnd();
        }
    }

    private Optional<IoFailure> outcome() {
        lock.lock();
        try {
            return aborted && failure.isEmpty()
                    ? Optional.of(new OperationCancelledException("write", file.path()))
                    : failure;
        } finally {
            lock.unlock();
        }
    }

    private void tellEnd() {
        List<Consumer<Optional<IoFailure>>> told;
        lock.lock();
        try {
            over = true;
            told = List.copyOf(atEnd);
            atEnd.clear();
        } finally {
            lock.unlock();
        }
        Optional<IoFailure> outcome = outcome();
        told.forEach(then -> tell(() -> then.accept(outcome)));
    }

    private final class Cut extends FileOperation {
        Cut() {
            super(file);
        }

        void go() {
            reset(OpCode.FTRUNCATE);
            offset = CopyLoop.this.position;
            begin("write");
        }

        @Override
        public void refused(IoFailure why) {
            fail(why);
            tellEnd();
        }

        @Override
        void ended(int result) {
            if (result < 0) {
                fail(failed("ftruncate", -result, offset));
            }
            tellEnd();
        }
    }
}
