// SPDX-License-Identifier: Apache-2.0
package dev.millrace.io;

import dev.millrace.io.engine.EngineLoop;
import dev.millrace.io.engine.PoolMemory;
import java.lang.ref.Cleaner;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.LongAdder;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import java.util.function.IntSupplier;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The bounded pool of an engine's buffers: one mapping, on huge pages where they can be had, cut into buffers of one
 * size. The memory is the engine's and not a ring's: any buffer goes with any file, whatever engine runs. It never grows;
 * who finds it empty waits in line, first come first served. Any thread.
 */
public final class BufferPool {
    private static final Logger LOG = LoggerFactory.getLogger(BufferPool.class);
    private static final Cleaner CLEANER = Cleaner.create();

    /** One buffer's memory. */
    static final class Piece {
        private final ByteBuffer memory;
        private final long address;
        private final int index;
        private volatile boolean kept;

        private Piece(ByteBuffer memory, long address, int index) {
            this.memory = memory;
            this.address = address;
            this.index = index;
        }

        ByteBuffer memory() {
            return memory;
        }

        /** Native address, 0 in pure Java. */
        long address() {
            return address;
        }

        /** Its number in the pool, by which rings know it ({@link Lane#knows}). */
        int index() {
            return index;
        }

        /** The kernel may write to it for as long as the process lives: nobody else gets it, and it is never unmapped. */
        void keep() {
            kept = true;
        }
    }

    private final ReentrantLock lock = new ReentrantLock();
    private final ArrayDeque<Piece> free = new ArrayDeque<>();
    private final ArrayDeque<Waiter> waiters = new ArrayDeque<>();
    private final LongAdder dropped = new LongAdder();
    private final int size;
    private final PoolMemory memory;
    private final IntSupplier registered;
    private final Supplier<String> failure;
    private boolean closed;
    private boolean released;

    /**
     * Over memory that is the pool's from now on.
     *
     * @param registered how many buffers, from the front, every running ring knows now
     * @param failure why the engine ended by itself, empty where it did not
     */
    BufferPool(PoolMemory memory, IntSupplier registered, Supplier<String> failure) {
        this.memory = memory;
        this.size = memory.pieces().size();
        this.registered = registered;
        this.failure = failure;
        for (int i = 0; i < size; i++) {
            free.add(new Piece(memory.pieces().get(i), memory.addresses().get(i), i));
        }
    }

    /** Buffers in all. */
    public int size() {
        return size;
    }

    /** Bytes of each. */
    public int bufferSize() {
        return memory.pieceSize();
    }

    /** Buffers that nobody holds. */
    public int available() {
        lock.lock();
        try {
            return free.size();
        } finally {
            lock.unlock();
        }
    }

    /** Leases that were dropped without being closed and caught by the collector; 0 in a correct program. */
    public long droppedLeases() {
        return dropped.sum();
    }

    /**
     * A buffer; the calling thread (a virtual one parks) waits in line until there is one.
     *
     * @throws EngineClosedException when the engine closes first
     * @throws IllegalStateException on an engine thread, which must not wait
     */
    public OwnedBuffer acquire() throws EngineClosedException {
        if (EngineLoop.isAnyEngineThread()) {
            throw new IllegalStateException("an engine thread must not wait for a buffer");
        }
        CompletableFuture<Optional<OwnedBuffer>> answer = new CompletableFuture<>();
        acquireThen(answer::complete);
        return answer.join().orElseThrow(() -> new EngineClosedException("acquire of a buffer", "", failure.get()));
    }

    /** A buffer, if one is free and nobody waits. */
    public Optional<OwnedBuffer> tryAcquire() {
        lock.lock();
        try {
            if (closed || free.isEmpty() || !waiters.isEmpty()) {
                return Optional.empty();
            }
            return Optional.of(lease(free.poll()));
        } finally {
            lock.unlock();
        }
    }

    /** True when somebody waits in line: holders of more than they need give back. */
    boolean isWantedByOthers() {
        lock.lock();
        try {
            return !waiters.isEmpty();
        } finally {
            lock.unlock();
        }
    }

    /** Someone in line. Cancelling is idempotent and harmless after the call. */
    final class Waiter {
        private final Consumer<Optional<OwnedBuffer>> then;

        private Waiter(Consumer<Optional<OwnedBuffer>> then) {
            this.then = then;
        }

        /** Leaves the line; false when the buffer is here or on its way. */
        boolean cancel() {
            lock.lock();
            try {
                return waiters.remove(this);
            } finally {
                lock.unlock();
            }
        }
    }

    /**
     * Calls {@code then} with a buffer, at once or when its turn in line comes (on the thread that gives one back; it
     * must not block), or with nothing when the engine closes.
     */
    Waiter acquireThen(Consumer<Optional<OwnedBuffer>> then) {
        Waiter waiter = new Waiter(then);
        Optional<OwnedBuffer> now = Optional.empty();
        lock.lock();
        try {
            if (!closed) {
                if (free.isEmpty() || !waiters.isEmpty()) {
                    waiters.add(waiter);
                    return waiter;
                }
                now = Optional.of(lease(free.poll()));
            }
        } finally {
            lock.unlock();
        }
        then.accept(now);
        return waiter;
    }

    private OwnedBuffer lease(Piece piece) {
        return new OwnedBuffer(this, piece, CLEANER);
    }

    void giveBack(Piece piece) {
        if (piece.kept) {
            return;
        }
        Waiter next;
        OwnedBuffer leased;
        lock.lock();
        try {
            next = waiters.poll();
            if (next == null) {
                free.add(piece);
                releaseIfDone();
                return;
            }
            leased = lease(piece);
        } finally {
            lock.unlock();
        }
        next.then.accept(Optional.of(leased));
    }

    boolean isRegistered(Piece piece) {
        return piece.index() < registered.getAsInt();
    }

    long crc64Nvme(Piece piece, long seed, int at, int length) {
        return memory.checksum().update(seed, piece.address(), piece.memory(), at, length);
    }

    void reportDropped() {
        dropped.increment();
        LOG.error(
                "An OwnedBuffer was dropped without close; it is back in the pool. Close each buffer when you are done");
    }

    /** From now on nobody gets a buffer; those in line are told. */
    void close() {
        ArrayDeque<Waiter> told;
        lock.lock();
        try {
            closed = true;
            told = new ArrayDeque<>(waiters);
            waiters.clear();
        } finally {
            lock.unlock();
        }
        told.forEach(waiter -> waiter.then.accept(Optional.empty()));
    }

    /** The kernel has let go of everything: pages go back as soon as the last lease is closed. */
    void release() {
        lock.lock();
        try {
            released = true;
            releaseIfDone();
        } finally {
            lock.unlock();
        }
    }

    private void releaseIfDone() {
        if (released && free.size() == size) {
            released = false;
            memory.release().run();
        }
    }
}
