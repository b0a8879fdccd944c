// SPDX-License-Identifier: Apache-2.0
package dev.millrace.transfer;

import dev.millrace.io.EngineClosedException;
import dev.millrace.io.IoEngine;
import dev.millrace.io.OwnedBuffer;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.WritableByteChannel;
import java.util.ArrayDeque;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.Executor;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;

/**
 * A channel that is written straight and in order: pipes, devices, standard output. Two buffers: one fills while the
 * other is written, on a thread of the executor, since the channel may block for as long as its reader likes.
 */
final class ChannelSink implements Sink {
    private static final int MAX_BUFFERS = 2;

    private final IoEngine engine;
    private final WritableByteChannel channel;
    private final Executor writers;

    private final ReentrantLock lock = new ReentrantLock();
    private final ArrayDeque<OwnedBuffer> free = new ArrayDeque<>();
    private final ArrayDeque<Filled> full = new ArrayDeque<>();
    private int held;
    private boolean writing;
    /** A thread waits for the first buffer; there is none then, and {@link #writing} is true. */
    private boolean inLine;

    private boolean waiting;
    private boolean aborted;
    private boolean ended;
    private Optional<IOException> failure = Optional.empty();
    private Optional<Consumer<Optional<? extends IOException>>> atEnd = Optional.empty();
    private volatile boolean anythingOut;

    // The producer's.
    private Optional<Digests> digests = Optional.empty();
    private Runnable onReady = () -> {};
    private boolean begun;
    private Optional<OwnedBuffer> current = Optional.empty();
    private int filled;
    private volatile long position;

    private record Filled(OwnedBuffer buffer, int length) {}

    ChannelSink(IoEngine engine, WritableByteChannel channel, Executor writers) {
        this.engine = engine;
        this.channel = channel;
        this.writers = writers;
    }

    @Override
    public void begin(OptionalLong length, Digests sees, Runnable ready) {
        digests = Optional.of(sees);
        onReady = ready;
        begun = true;
    }

    @Override
    public boolean hasBegun() {
        return begun;
    }

    @Override
    public boolean write(ByteBuffer chunk) throws IOException {
        while (chunk.hasRemaining()) {
            if (current.isEmpty() && !takeBuffer()) {
                return false;
            }
            OwnedBuffer buffer = current.orElseThrow();
            int count = Math.min(chunk.remaining(), buffer.capacity() - filled);
            int limit = chunk.limit();
            chunk.limit(chunk.position() + count);
            buffer.put(filled, chunk);
            chunk.limit(limit);
            digests.orElseThrow().copied(buffer, filled, count);
            filled += count;
            long before = position; // written by the producer alone
            position = before + count;
            if (filled == buffer.capacity()) {
                pass();
            }
        }
        return true;
    }

    private boolean takeBuffer() throws IOException {
        boolean waitInLine = false;
        lock.lock();
        try {
            if (failure.isPresent()) {
                throw failure.get();
            }
            OwnedBuffer found = free.poll();
            if (found == null && held < MAX_BUFFERS && !inLine) {
                // A second one only if it is free: who waits for it while holding one could wait for ever. And none
                // beside a first one that is still waited for: who waits does not write.
                found = engine.buffers().tryAcquire().orElse(null);
                held += found == null ? 0 : 1;
            }
            if (found == null && held == 0) {
                held = 1;
                waitInLine = true;
                inLine = true;
                writing = true;
            }
            current = Optional.ofNullable(found);
            filled = 0;
            waiting = found == null;
        } finally {
            lock.unlock();
        }
        if (waitInLine) {
            writers.execute(this::waitForBuffer);
        }
        return current.isPresent();
    }

    private void waitForBuffer() {
        Optional<OwnedBuffer> arrived = Optional.empty();
        Optional<IOException> problem = Optional.empty();
        try {
            arrived = Optional.of(engine.buffers().acquire());
        } catch (EngineClosedException e) {
            problem = Optional.of(e);
        } catch (RuntimeException | Error e) {
            problem = Optional.of(LocalFailures.defect("wait for a buffer for a channel", e));
        }
        lock.lock();
        try {
            arrived.ifPresent(free::add);
            failure = failure.isPresent() ? failure : problem;
            waiting = false;
            inLine = false;
            writing = false;
        } finally {
            lock.unlock();
        }
        onReady.run();
        endIfIdle();
    }

    /** Hands the filled buffer to the writing thread. */
    private void pass() {
        boolean start;
        lock.lock();
        try {
            full.add(new Filled(current.orElseThrow(), filled));
            current = Optional.empty();
            start = !writing;
            writing = true;
        } finally {
            lock.unlock();
        }
        if (start) {
            writers.execute(this::writeAll);
        }
    }

    private void writeAll() {
        while (true) {
            Filled next;
            lock.lock();
            try {
                if (aborted || failure.isPresent()) {
                    full.forEach(filledOne -> free.add(filledOne.buffer()));
                    full.clear();
                }
                next = full.poll();
                if (next == null) {
                    writing = false;
                    break;
                }
            } finally {
                lock.unlock();
            }
            Optional<IOException> problem = writeOne(next);
            boolean ready;
            lock.lock();
            try {
                free.add(next.buffer());
                failure = failure.isPresent() ? failure : problem;
                ready = waiting;
                waiting = false;
            } finally {
                lock.unlock();
            }
            if (ready) {
                onReady.run();
            }
        }
        endIfIdle();
    }

    private Optional<IOException> writeOne(Filled next) {
        anythingOut = true;
        return next.buffer().withMemory(memory -> {
            ByteBuffer bytes = memory.limit(next.length());
            try {
                while (bytes.hasRemaining()) {
                    channel.write(bytes);
                }
                return Optional.<IOException>empty();
            } catch (IOException e) {
                return Optional.of(e);
            } catch (RuntimeException | Error e) { // one that is non-blocking or read-only, say
                return Optional.of(new IOException("the channel cannot be written: " + e, e));
            }
        });
    }

    @Override
    public long position() {
        return position;
    }

    @Override
    public void finish(Consumer<Optional<? extends IOException>> then) {
        if (current.isPresent() && filled > 0) {
            pass();
        }
        end(then);
    }

    @Override
    public void abort(Runnable then) {
        lock.lock();
        try {
            aborted = true;
        } finally {
            lock.unlock();
        }
        end(ignored -> then.run());
    }

    private void end(Consumer<Optional<? extends IOException>> then) {
        boolean over;
        lock.lock();
        try {
            atEnd = Optional.of(then);
            over = ended;
        } finally {
            lock.unlock();
        }
        if (over) {
            then.accept(failure);
            return;
        }
        endIfIdle();
    }

    private void endIfIdle() {
        lock.lock();
        try {
            if (ended || atEnd.isEmpty() || writing) {
                return;
            }
            ended = true;
            current.ifPresent(free::add);
            current = Optional.empty();
        } finally {
            lock.unlock();
        }
        free.forEach(OwnedBuffer::close);
        free.clear();
        atEnd.orElseThrow().accept(failure);
    }

    @Override
    public void publish() {
        // written is published
    }

    @Override
    public void discard() {
        // what is out is out
    }

    @Override
    public boolean canBeginAgain() {
        return !anythingOut;
    }

    @Override
    public boolean isDirect() {
        return false;
    }
}
