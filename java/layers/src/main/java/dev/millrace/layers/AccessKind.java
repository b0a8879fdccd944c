// SPDX-License-Identifier: Apache-2.0
package dev.millrace.layers;

/** What a layer is read for. */
public enum AccessKind {
    /** The value of a key at a version. */
    GET_VALUE_RECONSTRUCT_DATA("GetValueReconstructData"),
    /** All entries with their values. */
    ITER("Iter"),
    /** All entries without their values. */
    KEY_ITER("KeyIter"),
    /** Everything, for people. */
    DUMP("Dump");

    private final String label;

    AccessKind(String label) {
        this.label = label;
    }

    /** As JSON says it. */
    public String label() {
        return label;
    }
}
