// SPDX-License-Identifier: Apache-2.0
package dev.millrace.layers.stats;

import java.util.Optional;

/** What is cleared of a layer's statistics when they are asked for. */
public enum StatisticsReset {
    /** Nothing. */
    NO_RESET("NoReset"),
    /** The set of task kinds. */
    JUST_TASK_KIND_FLAGS("JustTaskKindFlags"),
    /** Everything, the history of residence and counts of what was dropped included. */
    ALL_STATS("AllStats");

    private final String label;

    StatisticsReset(String label) {
        this.label = label;
    }

    /** As a request says it. */
    public String label() {
        return label;
    }

    /** The one of a label; empty where there is none. */
    public static Optional<StatisticsReset> of(String label) {
        for (StatisticsReset reset : values()) {
            if (reset.label.equals(label)) {
                return Optional.of(reset);
            }
        }
        return Optional.empty();
    }
}
