// SPDX-License-Identifier: Apache-2.0
package dev.millrace.layers.format;

import dev.millrace.io.BufferPool;
import dev.millrace.io.EngineClosedException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;

/**
 * Reads what a number of sinks need, from any number of layers: neighbouring blocks in one operation of bounded size, all
 * operations in flight together, as far as the pool has buffers.
 *
 * <p>A need that is larger than the bound shares no operation with others and is cut into several. An operation that fails as
 * a whole is repeated block by block, once.
 */
final class BlockReads {
    private BlockReads() {}

    /** Returns when every sink has been told of each of its blocks. Parks a virtual thread, blocks a platform one. */
    static void run(List<? extends BlockSink> sinks) {
        List<BlockOperation> operations = plan(sinks);
        carryOut(operations);
        List<BlockOperation> repeats = new ArrayList<>();
        operations.forEach(operation -> repeats.addAll(operation.repeats()));
        carryOut(repeats);
    }

    /** Returns when all are complete. */
    static void carryOut(List<BlockOperation> operations) {
        if (operations.isEmpty()) {
            return;
        }
        BufferPool pool = operations.get(0).pool();
        List<CompletableFuture<Void>> inFlight = new ArrayList<>();
        EngineClosedException closed = null;
        for (BlockOperation operation : operations) {
            try {
                if (closed == null && operations.size() == 1) {
                    operation.run(pool.acquire());
                } else if (closed == null) {
                    inFlight.add(operation.start(pool.acquire()));
                } else {
                    operation.refuse(closed);
                }
            } catch (EngineClosedException e) {
                closed = e;
                operation.refuse(e);
            }
        }
        CompletableFuture.allOf(inFlight.toArray(CompletableFuture<?>[]::new)).join();
    }

    static List<BlockOperation> plan(List<? extends BlockSink> sinks) {
        Map<LayerReader, List<BlockSink>> byReader = new LinkedHashMap<>();
        sinks.forEach(sink -> byReader.computeIfAbsent(sink.reader(), reader -> new ArrayList<>())
                .add(sink));
        List<BlockOperation> operations = new ArrayList<>();
        byReader.forEach((reader, needs) -> planOne(reader, needs, operations));
        return operations;
    }

    private static void planOne(LayerReader reader, List<BlockSink> sinks, List<BlockOperation> operations) {
        sinks.sort(Comparator.comparingLong(BlockSink::firstBlock).thenComparingLong(BlockSink::lastBlock));
        int most = reader.readers().blocksPerRead();
        List<BlockSink> together = new ArrayList<>();
        long first = 0;
        long last = 0;
        for (BlockSink sink : sinks) {
            if (sink.lastBlock() - sink.firstBlock() >= most) {
                for (long from = sink.firstBlock(); from <= sink.lastBlock(); from += most) {
                    int count = (int) Math.min(most, sink.lastBlock() - from + 1);
                    operations.add(new BlockOperation(reader, from, count, List.of(sink)));
                }
                continue;
            }
            boolean joins = !together.isEmpty() && sink.firstBlock() <= last + 1 && sink.lastBlock() - first < most;
            if (!joins && !together.isEmpty()) {
                operations.add(new BlockOperation(reader, first, (int) (last - first + 1), together));
                together = new ArrayList<>();
            }
            first = joins ? first : sink.firstBlock();
            last = joins ? Math.max(last, sink.lastBlock()) : sink.lastBlock();
            together.add(sink);
        }
        if (!together.isEmpty()) {
            operations.add(new BlockOperation(reader, first, (int) (last - first + 1), together));
        }
    }
}
