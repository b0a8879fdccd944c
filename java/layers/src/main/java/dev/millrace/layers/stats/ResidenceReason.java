// SPDX-License-Identifier: Apache-2.0
package dev.millrace.layers.stats;

/** Why a layer is where it is. */
public enum ResidenceReason {
    /** So it was found when its timeline was attached. */
    LAYER_LOAD("LayerLoad"),
    /** It is new. */
    LAYER_CREATE("LayerCreate"),
    /** It was downloaded or evicted. */
    RESIDENCE_CHANGE("ResidenceChange");

    private final String label;

    ResidenceReason(String label) {
        this.label = label;
    }

    /** As JSON says it. */
    public String label() {
        return label;
    }
}
