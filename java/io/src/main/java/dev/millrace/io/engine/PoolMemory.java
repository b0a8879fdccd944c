// SPDX-License-Identifier: Apache-2.0
package dev.millrace.io.engine;

import java.nio.ByteBuffer;
import java.util.List;
import java.util.Optional;

/**
 * The memory of a buffer pool: pieces of equal size in one mapping.
 *
 * @param pieces a direct buffer a piece, in native byte order
 * @param addresses native address of each piece, 0 in pure Java
 * @param registered how many pieces, from the front, are registered with the engine
 * @param hugeBytes bytes that lie on huge pages
 * @param note why fewer than all are registered, as a sentence
 * @param release gives the memory back to the system; the addresses stay reserved until no view is reachable. Called
 *     once, after the engine was destroyed.
 */
public record PoolMemory(
        List<ByteBuffer> pieces,
        List<Long> addresses,
        int registered,
        long hugeBytes,
        Optional<String> note,
        Runnable release) {
    /** Copies the lists. */
    public PoolMemory {
        pieces = List.copyOf(pieces);
        addresses = List.copyOf(addresses);
    }
}
