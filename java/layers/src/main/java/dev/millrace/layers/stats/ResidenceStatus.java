// SPDX-License-Identifier: Apache-2.0
package dev.millrace.layers.stats;

/** Where a layer's file is. */
public enum ResidenceStatus {
    /** On local disk. */
    RESIDENT("Resident"),
    /** Only in the store. */
    EVICTED("Evicted");

    private final String label;

    ResidenceStatus(String label) {
        this.label = label;
    }

    /** As JSON says it. */
    public String label() {
        return label;
    }
}
