// SPDX-License-Identifier: Apache-2.0
package dev.millrace.io;

import java.lang.ref.Cleaner;
import java.lang.ref.Reference;
import java.nio.ByteBuffer;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import java.util.zip.Checksum;

/**
 * Memory for I/O, aligned to at least 4096 bytes, from a {@link BufferPool}; registered with the kernel where the engine
 * could. It has one owner at a time:
 *
 * <ul>
 *   <li>whoever acquired it owns it and may touch it;
 *   <li>handing it to an operation gives it away: until the operation completes, each access throws
 *       {@link IllegalStateException}, for the kernel may be writing to it;
 *   <li>the operation's completion gives it back, in success, failure and cancellation alike, before the caller's future
 *       completes;
 *   <li>{@link #close} gives it to the pool. Closing it while it is in flight is allowed and means "when the kernel is
 *       done": the pool never hands out memory that an operation still holds.
 * </ul>
 *
 * <p>(Each access ends in a reachability fence: else a lease whose last use this is could be collected, and its memory
 * given to someone else, while the access goes on.)
 *
 * <p>One lease is used by one thread at a time; the hand-over to and from the engine is safe. A lease that is dropped
 * without close is found by a {@link Cleaner}, reported, and given back: a safety net, not a way of working.
 */
public final class OwnedBuffer implements AutoCloseable {
    private static final int OWNED = 0;
    private static final int VIEWED = 1;
    private static final int IN_FLIGHT = 2;
    private static final int CLOSE_AFTER_FLIGHT = 3;
    private static final int CLOSED = 4;

    private final BufferPool.Piece piece;
    private final Lease lease;
    private final Cleaner.Cleanable safetyNet;

    OwnedBuffer(BufferPool pool, BufferPool.Piece piece, Cleaner cleaner) {
        this.piece = piece;
        this.lease = new Lease(pool, piece);
        this.safetyNet = cleaner.register(this, lease);
    }

    /** Size in bytes. */
    public int capacity() {
        return piece.memory().capacity();
    }

    /** True where every ring that runs now knows the buffer, so that its I/O needs no page pinning. */
    public boolean isRegistered() {
        return lease.pool.isRegistered(piece);
    }

    /** True while the holder may touch it. */
    public boolean isOwned() {
        return lease.state.get() == OWNED;
    }

    /**
     * Copies all remaining bytes of {@code source} into this buffer.
     *
     * @param at where to, from the start of this buffer
     */
    public void put(int at, ByteBuffer source) {
        put(at, source, source.remaining());
    }

    /** Copies {@code length} bytes of {@code source}, moving its position. */
    void put(int at, ByteBuffer source, int length) {
        try {
            owned().put(at, source, source.position(), length);
        } finally {
            Reference.reachabilityFence(this);
        }
        source.position(source.position() + length);
    }

    /** Copies bytes of an array into this buffer. */
    public void put(int at, byte[] source, int from, int length) {
        try {
            owned().put(at, source, from, length);
        } finally {
            Reference.reachabilityFence(this);
        }
    }

    /** Copies bytes of this buffer into an array. */
    public void get(int at, byte[] target, int to, int length) {
        try {
            owned().get(at, target, to, length);
        } finally {
            Reference.reachabilityFence(this);
        }
    }

    /** One byte. */
    public byte get(int at) {
        try {
            return owned().get(at);
        } finally {
            Reference.reachabilityFence(this);
        }
    }

    /** Fills {@code target} up to its limit from this buffer. */
    public void get(int at, ByteBuffer target) {
        int length = target.remaining();
        try {
            target.put(target.position(), owned(), at, length);
        } finally {
            Reference.reachabilityFence(this);
        }
        target.position(target.limit());
    }

    /** Sets bytes to one value. */
    public void fill(int at, int length, byte value) {
        try {
            ByteBuffer memory = owned();
            for (int i = 0; i < length; i++) {
                memory.put(at + i, value);
            }
        } finally {
            Reference.reachabilityFence(this);
        }
    }

    /** Continues a checksum over bytes of this buffer. */
    public void update(Checksum checksum, int at, int length) {
        try {
            checksum.update(owned().slice(at, length));
        } finally {
            Reference.reachabilityFence(this);
        }
    }

    /** Continues a CRC-64/NVME over bytes of this buffer; seed 0 begins, the result is the seed of the next call. */
    public long crc64Nvme(long seed, int at, int length) {
        ByteBuffer memory = owned();
        if (at < 0 || length < 0 || length > memory.capacity() - at) {
            throw new IndexOutOfBoundsException(length + " bytes from " + at + " of a buffer of " + memory.capacity());
        }
        try {
            return lease.pool.crc64Nvme(piece, seed, at, length);
        } finally {
            Reference.reachabilityFence(this);
        }
    }

    /**
     * Lends the memory as a buffer (native byte order, position 0, limit capacity) for the time of one call. Within it
     * this buffer cannot be handed over or closed. A view kept beyond the call stays safe to touch but shows whatever
     * the memory is used for next.
     */
    public <T> T withMemory(Function<ByteBuffer, T> body) {
        if (!lease.state.compareAndSet(OWNED, VIEWED)) {
            throw notOwned();
        }
        try {
            ByteBuffer memory = piece.memory();
            return body.apply(memory.duplicate().order(memory.order()));
        } finally {
            lease.state.set(OWNED);
            Reference.reachabilityFence(this);
        }
    }

    /** Gives the memory back to the pool, now or when the operation that holds it is complete. Idempotent. */
    @Override
    public void close() {
        while (true) {
            int state = lease.state.get();
            switch (state) {
                case OWNED -> {
                    if (lease.state.compareAndSet(OWNED, CLOSED)) {
                        safetyNet.clean();
                        return;
                    }
                }
                case IN_FLIGHT -> {
                    if (lease.state.compareAndSet(IN_FLIGHT, CLOSE_AFTER_FLIGHT)) {
                        return;
                    }
                }
                case VIEWED -> throw new IllegalStateException("a buffer cannot be closed inside withMemory");
                default -> {
                    return;
                }
            }
        }
    }

    // ------------------------------------------------------------------ hand-over, for operations

    BufferPool.Piece piece() {
        return piece;
    }

    BufferPool pool() {
        return lease.pool;
    }

    /** Gives the buffer to an operation. */
    void handOver() {
        if (!lease.state.compareAndSet(OWNED, IN_FLIGHT)) {
            throw notOwned();
        }
    }

    /** Gives the buffer back to its holder, or to the pool where the holder has closed it meanwhile. */
    void giveBack() {
        if (!lease.state.compareAndSet(IN_FLIGHT, OWNED)) {
            if (lease.state.compareAndSet(CLOSE_AFTER_FLIGHT, CLOSED)) {
                safetyNet.clean();
            } else {
                throw new IllegalStateException("a buffer came back that was not in flight");
            }
        }
    }

    private ByteBuffer owned() {
        if (lease.state.get() != OWNED) {
            throw notOwned();
        }
        return piece.memory();
    }

    private IllegalStateException notOwned() {
        return new IllegalStateException(
                switch (lease.state.get()) {
                    case IN_FLIGHT, CLOSE_AFTER_FLIGHT ->
                        "the buffer belongs to an operation in flight until that completes";
                    case VIEWED -> "the buffer is lent out by withMemory";
                    default -> "the buffer is closed";
                });
    }

    /** What must be given back, apart from the object so that the cleaner does not keep it alive. */
    private static final class Lease implements Runnable {
        private final BufferPool pool;
        private final BufferPool.Piece piece;
        private final AtomicInteger state = new AtomicInteger(OWNED);

        Lease(BufferPool pool, BufferPool.Piece piece) {
            this.pool = pool;
            this.piece = piece;
        }

        /** Once: by close, or by the collector for a lease that was dropped (operations in flight hold theirs). */
        @Override
        public void run() {
            if (state.getAndSet(CLOSED) != CLOSED) {
                pool.reportDropped();
            }
            pool.giveBack(piece);
        }
    }

    /** For tests. */
    @Override
    public String toString() {
        return "OwnedBuffer[" + capacity() + " bytes, "
                + (isOwned() ? "owned" : notOwned().getMessage()) + "]";
    }
}
