// SPDX-License-Identifier: Apache-2.0
package dev.millrace.layers.stats;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millrace.layers.AccessKind;
import dev.millrace.layers.TaskKind;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class AccessLogTest {
    private static final int RING = LayerAccessStats.HISTORY;

    private static void record(long[] log, int place) {
        assertThat(AccessLog.record(log, AccessKind.ITER, TaskKind.COMPACTION, 1_000_000 + place))
                .isTrue();
    }

    /** Its thread has its place and is held up before it writes; a thousand laps go by in a fraction of a millisecond. */
    @ParameterizedTest
    @ValueSource(ints = {1, 2, 2047, 2048, 2049, 3000, 4094})
    void anAccessThatIsHeldUpForManyLapsOverwritesNoNewerOne(int laps) {
        long[] log = AccessLog.create();
        for (int place = 0; place < laps * RING + 7; place++) {
            record(log, place);
        }
        HistoryBuffer<LayerAccess> before = AccessLog.read(log).history();
        assertThat(before.size()).isEqualTo(RING);
        AccessLog.put(log, 5, AccessLog.entry(5, AccessKind.DUMP, TaskKind.EVICTION, 1_000_005));
        assertThat(AccessLog.read(log).history().toList()).isEqualTo(before.toList());
        AccessLog.seal(log);
        AccessLog.put(log, 9, AccessLog.entry(9, AccessKind.DUMP, TaskKind.EVICTION, 1_000_009));
        assertThat(AccessLog.read(log).history().toList())
                .hasSizeLessThanOrEqualTo(RING)
                .doesNotContain(new LayerAccess(1_000_009, TaskKind.EVICTION.label(), AccessKind.DUMP));
    }

    /** And those after it take their places as ever. */
    @ParameterizedTest
    @ValueSource(ints = {1, 2047, 2049, 4094, 5000})
    void theHistoryGoesOnThroughEveryLap(int laps) {
        long[] log = AccessLog.create();
        int count = laps * RING + 3;
        for (int place = 0; place < count; place++) {
            record(log, place);
        }
        assertThat(AccessLog.seal(log).history().toList())
                .extracting(LayerAccess::whenMillis)
                .hasSize(RING)
                .startsWith(1_000_000L + count - RING)
                .endsWith(1_000_000L + count - 1);
    }
}
