// SPDX-License-Identifier: Apache-2.0
package dev.millrace.io;

import dev.millrace.io.engine.EngineLoop;
import dev.millrace.io.engine.Errno;
import dev.millrace.io.engine.OpCode;
import dev.millrace.io.engine.Operation;

/**
 * One whole read or write of a buffer through the engine: goes on after short results, with offset, address and length
 * moved together, until it is whole, fails, or meets the end of the file. Holds the buffer meanwhile and gives it back
 * before {@link #ended}. Reusable.
 */
abstract class TransferOperation extends Operation {
    private final EngineLoop loop;
    private final TransferProgress progress = new TransferProgress();
    private OwnedBuffer buffer;

    TransferOperation(EngineLoop loop) {
        this.loop = loop;
    }

    /**
     * Fills the request. {@code write} chooses the direction; the caller has checked the bounds, has handed the buffer
     * over, and takes it back where {@link #letGo} does not.
     */
    final void prepare(boolean write, OwnedBuffer owned, int at, int count, long position, Alignment alignment) {
        buffer = owned;
        BufferPool.Piece piece = owned.piece();
        reset(write ? OpCode.WRITE : OpCode.READ);
        memory = piece.memory();
        if (piece.registeredIndex() >= 0) {
            flags = OpCode.FLAG_FIXED_BUFFER;
            bufferIndex = piece.registeredIndex();
        }
        progress.begin(write, at, count, position, alignment);
    }

    /** Submits what was prepared. {@code file} is what events call it. */
    final void submit(String file, int descriptor) {
        path = file;
        fd = descriptor;
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
        loop.submit(this);
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
        letGo(held);
        ended(held, progress.moved(), progress.error());
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
