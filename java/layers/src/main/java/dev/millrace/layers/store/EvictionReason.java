// SPDX-License-Identifier: Apache-2.0
package dev.millrace.layers.store;

/** Why a layer is evicted. */
public enum EvictionReason {
    /** Somebody asked for it. */
    EXPLICIT("Explicit"),
    /** A download needs room. */
    DOWNLOAD_NEEDS_ROOM("DownloadNeedsRoom"),
    /** A bound of the disk's usage is passed. */
    BOUND_PASSED("BoundPassed"),
    /** Somebody asked for so many bytes. */
    BYTES_ASKED_FOR("BytesAskedFor");

    private final String label;

    EvictionReason(String label) {
        this.label = label;
    }

    /** As metrics say it. */
    public String label() {
        return label;
    }
}
