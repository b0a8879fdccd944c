// SPDX-License-Identifier: Apache-2.0
package dev.millrace.layers.store;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Which layers are to go, by the words of the rule and from a list of all: what {@link EvictionQueue}, which looks at few of
 * them, must choose, too. Least recently used ones first; those that nobody reads now before those that have to be waited
 * for; and of each kind those of tenants with more than the minimum first, so that the minimum stays while others have
 * something to give.
 */
final class EvictionPlan {
    private EvictionPlan() {}

    /**
     * A layer that could go.
     *
     * @param subject which
     * @param owner whose minimum counts
     * @param size bytes that it would give back
     * @param lastUsedMillis when it was last read, else when it came
     * @param inUse somebody reads it now
     */
    record Candidate<T>(T subject, Object owner, long size, long lastUsedMillis, boolean inUse) {}

    /**
     * The first of them, in the order in which they are to go, that give so many bytes together; all, where they do not.
     *
     * @param minimum bytes of each owner that stay while others can go
     */
    static <T> List<Candidate<T>> choose(List<Candidate<T>> all, long bytes, long minimum) {
        List<Candidate<T>> byAge = new ArrayList<>(all);
        byAge.sort(Comparator.comparingLong(Candidate::lastUsedMillis));
        Map<Object, Long> left = new HashMap<>();
        byAge.forEach(candidate -> left.merge(candidate.owner(), candidate.size(), Long::sum));
        List<Candidate<T>> chosen = new ArrayList<>();
        Set<Candidate<T>> taken = new HashSet<>();
        long sum = 0;
        for (int round = 0; round < 4 && sum < bytes; round++) {
            boolean inUse = round >= 2;
            boolean keepMinimum = round % 2 == 0;
            for (Candidate<T> candidate : byAge) {
                if (sum >= bytes) {
                    break;
                }
                long rest = left.get(candidate.owner()) - candidate.size();
                boolean mayGo = candidate.size() > 0
                        && candidate.inUse() == inUse
                        && (!keepMinimum || rest >= minimum)
                        && !taken.contains(candidate);
                if (mayGo) {
                    taken.add(candidate);
                    chosen.add(candidate);
                    left.put(candidate.owner(), rest);
                    sum += candidate.size();
                }
            }
        }
        return chosen;
    }
}
