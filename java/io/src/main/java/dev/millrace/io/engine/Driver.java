// SPDX-License-Identifier: Apache-2.0
package dev.millrace.io.engine;

import java.nio.ByteBuffer;

/**
 * What an engine thread turns: the kernel's ring or epoll set behind {@code libmillrace}, worker threads in pure Java, or
 * a simulation. Made, staged, turned, and destroyed by the engine thread alone; {@link #wake}, {@link #syscalls} and
 * {@link #sampleKernelWorkers} may be called by any thread.
 */
public interface Driver {

    /** {@code io_uring}, {@code epoll}, {@code blocking}, or a test's name. */
    String kind();

    /** The binding that carries the calls, {@code none} in pure Java. */
    String binding();

    /** Operations that may be in flight at most. */
    int slots();

    /** Adds an operation to the next turn. {@code slot} is the operation's own while it is in flight. */
    void stage(Operation operation, int slot, long token);

    /**
     * Submits what was staged and waits for at least one completion, a wake-up, or the end of the time.
     *
     * @param timeoutNanos 0 does not wait, negative waits without end
     * @return number of completions, to be read by {@link #token} and {@link #result}; or a negated errno when the
     *     engine is broken
     */
    int turn(long timeoutNanos);

    /** Token of completion {@code index} of the last turn. */
    long token(int index);

    /** Result of completion {@code index} of the last turn. */
    int result(int index);

    /** Takes over what a completed operation produced besides its number (a STATX's result). */
    void collect(Operation operation, int slot);

    /** Ends the wait of the turn under way or of the next one. Any thread. */
    void wake();

    /**
     * Waits until nothing is in flight in the kernel, then frees all but pool memory. Where it throws, what operations
     * named may still be written to, unless {@link #endsWithItsThread} says how to go on.
     */
    void destroy();

    /**
     * True after a {@link #destroy} that threw because the engine thread itself holds what is to be freed: another thread
     * calls it again, and waits until the engine thread has ended.
     */
    default boolean endsWithItsThread() {
        return false;
    }

    /** Why a turn failed, and what to do, as a sentence without its stop. */
    default String failedTurn(int errno) {
        return kind() + " failed while it ran: a turn failed with " + Errno.name(errno) + ": " + Errno.meaning(errno);
    }

    /** Blocking calls on the caller's thread. */
    Syscalls syscalls();

    /** Maps pool memory and registers it where the engine can. Called once, by the engine thread. */
    PoolMemory mapPool(int buffers, int bufferSize);

    /** Counters since creation, in the order of {@code struct mr_engine_stats}. Engine thread. */
    long[] stats();

    /**
     * Counts the kernel's worker threads now; the most seen shows in {@link #stats}. Any thread. Drivers that enter no
     * kernel's ring have none.
     */
    default void sampleKernelWorkers() {}

    /** Continues a CRC-64/NVME over memory, which lies at the address too where that is native. Any thread. */
    default long crc64Nvme(long seed, long address, ByteBuffer memory, int at, int length) {
        return Crc64Nvme.update(seed, memory, at, length);
    }
}
