// SPDX-License-Identifier: Apache-2.0
package dev.millrace.layers.stats;

import dev.millrace.layers.AccessKind;
import java.util.HashSet;
import java.util.Set;

/** Whether statistics agree with themselves, as those of a layer do at which nobody is. */
final class Whole {
    private Whole() {}

    static long accesses(LayerAccessStats stats) {
        return stats.accessCounts().values().stream().mapToLong(Long::longValue).sum();
    }

    /** True where each access is counted, flagged and in the history, and the first of the history is the first. */
    static boolean is(LayerAccessStats stats) {
        HistoryBuffer<LayerAccess> history = stats.accesses();
        Set<String> tasks = new HashSet<>();
        Set<AccessKind> kinds = new HashSet<>();
        for (LayerAccess access : history) {
            tasks.add(access.taskKind());
            kinds.add(access.accessKind());
        }
        boolean counted = stats.accessCounts().entrySet().stream()
                .allMatch(count -> count.getValue() == 0 || kinds.contains(count.getKey()));
        return history.size() + history.dropCount() == accesses(stats)
                && counted
                && tasks.equals(stats.taskKinds())
                && history.toList().stream().findFirst().equals(stats.first());
    }
}
