// SPDX-License-Identifier: Apache-2.0
package dev.millrace.layers.stats;

import dev.millrace.layers.AccessKind;
import java.util.Collections;
import java.util.EnumMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;

/**
 * What a layer's statistics were at a moment.
 *
 * @param accessCounts how often it was read, for each kind; kinds that are missing are 0
 * @param taskKinds labels of who ever read it, in the order in which they are to be shown
 * @param first the first access; empty before it
 * @param accesses the last accesses
 * @param residenceEvents the last times it came or went
 * @param accessTime when it was last read, in milliseconds since 1970, whatever was reset; 0: never; empty: the document is
 *     of the older form
 * @param residenceTime when it last came or went, likewise
 * @param visible whether reads at the newest version can need it; empty: the document is of the older form
 */
public record LayerAccessStats(
        Map<AccessKind, Long> accessCounts,
        Set<String> taskKinds,
        Optional<LayerAccess> first,
        HistoryBuffer<LayerAccess> accesses,
        HistoryBuffer<ResidenceEvent> residenceEvents,
        OptionalLong accessTime,
        OptionalLong residenceTime,
        Optional<Boolean> visible) {
    /** The most accesses, and the most residence events, of a history. */
    public static final int HISTORY = 16;

    /** Copies what it is given. */
    public LayerAccessStats {
        Map<AccessKind, Long> counts = new EnumMap<>(AccessKind.class);
        for (AccessKind kind : AccessKind.values()) {
            counts.put(kind, accessCounts.getOrDefault(kind, 0L));
        }
        accessCounts = Collections.unmodifiableMap(counts);
        taskKinds = Collections.unmodifiableSet(new LinkedHashSet<>(taskKinds));
        accesses = accesses.copy();
        residenceEvents = residenceEvents.copy();
    }

    /** The last accesses; a copy. */
    @Override
    public HistoryBuffer<LayerAccess> accesses() {
        return accesses.copy();
    }

    /** The last times it came or went; a copy. */
    @Override
    public HistoryBuffer<ResidenceEvent> residenceEvents() {
        return residenceEvents.copy();
    }

    /** The same, of a layer that reads at the newest version can need, or cannot. */
    public LayerAccessStats withVisible(boolean is) {
        return new LayerAccessStats(
                accessCounts, taskKinds, first, accesses, residenceEvents, accessTime, residenceTime, Optional.of(is));
    }
}
