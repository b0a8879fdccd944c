// SPDX-License-Identifier: Apache-2.0
package dev.millrace.io;

import java.util.List;

/**
 * What really runs, and why.
 *
 * @param engine the engine
 * @param binding the way to native code ({@code ffm}, ...), {@code none} in pure Java
 * @param slots operations in flight at most, over the rings that run
 * @param buffers buffers of the pool
 * @param bufferSize bytes of each
 * @param registeredBuffers of them registered with every ring that runs
 * @param hugePageBytes bytes of the pool on huge pages when it was made
 * @param rings those that run, then those that end what they had begun before a switch
 * @param switches how often the engine was switched
 * @param notes reason and remedy of each step down, as sentences
 */
public record EngineStatus(
        EngineKind engine,
        String binding,
        int slots,
        int buffers,
        int bufferSize,
        int registeredBuffers,
        long hugePageBytes,
        List<Ring> rings,
        long switches,
        List<String> notes) {
    /**
     * One engine thread with its ring.
     *
     * @param thread the thread's name
     * @param engine what it turns
     * @param slots operations in flight at most
     * @param registeredBuffers buffers of the pool, from the front, that are registered with it
     * @param ending whether it only ends what it had begun before a switch
     */
    public record Ring(String thread, EngineKind engine, int slots, int registeredBuffers, boolean ending) {}

    /** Copies the lists. */
    public EngineStatus {
        rings = List.copyOf(rings);
        notes = List.copyOf(notes);
    }

    /** True where the whole pool lies on huge pages. */
    public boolean hugePages() {
        return hugePageBytes >= (long) buffers * bufferSize;
    }
}
