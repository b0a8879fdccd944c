// SPDX-License-Identifier: Apache-2.0
package dev.millrace.io.engine;

import java.nio.ByteBuffer;

/**
 * One request and the handler of its result. The submitter fills the request's fields, gives the object to
 * {@link EngineLoop#submit} and does not touch them until {@link #completed} was called, after which the same object may
 * be filled and submitted again: a steady stream of I/O allocates nothing.
 *
 * <p>The fields mean what {@code struct mr_op} of {@code millrace.h} says. Memory is given twice: as an address for
 * drivers of native code, and as a buffer for those of pure Java.
 */
public abstract class Operation {
    static final int IDLE = 0;
    static final int QUEUED = 1;
    static final int READY = 2;
    static final int IN_FLIGHT = 3;

    private static final ByteBuffer NONE = ByteBuffer.allocateDirect(0);

    public int code;
    public int flags;
    public int fd;
    public int length;
    public int bufferIndex;
    public int arg;
    public int arg2;
    public long offset;
    public long address;
    public long extra;
    /** The memory at {@link #address}, starting at {@link #memoryAt}; read and written by drivers of pure Java. */
    public ByteBuffer memory = NONE;
    /** Index in {@link #memory} of the first byte. */
    public int memoryAt;
    /** Path of path operations; of those by descriptor, what events call the file. */
    public String path = "";
    /** New path of a rename. */
    public String path2 = "";
    /** Result of STATX, set before {@link #completed}. */
    public FileStat stat = UNKNOWN_STAT;

    private static final FileStat UNKNOWN_STAT = new FileStat(0, 0, 0, 0, 0, 0, "", 4096, -1, -1);

    // The engine's own: written by the engine thread, but for QUEUED, which the submitter sets before the hand-over.
    volatile int state = IDLE;
    long token;
    Operation previous;
    Operation next;
    boolean cancelRequested;
    boolean repeated;
    boolean holdsPlace;
    boolean memoryKept;
    /** Null while no recording asks for it. */
    OperationEvent event;

    /** Clears the request's fields for the next use. */
    protected final void reset(int newCode) {
        code = newCode;
        flags = 0;
        fd = 0;
        length = 0;
        bufferIndex = 0;
        arg = 0;
        arg2 = 0;
        offset = 0;
        address = 0;
        extra = 0;
        memory = NONE;
        memoryAt = 0;
    }

    /**
     * Called once for each submission, on the engine thread (or, for a submission that came too late, on the
     * submitter's own), when the kernel has let go of everything the operation names. Must not block; may submit.
     *
     * @param result 0, a count, or a negated errno
     */
    protected abstract void completed(int result);

    /** True from the moment the engine thread was asked to stop this operation, also within {@link #completed}. */
    protected final boolean isCancelRequested() {
        return cancelRequested;
    }

    /**
     * True within {@link #completed} where nobody can know whether the kernel still writes to the memory: it is not to be
     * used for others, nor given back.
     */
    protected final boolean isMemoryKept() {
        return memoryKept;
    }

    /** True between submission and completion. */
    public final boolean isPending() {
        return state != IDLE;
    }
}
