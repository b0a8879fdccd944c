// SPDX-License-Identifier: Apache-2.0
package dev.millrace.layers.store;

import dev.millrace.layers.TenantId;
import dev.millrace.layers.TimelineId;
import java.util.List;
import java.util.Optional;

/**
 * A tenant, as of a moment: its timelines that are attached.
 *
 * @param id its id
 * @param timelines in the order of their ids; at least one
 */
public record Tenant(TenantId id, List<Timeline> timelines) {
    /** Copies the list. */
    public Tenant {
        timelines = List.copyOf(timelines);
    }

    /** A timeline; empty where it is not attached. */
    public Optional<Timeline> timeline(TimelineId timeline) {
        return timelines.stream()
                .filter(attached -> attached.place().timeline().equals(timeline))
                .findFirst();
    }

    /** Bytes of its layers on local disk. */
    public long residentBytes() {
        return timelines.stream().mapToLong(Timeline::residentBytes).sum();
    }
}
