// SPDX-License-Identifier: Apache-2.0
package dev.millrace.io;

/**
 * What an engine's cache of descriptors has counted.
 *
 * @param limit descriptors of {@link VirtualFile}s open at most
 * @param open of them open now
 * @param mostOpen most that were open at once
 * @param kept of those open now, never closed behind their files' backs: locked, without a name, or not to be opened again
 * @param evictions descriptors that were closed to make room
 * @param reopens descriptors that were opened again for the next use of their files
 * @param waits openings and uses that had to wait, since every descriptor was in use
 */
public record DescriptorCounters(
        int limit, int open, int mostOpen, int kept, long evictions, long reopens, long waits) {}
