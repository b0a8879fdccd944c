// SPDX-License-Identifier: Apache-2.0
package dev.millrace.io;

import java.util.List;

/**
 * What really runs, and why.
 *
 * @param engine the engine
 * @param binding the way to native code ({@code ffm}, ...), {@code none} in pure Java
 * @param slots operations in flight at most
 * @param buffers buffers of the pool
 * @param bufferSize bytes of each
 * @param registeredBuffers of them registered with the kernel
 * @param hugePageBytes bytes of the pool on huge pages when it was made
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
        List<String> notes) {
    /** Copies the notes. */
    public EngineStatus {
        notes = List.copyOf(notes);
    }

    /** True where the whole pool lies on huge pages. */
    public boolean hugePages() {
        return hugePageBytes >= (long) buffers * bufferSize;
    }
}
