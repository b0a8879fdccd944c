// SPDX-License-Identifier: Apache-2.0
package dev.millrace.io;

import dev.millrace.io.engine.PoolMemory;
import java.nio.ByteBuffer;
import java.util.List;

/** Pools of one buffer that nobody reads or writes. */
final class Pools {
    private static final int SIZE = 16;
    private static final ByteBuffer MEMORY = ByteBuffer.allocateDirect(SIZE);

    private Pools() {}

    static BufferPool ofOne() {
        return ofOne(() -> {});
    }

    static BufferPool ofOne(Runnable release) {
        return new BufferPool(memory(release), () -> 0, () -> "");
    }

    static PoolMemory memory(Runnable release) {
        return new PoolMemory(List.of(MEMORY), List.of(0L), 0, (seed, address, memory, at, length) -> 0, release);
    }
}
