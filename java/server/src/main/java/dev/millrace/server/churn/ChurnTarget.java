// SPDX-License-Identifier: Apache-2.0
package dev.millrace.server.churn;

import dev.millrace.layers.TenantId;
import dev.millrace.layers.TimelineId;

/**
 * A timeline whose layers are churned. Targets are ordered by tenant, then by timeline.
 *
 * @param tenant whose it is
 * @param timeline its id
 */
public record ChurnTarget(TenantId tenant, TimelineId timeline) implements Comparable<ChurnTarget> {
    /**
     * Parses {@code tenant/timeline}.
     *
     * @throws IllegalArgumentException with a sentence, where the text is anything else
     */
    public static ChurnTarget parse(String text) {
        int slash = text.indexOf('/');
        if (slash < 0) {
            throw new IllegalArgumentException("'" + text + "' is no target: write TENANT/TIMELINE");
        }
        return new ChurnTarget(new TenantId(text.substring(0, slash)), new TimelineId(text.substring(slash + 1)));
    }

    @Override
    public int compareTo(ChurnTarget other) {
        int byTenant = tenant.compareTo(other.tenant);
        return byTenant != 0 ? byTenant : timeline.compareTo(other.timeline);
    }

    @Override
    public String toString() {
        return tenant + "/" + timeline;
    }
}
