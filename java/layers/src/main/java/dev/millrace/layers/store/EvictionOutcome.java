// SPDX-License-Identifier: Apache-2.0
package dev.millrace.layers.store;

/** What became of the wish to evict a layer. */
public enum EvictionOutcome {
    /** Its file is gone. */
    EVICTED,
    /** There was nothing to evict: only remote, or on its way here. */
    NOT_RESIDENT,
    /** It is nowhere but here. */
    NOT_UPLOADED,
    /** A reader came before the last one had let go. */
    READER_CAME,
    /** The layer left the index, or its file was found to be unusable, meanwhile. */
    SUPERSEDED,
    /** The timeline is being detached. */
    SHUTTING_DOWN,
    /** The file could not be removed; the layer stays. */
    FAILED;

    /** True where an eviction that had begun ended without the file gone. */
    public boolean isCancellation() {
        return this == READER_CAME || this == SUPERSEDED || this == SHUTTING_DOWN || this == FAILED;
    }
}
