// SPDX-License-Identifier: Apache-2.0
package dev.millrace.layers.store;

/** Why a layer is downloaded. */
public enum DownloadReason {
    /** Somebody reads it. Held back for a while after a failure. */
    ON_DEMAND("OnDemand"),
    /** Somebody asked for this layer. */
    EXPLICIT("Explicit"),
    /** All layers of a timeline are wanted. Goes after the others. */
    BULK("Bulk");

    private final String label;

    DownloadReason(String label) {
        this.label = label;
    }

    /** As metrics say it. */
    public String label() {
        return label;
    }
}
