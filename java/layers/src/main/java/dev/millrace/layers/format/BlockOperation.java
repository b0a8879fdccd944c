// SPDX-License-Identifier: Apache-2.0
package dev.millrace.layers.format;

import dev.millrace.io.BufferPool;
import dev.millrace.io.EngineClosedException;
import dev.millrace.io.FileClosedException;
import dev.millrace.io.IoFailure;
import dev.millrace.io.IoResult;
import dev.millrace.io.OwnedBuffer;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;

/**
 * One read of consecutive blocks for those who need them. Its buffer goes back as soon as it is complete, on the thread
 * that completes it and whatever anyone else does: who waits for a buffer never waits for himself.
 */
final class BlockOperation {
    private final LayerReader reader;
    private final long first;
    private final int count;
    private final List<BlockSink> sinks;
    private volatile boolean mustRepeat;
    private long begun;

    BlockOperation(LayerReader reader, long first, int count, List<BlockSink> sinks) {
        this.reader = reader;
        this.first = first;
        this.count = count;
        this.sinks = sinks;
    }

    BufferPool pool() {
        return reader.readers().engine().buffers();
    }

    /** Begins; the buffer is given away. Complete, and never exceptionally, when all sinks have been told. */
    CompletableFuture<Void> start(OwnedBuffer buffer) {
        begin();
        try {
            return reader.file()
                    .readAsync(buffer, 0, count * Blocks.SIZE, first * Blocks.SIZE)
                    .handle((result, failure) -> ended(
                            buffer,
                            Optional.ofNullable(result).map(IoResult::bytes).orElse(0),
                            Optional.ofNullable(failure)));
        } catch (RuntimeException e) {
            ended(buffer, 0, Optional.of(e));
            return CompletableFuture.completedFuture(null);
        }
    }

    /** Reads on the calling thread, which is the quickest where there is only one. */
    void run(OwnedBuffer buffer) {
        begin();
        int got = 0;
        Optional<Throwable> failure = Optional.empty();
        try {
            got = reader.file().read(buffer, 0, count * Blocks.SIZE, first * Blocks.SIZE);
        } catch (IoFailure | RuntimeException e) {
            failure = Optional.of(e);
        }
        ended(buffer, got, failure);
    }

    private void begin() {
        reader.readers().countOperation(count);
        begun = System.nanoTime();
    }

    private Void ended(OwnedBuffer buffer, int got, Optional<Throwable> failure) {
        reader.readers().countTime(System.nanoTime() - begun);
        try (buffer) {
            if (failure.isEmpty()) {
                buffer.withMemory(memory -> {
                    serve(memory, got);
                    return true;
                });
            } else {
                failed(failure.get());
            }
        } catch (RuntimeException e) {
            refuse(unexpected(e));
        }
        return null;
    }

    private void serve(ByteBuffer memory, int got) {
        ByteBuffer blocks = memory.order(ByteOrder.BIG_ENDIAN);
        for (int i = 0; i < count; i++) {
            long number = first + i;
            int at = i * Blocks.SIZE;
            Optional<String> defect = at + Blocks.SIZE <= got
                    ? Blocks.defect(blocks, at, number)
                    : Optional.of("the file ends at byte " + (first * Blocks.SIZE + got) + ", before its end");
            if (defect.isPresent()) {
                reader.readers().countDefect();
            }
            for (BlockSink sink : sinks) {
                if (sink.firstBlock() > number || sink.lastBlock() < number) {
                    continue;
                }
                if (defect.isPresent()) {
                    sink.failed(number, CorruptLayerException.of(reader.path(), number, defect.get()));
                } else {
                    sink.block(number, blocks, at);
                }
            }
        }
    }

    private void failed(Throwable thrown) {
        Throwable cause =
                thrown instanceof CompletionException && thrown.getCause() != null ? thrown.getCause() : thrown;
        boolean over = cause instanceof EngineClosedException || cause instanceof FileClosedException;
        if (count > 1 && !over && cause instanceof IoFailure) {
            mustRepeat = true; // one bad block must fail those only who need it
            reader.readers().countRepeated();
            return;
        }
        refuse(cause instanceof IOException io ? io : unexpected(cause));
    }

    private IOException unexpected(Throwable cause) {
        return new IOException("a read of the layer " + reader.path() + " failed", cause);
    }

    /** Ends it without a read. */
    void refuse(IOException cause) {
        sinks.forEach(sink -> tell(sink, cause));
    }

    private void tell(BlockSink sink, IOException cause) {
        for (long number = Math.max(first, sink.firstBlock());
                number <= Math.min(first + count - 1, sink.lastBlock());
                number++) {
            sink.failed(number, cause);
        }
    }

    /** After it is complete: the same in pieces of one block, where it failed as a whole; else nothing. */
    List<BlockOperation> repeats() {
        List<BlockOperation> singles = new ArrayList<>();
        if (mustRepeat) {
            for (int i = 0; i < count; i++) {
                long number = first + i;
                singles.add(new BlockOperation(
                        reader,
                        number,
                        1,
                        sinks.stream()
                                .filter(sink -> sink.firstBlock() <= number && number <= sink.lastBlock())
                                .toList()));
            }
        }
        return singles;
    }
}
