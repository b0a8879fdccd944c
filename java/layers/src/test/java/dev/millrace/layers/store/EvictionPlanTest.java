// SPDX-License-Identifier: Apache-2.0
package dev.millrace.layers.store;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

class EvictionPlanTest {
    private static EvictionPlan.Candidate<String> idle(String name, String owner, long size, long used) {
        return new EvictionPlan.Candidate<>(name, owner, size, used, false);
    }

    private static EvictionPlan.Candidate<String> inUse(String name, String owner, long size, long used) {
        return new EvictionPlan.Candidate<>(name, owner, size, used, true);
    }

    private static List<String> names(List<EvictionPlan.Candidate<String>> all, long bytes, long minimum) {
        return EvictionPlan.choose(all, bytes, minimum).stream()
                .map(EvictionPlan.Candidate::subject)
                .toList();
    }

    @Test
    void takesLeastRecentlyUsedFirstAndNoMoreThanNeeded() {
        var all = List.of(idle("c", "t", 10, 3), idle("a", "t", 10, 1), idle("b", "t", 10, 2));
        assertThat(names(all, 0, 0)).isEmpty();
        assertThat(names(all, 1, 0)).containsExactly("a");
        assertThat(names(all, 11, 0)).containsExactly("a", "b");
        assertThat(names(all, 1000, 0)).containsExactly("a", "b", "c");
    }

    @Test
    void keepsATenantsMinimumWhileOthersHaveSomethingToGive() {
        var all = List.of(idle("a", "small", 10, 1), idle("b", "big", 10, 2), idle("c", "big", 10, 3));
        assertThat(names(all, 10, 10)).containsExactly("b");
        assertThat(names(all, 20, 10)).containsExactly("b", "a");
        assertThat(names(all, 30, 10)).containsExactly("b", "a", "c");
    }

    @Test
    void takesWhatIsInUseLastSinceItMustBeWaitedFor() {
        var all = List.of(inUse("a", "t", 10, 1), idle("b", "t", 10, 2), idle("none", "t", 0, 0));
        assertThat(names(all, 10, 0)).containsExactly("b");
        assertThat(names(all, 11, 0)).containsExactly("b", "a");
    }
}
