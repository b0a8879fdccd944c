// SPDX-License-Identifier: Apache-2.0
package dev.millrace.io;

import dev.millrace.io.engine.Errno;
import dev.millrace.io.engine.OpCode;
import dev.millrace.io.engine.Operation;

/**
 * One whole read or write of a buffer through the engine: goes on after short results, with offset, address and length
 * moved together, until it is whole, fails, or meets the end of the file. Holds the buffer meanwhile and gives it back
 * before {@link #ended}; holds its lane from its submission on and a little longer. Reusable.
 */
abstract class TransferOperation extends Operation {
    private final LaneHolder lanes;
    private final TransferProgress progress = new TransferProgress();
    private OwnedBuffer buffer;
    /** Null before the first submission. */
    private volatile Lane lane;

    /** {@code lanes} is asked at each submission on which lane it runs. */
    TransferOperation(LaneHolder lanes) {
        this.lanes = lanes;
    }

    /**
     * Fills the request. {@code write} chooses the direction; the caller has checked the bounds, has handed the buffer
     * over, and takes it back where {@link #letGo} does not.
     */
    final void prepare(boolean write, OwnedBuffer owned, int at, int count, long position, Alignment alignment) {
        buffer = owned;
        reset(write ? OpCode.WRITE : OpCode.READ);
        memory = owned.piece().memory();
        progress.begin(write, at, count, position, alignment);
    }

    /** Submits what was prepared. {@code file} is what events call it. */
    final void submit(String file, int descriptor) {
        path = file;
        fd = descriptor;
        lane = lanes.hold();
        if (lane.knows(buffer.piece())) {
            flags = OpCode.FLAG_FIXED_BUFFER;
            bufferIndex = buffer.piece().index();
        }
        submitRest();
    }

    final OwnedBuffer buffer() {
        return buffer;
    }

    private void submitRest() {
        memoryAt = progress.at();
        address = buffer.piece().address() + memoryAt;
        length = progress.remaining();
        offset = progress.position();
        lane.loop().submit(this);
    }

    /** Asks that it stop where it was submitted; nothing where it was not. */
    final void cancel() {
        Lane runs = lane;
        if (runs != null) {
            runs.loop().cancel(this);
        }
    }

    @Override
    protected final void completed(int result) {
        if (progress.goesOn(result)) {
            if (!isCancelRequested()) {
                submitRest();
                return;
            }
            progress.stop(Errno.ECANCELED);
        }
        OwnedBuffer held = buffer;
        Lane ran = lane; // who is told that it has ended may start it again
        if (isMemoryKept()) {
            held.piece().keep();
        }
        try {
            letGo(held);
            ended(held, progress.moved(), progress.error());
        } finally {
            ran.letGo();
        }
    }

    /** The kernel is done with the buffer. On the engine thread, before {@link #ended}. */
    void letGo(OwnedBuffer owned) {
        owned.giveBack();
    }

    /**
     * The transfer is over and the buffer is its holder's again. On the engine thread.
     *
     * @param moved bytes moved
     * @param error 0 or an errno
     */
    abstract void ended(OwnedBuffer owned, int moved, int error);
}
