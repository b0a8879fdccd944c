// SPDX-License-Identifier: Apache-2.0
package dev.millrace.layers;

/** What a layer holds. */
public enum LayerKind {
    /** The value of every key of a range as of one version. */
    IMAGE("Image"),
    /** Changes in a range of keys over a range of versions. */
    DELTA("Delta"),
    /** Any file under a name: residence, statistics and eviction, and no keys. */
    BLOB("Blob");

    private final String label;

    LayerKind(String label) {
        this.label = label;
    }

    /** As JSON says it. */
    public String label() {
        return label;
    }
}
