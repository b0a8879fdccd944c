// SPDX-License-Identifier: Apache-2.0
package dev.millrace.io.engine;

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

    /**
     * Registers as many buffers of a pool as the limits allow, from the front, where the engine has such a thing. Engine
     * thread; while nothing is registered.
     */
    default Registration register(PoolMemory memory) {
        return Registration.NONE;
    }

    /** Undoes {@link #register}. Engine thread; while nothing is in flight. */
    default void unregister() {}

    /** Counters since creation, in the order of {@code struct mr_engine_stats}. Engine thread. */
    long[] stats();

    /**
     * Counts the kernel's worker threads now; the most seen shows in {@link #stats}. Any thread. Drivers that enter no
     * kernel's ring have none.
     */
    default void sampleKernelWorkers() {}
}
