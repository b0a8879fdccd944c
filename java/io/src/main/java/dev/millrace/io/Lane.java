// SPDX-License-Identifier: Apache-2.0
package dev.millrace.io;

import dev.millrace.io.engine.EngineLoop;
import dev.millrace.io.engine.PoolMemory;
import dev.millrace.io.engine.Registration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicLong;

/**
 * One engine thread with its ring, and which buffers of the pool that ring knows.
 *
 * <p>An operation holds its lane from before it is submitted until it has ended. A lane that others have followed is
 * retired: nobody new gets it, and it is closed as soon as nobody holds it, so that no operation meets a closed ring and
 * none is lost. Any thread.
 */
final class Lane implements LaneHolder {
    /** Added to the number of holders once the lane is retired. */
    private static final long RETIRED = Long.MIN_VALUE;

    private final EngineKind kind;
    private final EngineLoop loop;
    private final AtomicLong holders = new AtomicLong();
    private volatile Registration registration = Registration.NONE;

    Lane(EngineKind kind, EngineLoop loop) {
        this.kind = kind;
        this.loop = loop;
    }

    EngineKind kind() {
        return kind;
    }

    EngineLoop loop() {
        return loop;
    }

    /** Buffers of the pool that the ring knows, from the front. */
    Registration registration() {
        return registration;
    }

    /** True where a buffer can be named to the ring by its number. */
    boolean knows(BufferPool.Piece piece) {
        return piece.index() < registration.buffers();
    }

    /**
     * Registers a pool with the ring.
     *
     * @param whole none rather than a part: a part could not be made more later, while operations use it
     * @return complete when that is done, or cannot be any more
     */
    CompletableFuture<Void> register(PoolMemory memory, boolean whole) {
        CompletableFuture<Void> done = new CompletableFuture<>();
        loop.executeWithDriver(
                driver -> {
                    try {
                        Registration got = driver.register(memory);
                        if (whole
                                && got.buffers() > 0
                                && got.buffers() < memory.pieces().size()) {
                            driver.unregister();
                            got = new Registration(0, got.note());
                        }
                        registration = got;
                        done.complete(null);
                    } catch (Throwable t) {
                        done.completeExceptionally(t);
                    }
                },
                () -> done.complete(null));
        return done;
    }

    /** Holds the lane, unless it is retired. */
    boolean tryHold() {
        if (holders.getAndIncrement() < 0) {
            letGo();
            return false;
        }
        return true;
    }

    /** Holds it once more, for a part of an operation that holds it. */
    @Override
    public Lane hold() {
        holders.getAndIncrement();
        return this;
    }

    /** Ends one holding; the last of a retired lane closes it, without waiting. */
    void letGo() {
        if (holders.decrementAndGet() == RETIRED) {
            loop.beginClose();
        }
    }

    /** Lets nobody hold it any more who does not yet; once. */
    void retire() {
        if (holders.addAndGet(RETIRED) == RETIRED) {
            loop.beginClose();
        }
    }
}
