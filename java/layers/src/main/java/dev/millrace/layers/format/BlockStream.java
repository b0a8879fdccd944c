// SPDX-License-Identifier: Apache-2.0
package dev.millrace.layers.format;

import dev.millrace.io.OwnedBuffer;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;

/**
 * Consecutive blocks of a layer, in order and read ahead, in memory of its own: two chunks of 128 KiB at most.
 *
 * <p>Unlike {@link dev.millrace.io.SequentialReader} it holds no buffer of the pool that is not being read into: a merge goes
 * through any number of layers at once, on one thread and a pool of any size. It reads ahead only where a buffer is free.
 */
final class BlockStream implements AutoCloseable {
    private static final int CHUNK_BLOCKS = 16;
    private static final int CHUNKS = 2;

    private final LayerReader reader;
    private final long end;
    private final int most;
    private final ArrayDeque<Chunk> chunks = new ArrayDeque<>();
    private long next;

    private static final class Chunk implements BlockSink {
        private final LayerReader reader;
        private final long first;
        private final int count;
        private final ByteBuffer bytes;
        private final IOException[] failures;
        private Optional<CompletableFuture<Void>> read = Optional.empty();
        private Optional<BlockOperation> operation = Optional.empty();
        private int taken;

        Chunk(LayerReader reader, long first, int count) {
            this.reader = reader;
            this.first = first;
            this.count = count;
            this.bytes = ByteBuffer.allocate(count * Blocks.SIZE);
            this.failures = new IOException[count];
        }

        @Override
        public LayerReader reader() {
            return reader;
        }

        @Override
        public long firstBlock() {
            return first;
        }

        @Override
        public long lastBlock() {
            return first + count - 1;
        }

        @Override
        public void block(long number, ByteBuffer memory, int at) {
            bytes.put((int) (number - first) * Blocks.SIZE, memory, at, Blocks.SIZE);
        }

        @Override
        public void failed(long number, IOException cause) {
            failures[(int) (number - first)] = cause;
        }
    }

    /** Of blocks {@code from} up to, and without, {@code to}. */
    BlockStream(LayerReader reader, long from, long to) {
        this.reader = reader;
        this.next = from;
        this.end = to;
        this.most = Math.min(CHUNK_BLOCKS, reader.readers().blocksPerRead());
    }

    /** A block, valid until the next call; empty at the end. Sound, or it is thrown why it is not, and the next call goes on. */
    Optional<ByteBuffer> next() throws IOException {
        while (!chunks.isEmpty() && chunks.peek().taken == chunks.peek().count) {
            chunks.poll();
        }
        if (chunks.isEmpty() && next < end) {
            begin(reader.readers().engine().buffers().acquire());
        }
        while (chunks.size() < CHUNKS && next < end) {
            Optional<OwnedBuffer> free = reader.readers().engine().buffers().tryAcquire();
            if (free.isEmpty()) {
                break;
            }
            begin(free.get());
        }
        if (chunks.isEmpty()) {
            return Optional.empty();
        }
        Chunk chunk = chunks.element();
        if (chunk.taken == 0) {
            await(chunk);
        }
        int index = chunk.taken++;
        if (chunk.failures[index] != null) {
            throw chunk.failures[index];
        }
        return Optional.of(chunk.bytes.slice(index * Blocks.SIZE, Blocks.SIZE));
    }

    private void begin(OwnedBuffer buffer) {
        Chunk chunk = new Chunk(reader, next, (int) Math.min(most, end - next));
        next += chunk.count;
        BlockOperation operation = new BlockOperation(reader, chunk.first, chunk.count, List.of(chunk));
        chunk.read = Optional.of(operation.start(buffer));
        chunk.operation = Optional.of(operation);
        chunks.add(chunk);
    }

    private static void await(Chunk chunk) {
        chunk.read.orElseThrow().join();
        chunk.operation.ifPresent(operation -> BlockReads.carryOut(operation.repeats()));
    }

    /** Waits for reads that are under way. */
    @Override
    public void close() {
        chunks.forEach(chunk -> chunk.read.ifPresent(CompletableFuture::join));
        chunks.clear();
        next = end;
    }
}
