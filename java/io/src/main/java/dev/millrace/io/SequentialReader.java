// SPDX-License-Identifier: Apache-2.0
package dev.millrace.io;

import dev.millrace.io.engine.EngineLoop;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Reads a range of a file from front to back and ahead of its consumer: for files under direct I/O, of which the kernel
 * reads nothing ahead.
 *
 * <p><b>Bounds.</b> At most {@code buffers} buffers of the engine's pool are being read into or wait to be taken. Each
 * that {@link #next} hands out is the consumer's until it closes it, and comes on top: a consumer that keeps buffers, or
 * several readers taken from in turn by one thread, need a pool that has enough for all, for a reader waits in line for
 * a buffer like everyone else.
 *
 * <p><b>Order.</b> Buffers come in the file's order. A failed read is thrown where its bytes would have come, and again at
 * each later call; what lies beyond it is not handed out. The first read that comes back short is the end of the file.
 *
 * <p>One consumer at a time; {@link #close} from any thread. The file is not closed, and is to be closed later.
 */
public final class SequentialReader implements AutoCloseable {
    private final VirtualFile file;
    private final BufferPool pool;
    private final long end;
    private final int most;

    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();
    private final ArrayDeque<Piece> pieces = new ArrayDeque<>();
    private long nextRead;
    /** A buffer is on its way; with the place in the pool's line, unless that was passed already. */
    private boolean linePending;

    private Optional<BufferPool.Waiter> inLine = Optional.empty();
    private int inFlight;
    private int mostHeld;
    /** No further read is begun: one has failed or met the end. */
    private boolean ended;
    /** Nothing is handed out any more. */
    private boolean over;

    private boolean closed;

    private static final class Piece {
        private final WidenedRead read;
        private final Optional<OwnedBuffer> buffer;
        private Optional<Throwable> failure = Optional.empty();
        private int useful;
        private boolean done;

        Piece(WidenedRead read, Optional<OwnedBuffer> buffer) {
            this.read = read;
            this.buffer = buffer;
        }
    }

    private SequentialReader(VirtualFile file, long from, long to, int buffers) {
        this.file = file;
        this.pool = file.engine().buffers();
        this.nextRead = from;
        this.end = to;
        this.most = buffers;
    }

    /**
     * Begins to read.
     *
     * @param file open for reading
     * @param from offset of the first byte, aligned or not
     * @param to offset behind the last one; {@link Long#MAX_VALUE} reads to the end of the file
     * @param buffers read ahead at most, at least 1; as many reads are in flight while the consumer is slower
     */
    public static SequentialReader start(VirtualFile file, long from, long to, int buffers) {
        if (from < 0 || to < from || buffers < 1) {
            throw new IllegalArgumentException("bytes " + from + " to " + to + " of " + file.path() + " with " + buffers
                    + " buffers cannot be read");
        }
        SequentialReader reader = new SequentialReader(file, from, to, buffers);
        reader.fill();
        return reader;
    }

    /**
     * The next bytes, or nothing at the end of the range or file. Waits for them; parks a virtual thread.
     *
     * @return a stretch of a buffer that is now the caller's, to be closed by it
     * @throws IoFailure where the read of these bytes failed
     * @throws IllegalStateException after {@link #close}, and on an engine thread
     */
    public Optional<BufferSlice> next() throws IoFailure {
        if (EngineLoop.isAnyEngineThread()) {
            throw new IllegalStateException("an engine thread must not wait for a read");
        }
        Optional<BufferSlice> slice = Optional.empty();
        List<OwnedBuffer> dropped = List.of();
        lock.lock();
        try {
            while (!closed && !over && (pieces.isEmpty() ? !ended && nextRead < end : !pieces.peek().done)) {
                changed.awaitUninterruptibly();
            }
            if (closed) {
                throw new IllegalStateException("this reader of " + file.path() + " is closed");
            }
            if (over || pieces.isEmpty()) {
                return Optional.empty();
            }
            Piece first = pieces.peek();
            if (first.failure.isPresent()) {
                throw thrown(first.failure.get());
            }
            if (first.useful > 0) {
                slice = first.buffer.map(buffer -> new BufferSlice(buffer, first.read.skip(), first.useful));
                pieces.poll();
            }
            if (first.useful < first.read.wanted()) {
                dropped = dropAll();
            }
        } finally {
            lock.unlock();
        }
        dropped.forEach(OwnedBuffer::close);
        fill();
        return slice;
    }

    private static IoFailure thrown(Throwable failure) {
        if (failure instanceof IoFailure known) {
            return known;
        }
        throw new IllegalStateException("a read could not be begun", failure);
    }

    /** Buffers that wait to be taken; those being read into follow when their reads are complete. */
    private List<OwnedBuffer> dropAll() {
        over = true;
        ended = true;
        List<OwnedBuffer> dropped = new ArrayList<>();
        for (Piece piece : pieces) {
            if (piece.done && piece.failure.isEmpty()) {
                piece.buffer.ifPresent(dropped::add);
            }
        }
        pieces.clear();
        return dropped;
    }

    /** Reads in flight now. */
    public int readsInFlight() {
        lock.lock();
        try {
            return inFlight;
        } finally {
            lock.unlock();
        }
    }

    /** The most buffers that were read into or waited to be taken at once. */
    public int mostBuffersHeld() {
        lock.lock();
        try {
            return mostHeld;
        } finally {
            lock.unlock();
        }
    }

    // ------------------------------------------------------------------ reading ahead

    private boolean joinLine() {
        lock.lock();
        try {
            if (ended || linePending || pieces.size() >= most || nextRead >= end) {
                return false;
            }
            linePending = true;
            return true;
        } finally {
            lock.unlock();
        }
    }

    /** Asks for buffers as long as they come at once; when one comes later, that call goes on. */
    private void fill() {
        while (joinLine()) {
            BufferPool.Waiter waiter = pool.acquireThen(this::acquired);
            boolean leave = false;
            lock.lock();
            try {
                if (linePending) {
                    inLine = Optional.of(waiter);
                    leave = closed;
                }
            } finally {
                lock.unlock();
            }
            if (leave) {
                leaveLine(waiter);
            }
        }
    }

    private void leaveLine(BufferPool.Waiter waiter) {
        if (waiter.cancel()) {
            lock.lock();
            try {
                linePending = false;
                changed.signalAll();
            } finally {
                lock.unlock();
            }
        }
    }

    /** On a thread that gives a buffer back, which may be the engine's. */
    private void acquired(Optional<OwnedBuffer> buffer) {
        Optional<Piece> begun = Optional.empty();
        boolean late;
        lock.lock();
        try {
            late = inLine.isPresent();
            linePending = false;
            inLine = Optional.empty();
            if (!ended) {
                Piece piece = new Piece(
                        WidenedRead.of(nextRead, end - nextRead, pool.bufferSize(), file.alignment()), buffer);
                pieces.add(piece);
                if (buffer.isPresent()) {
                    nextRead += piece.read.wanted();
                    inFlight++;
                    mostHeld = Math.max(mostHeld, pieces.size());
                    begun = Optional.of(piece);
                } else {
                    piece.failure = Optional.of(file.engine().closedException("read", file.path()));
                    piece.done = true;
                    ended = true;
                }
            }
            changed.signalAll();
        } finally {
            lock.unlock();
        }
        if (begun.isPresent()) {
            begin(begun.get(), buffer.orElseThrow());
        } else {
            buffer.ifPresent(OwnedBuffer::close);
        }
        if (late) {
            fill();
        }
    }

    private void begin(Piece piece, OwnedBuffer buffer) {
        try {
            file.readAsync(buffer, 0, piece.read.length(), piece.read.start())
                    .whenComplete((result, failure) ->
                            completed(piece, buffer, Optional.ofNullable(result), Optional.ofNullable(failure)));
        } catch (RuntimeException e) {
            completed(piece, buffer, Optional.empty(), Optional.of(e));
        }
    }

    private void completed(Piece piece, OwnedBuffer buffer, Optional<IoResult> result, Optional<Throwable> failure) {
        boolean unwanted;
        lock.lock();
        try {
            piece.useful = result.map(moved -> piece.read.useful(moved.bytes())).orElse(0);
            piece.failure = failure;
            piece.done = true;
            ended |= piece.useful < piece.read.wanted();
            unwanted = over || failure.isPresent();
        } finally {
            lock.unlock();
        }
        if (unwanted) {
            buffer.close();
        }
        lock.lock();
        try {
            inFlight--; // last: who waits for it finds the buffer given back
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    /** Stops, waits for the reads in flight, gives back all buffers that were not handed out. Idempotent. */
    @Override
    public void close() {
        if (EngineLoop.isAnyEngineThread()) {
            throw new IllegalStateException("a reader cannot be closed on an engine thread: it would wait for itself");
        }
        List<OwnedBuffer> dropped;
        Optional<BufferPool.Waiter> waiter;
        lock.lock();
        try {
            closed = true;
            dropped = dropAll();
            waiter = inLine;
            changed.signalAll();
        } finally {
            lock.unlock();
        }
        dropped.forEach(OwnedBuffer::close);
        waiter.ifPresent(this::leaveLine);
        lock.lock();
        try {
            while (inFlight > 0 || linePending) {
                changed.awaitUninterruptibly();
            }
        } finally {
            lock.unlock();
        }
    }
}
