// SPDX-License-Identifier: Apache-2.0
package dev.millrace.layers.format;

import dev.millrace.io.IoEngine;
import dev.millrace.io.IoFailure;
import dev.millrace.io.IoResult;
import dev.millrace.io.OperationFailedException;
import dev.millrace.io.OwnedBuffer;
import dev.millrace.io.VirtualFile;
import java.util.Arrays;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;

/**
 * Writes blocks one after another: collects them in memory of its own, and writes a full chunk while the next fills.
 *
 * <p>A buffer of the pool is held only while a write is in flight, never while the program thinks of the next value: any
 * number of outputs may be open on a pool of any size. One thread at a time.
 */
final class BlockOutput {
    private static final int CHUNK_BLOCKS = 64;
    private static final long FIRST_RESERVE = 1 << 20;
    private static final long MOST_RESERVE = 64 << 20;

    private final IoEngine engine;
    private final VirtualFile file;
    private final byte[] chunk;
    private long chunkStart;
    /** In the chunk; of an open block the next byte of content. */
    private int at;
    /** The open block has content. */
    private boolean open;

    private long reserved;
    private long reserveNext = FIRST_RESERVE;
    private Optional<CompletableFuture<IoResult>> inFlight = Optional.empty();

    /** From block {@code first} on. */
    BlockOutput(IoEngine engine, VirtualFile file, long first) {
        int fit = engine.buffers().bufferSize() / Blocks.SIZE;
        if (fit == 0) {
            throw new IllegalArgumentException(
                    "layers are written in blocks of " + Blocks.SIZE + " bytes, and the engine's buffers have "
                            + engine.buffers().bufferSize());
        }
        this.engine = engine;
        this.file = file;
        this.chunk = new byte[Math.min(fit, CHUNK_BLOCKS) * Blocks.SIZE];
        this.chunkStart = first;
    }

    /** The block that comes next, or is open. */
    long block() {
        return chunkStart + at / Blocks.SIZE;
    }

    /** The offset of the next byte of content. */
    long offset() {
        return Blocks.offsetOf(block()) + (open ? at % Blocks.SIZE - Blocks.HEADER : 0);
    }

    /** Appends content, over as many blocks as it takes. */
    void append(byte[] bytes, int from, int count) throws IoFailure {
        int moved = 0;
        while (moved < count) {
            if (!open) {
                at += Blocks.HEADER;
                open = true;
            }
            int room = Blocks.SIZE - at % Blocks.SIZE;
            int part = Math.min(room, count - moved);
            System.arraycopy(bytes, from + moved, chunk, at, part);
            at += part;
            moved += part;
            if (part == room) {
                endAt(at);
            }
        }
    }

    /** Ends the open block, if there is one. */
    void endBlock() throws IoFailure {
        if (open) {
            endAt((at + Blocks.SIZE - 1) / Blocks.SIZE * Blocks.SIZE);
        }
    }

    /** Appends a whole block, which gets its number. */
    void appendBlock(byte[] block) throws IoFailure {
        endBlock();
        System.arraycopy(block, 0, chunk, at, Blocks.SIZE);
        endAt(at + Blocks.SIZE);
    }

    private void endAt(int end) throws IoFailure {
        Blocks.seal(chunk, end - Blocks.SIZE, chunkStart + end / Blocks.SIZE - 1);
        at = end;
        open = false;
        if (at == chunk.length) {
            writeChunk();
        }
    }

    private void writeChunk() throws IoFailure {
        await();
        if (at == 0) {
            return;
        }
        long position = chunkStart * Blocks.SIZE;
        reserve(position + at);
        OwnedBuffer buffer = engine.buffers().acquire();
        CompletableFuture<IoResult> write;
        try {
            buffer.put(0, chunk, 0, at);
            write = file.writeAsync(buffer, 0, at, position);
        } catch (RuntimeException e) {
            buffer.close();
            throw e;
        }
        inFlight = Optional.of(write);
        buffer.close(); // that is: when the write is done with it
        chunkStart += at / Blocks.SIZE;
        at = 0;
        Arrays.fill(chunk, (byte) 0); // what pads a block is zero
    }

    /** Makes room ahead, so that writes do not extend the file. Where there is none ahead, the writes themselves tell. */
    private void reserve(long end) throws IoFailure {
        if (end <= reserved) {
            return;
        }
        reserved = end + reserveNext;
        reserveNext = Math.min(2 * reserveNext, MOST_RESERVE);
        try {
            file.reserve(reserved);
        } catch (OperationFailedException e) {
            if (!e.isOutOfSpace()) {
                throw e;
            }
        }
    }

    private void await() throws IoFailure {
        if (inFlight.isPresent()) {
            CompletableFuture<IoResult> write = inFlight.get();
            inFlight = Optional.empty();
            try {
                write.join();
            } catch (CompletionException e) {
                if (e.getCause() instanceof IoFailure failure) {
                    throw failure;
                }
                throw e;
            }
        }
    }

    /** Ends the open block and returns when all blocks are written. */
    void flush() throws IoFailure {
        endBlock();
        writeChunk();
        await();
    }

    /** Waits for what is in flight, whatever becomes of it. */
    void settle() {
        inFlight.ifPresent(write -> write.handle((result, failure) -> true).join());
        inFlight = Optional.empty();
    }
}
