// SPDX-License-Identifier: Apache-2.0
package dev.millrace.layers.format;

import dev.millrace.io.IoEngine;
import java.util.concurrent.atomic.LongAdder;

/** What all readers of a store share: engine, cache, the bound of a read, and what they have counted. Any thread. */
public final class LayerReaders {
    /** Bytes that one operation reads at most, where nothing else is asked for: 256 KiB. */
    public static final int DEFAULT_READ_BYTES = 256 << 10;

    private final IoEngine engine;
    private final BlockCache cache;
    private final int blocksPerRead;
    private final LongAdder operations = new LongAdder();
    private final LongAdder nanos = new LongAdder();
    private final LongAdder blocks = new LongAdder();
    private final LongAdder defects = new LongAdder();
    private final LongAdder repeated = new LongAdder();

    /**
     * What readers have counted.
     *
     * @param operations reads of files
     * @param blocks blocks of 8 KiB that those were asked for
     * @param defects blocks that came and were damaged
     * @param repeated operations that failed and were repeated block by block
     * @param nanos how long those that have ended took, each by itself
     */
    public record Counters(long operations, long blocks, long defects, long repeated, long nanos) {}

    /** With operations of {@link #DEFAULT_READ_BYTES}. */
    public LayerReaders(IoEngine engine, BlockCache cache) {
        this(engine, cache, DEFAULT_READ_BYTES);
    }

    /**
     * With another bound.
     *
     * @param readBytes bytes that one operation reads at most, at least 8192; the engine's buffers are a bound, too
     */
    public LayerReaders(IoEngine engine, BlockCache cache, int readBytes) {
        this.engine = engine;
        this.cache = cache;
        this.blocksPerRead = Math.min(readBytes, engine.buffers().bufferSize()) / Blocks.SIZE;
        if (blocksPerRead == 0) {
            throw new IllegalArgumentException("layers are read in blocks of " + Blocks.SIZE
                    + " bytes, and reads of " + readBytes + " with buffers of "
                    + engine.buffers().bufferSize() + " hold none");
        }
    }

    IoEngine engine() {
        return engine;
    }

    BlockCache cache() {
        return cache;
    }

    int blocksPerRead() {
        return blocksPerRead;
    }

    void countOperation(int count) {
        operations.increment();
        blocks.add(count);
    }

    void countTime(long taken) {
        nanos.add(taken);
    }

    void countDefect() {
        defects.increment();
    }

    void countRepeated() {
        repeated.increment();
    }

    /** What its readers have counted so far. */
    public Counters counters() {
        return new Counters(operations.sum(), blocks.sum(), defects.sum(), repeated.sum(), nanos.sum());
    }
}
