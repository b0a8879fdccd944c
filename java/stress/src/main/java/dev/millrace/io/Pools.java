// SPDX-License-Identifier: Apache-2.0
package dev.millrace.io;

import dev.millrace.io.engine.EngineLoop;
import dev.millrace.io.engine.PoolMemory;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Optional;

/** Pools of one buffer that nobody reads or writes. */
final class Pools {
    private static final int SIZE = 16;
    private static final ByteBuffer MEMORY = ByteBuffer.allocateDirect(SIZE);
    private static final EngineLoop LOOP = Loops.start("pools", 8);

    private Pools() {}

    static BufferPool ofOne() {
        return ofOne(() -> {});
    }

    static BufferPool ofOne(Runnable release) {
        return new BufferPool(
                new PoolMemory(List.of(MEMORY), List.of(0L), 0, 0, Optional.empty(), release), SIZE, LOOP);
    }
}
