// SPDX-License-Identifier: Apache-2.0
package dev.millrace.layers.stats;

import static dev.millrace.layers.AccessKind.DUMP;
import static dev.millrace.layers.AccessKind.GET_VALUE_RECONSTRUCT_DATA;
import static dev.millrace.layers.AccessKind.ITER;
import static dev.millrace.layers.AccessKind.KEY_ITER;
import static dev.millrace.layers.TaskKind.COMPACTION;
import static dev.millrace.layers.TaskKind.EVICTION;
import static dev.millrace.layers.TaskKind.MGMT_REQUEST;
import static dev.millrace.layers.TaskKind.PAGE_REQUEST_HANDLER;
import static dev.millrace.layers.stats.ResidenceReason.LAYER_CREATE;
import static dev.millrace.layers.stats.ResidenceReason.LAYER_LOAD;
import static dev.millrace.layers.stats.ResidenceReason.RESIDENCE_CHANGE;
import static dev.millrace.layers.stats.ResidenceStatus.EVICTED;
import static dev.millrace.layers.stats.ResidenceStatus.RESIDENT;
import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import dev.millrace.layers.AccessKind;
import dev.millrace.layers.TaskKind;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.openjdk.jol.info.GraphLayout;

class AccessStatisticsTest {
    private static final long LATE = 4_000_000_000_000L;
    private static final Map<AccessKind, Long> NO_ACCESS =
            Map.of(GET_VALUE_RECONSTRUCT_DATA, 0L, ITER, 0L, KEY_ITER, 0L, DUMP, 0L);

    private static final Map<AccessKind, TaskKind> TASKS = Map.of(
            GET_VALUE_RECONSTRUCT_DATA, PAGE_REQUEST_HANDLER, ITER, COMPACTION, KEY_ITER, EVICTION, DUMP, MGMT_REQUEST);

    private final AccessStatistics statistics = new AccessStatistics();

    private static LayerAccess access(long when, TaskKind task, AccessKind kind) {
        return new LayerAccess(when, task.label(), kind);
    }

    private static long memory(AccessStatistics statistics) {
        return GraphLayout.parseInstance(statistics).totalSize();
    }

    @Test
    void knowsNothingBeforeTheFirstAccess() {
        LayerAccessStats stats = statistics.snapshot();
        assertThat(stats.accessCounts()).isEqualTo(NO_ACCESS);
        assertThat(stats.taskKinds()).isEmpty();
        assertThat(stats.first()).isEmpty();
        assertThat(stats.accesses()).isEqualTo(new HistoryBuffer<>(16));
        assertThat(stats.residenceEvents()).isEqualTo(new HistoryBuffer<>(16));
        assertThat(statistics.lastAccessMillis()).isEmpty();
        assertThat(statistics.lastResidenceChangeMillis()).isEmpty();
    }

    @Test
    void remembersTheFirstAccessCountsOfKindsAndTheLastSixteen() {
        statistics.recordAccess(ITER, COMPACTION, LATE);
        for (int i = 1; i < 40; i++) {
            statistics.recordAccess(i % 4 == 0 ? KEY_ITER : GET_VALUE_RECONSTRUCT_DATA, PAGE_REQUEST_HANDLER, LATE + i);
        }
        LayerAccessStats stats = statistics.snapshot();
        assertThat(stats.first()).contains(access(LATE, COMPACTION, ITER));
        assertThat(stats.accessCounts())
                .isEqualTo(Map.of(GET_VALUE_RECONSTRUCT_DATA, 30L, ITER, 1L, KEY_ITER, 9L, DUMP, 0L));
        assertThat(stats.taskKinds()).containsExactly("PageRequestHandler", "Compaction");
        List<LayerAccess> last = LongStream.range(24, 40)
                .mapToObj(
                        i -> access(LATE + i, PAGE_REQUEST_HANDLER, i % 4 == 0 ? KEY_ITER : GET_VALUE_RECONSTRUCT_DATA))
                .toList();
        assertThat(stats.accesses()).isEqualTo(HistoryBuffer.of(16, last, 24));
        assertThat(stats.accessTime()).hasValue(LATE + 39);
        assertThat(statistics.snapshot()).as("looking changes nothing").isEqualTo(stats);
    }

    @Test
    void keepsTheOrderOfALongHistory() {
        // More laps around the ring than the bits of a lap can tell apart.
        int accesses = 16 * 5000 + 7;
        for (int i = 0; i < accesses; i++) {
            statistics.recordAccess(DUMP, EVICTION, i);
        }
        HistoryBuffer<LayerAccess> history = statistics.snapshot().accesses();
        assertThat(history.dropCount()).isEqualTo(accesses - 16);
        assertThat(history)
                .extracting(LayerAccess::whenMillis)
                .containsExactlyElementsOf(
                        LongStream.range(accesses - 16, accesses).boxed().toList());
    }

    @Test
    void tellsEveryTaskKindAndAccessKindApart() {
        for (int index = 0; index <= TaskKind.of("AnotherKind").index(); index++) {
            for (AccessKind kind : AccessKind.values()) {
                AccessStatistics one = new AccessStatistics();
                one.recordAccess(kind, TaskKind.at(index), 17);
                assertThat(one.snapshot().accesses()).containsExactly(access(17, TaskKind.at(index), kind));
                assertThat(one.snapshot().taskKinds())
                        .containsExactly(TaskKind.at(index).label());
                assertThat(one.snapshot().accessCounts()).containsEntry(kind, 1L);
            }
        }
    }

    @Test
    void recordsMomentsOutsideOfWhatItCanHoldAsTheNearest() {
        statistics.recordAccess(ITER, EVICTION, -5);
        statistics.recordAccess(ITER, EVICTION, Long.MAX_VALUE);
        statistics.recordResidence(RESIDENT, LAYER_LOAD, Long.MIN_VALUE);
        assertThat(statistics.snapshot().accesses())
                .containsExactly(access(0, EVICTION, ITER), access((1L << 44) - 1, EVICTION, ITER));
        assertThat(statistics.snapshot().residenceEvents())
                .containsExactly(new ResidenceEvent(0, RESIDENT, LAYER_LOAD));
    }

    @Test
    void remembersTheLastSixteenTimesItCameOrWent() {
        HistoryBuffer<ResidenceEvent> expected = new HistoryBuffer<>(16);
        for (int i = 0; i < 50; i++) {
            ResidenceEvent event = new ResidenceEvent(
                    LATE + i, i % 2 == 0 ? RESIDENT : EVICTED, i == 0 ? LAYER_CREATE : RESIDENCE_CHANGE);
            statistics.recordResidence(event.status(), event.reason(), event.timestampMillis());
            expected.write(event);
            assertThat(statistics.snapshot().residenceEvents()).isEqualTo(expected);
        }
        assertThat(statistics.lastResidenceChangeMillis()).hasValue(LATE + 49);
        assertThat(statistics.snapshot().first()).as("that was no access").isEmpty();
    }

    @ParameterizedTest
    @EnumSource(StatisticsReset.class)
    void clearsWhatIsAskedForAndTellsWhatWasBefore(StatisticsReset reset) {
        statistics.recordResidence(RESIDENT, LAYER_LOAD, 1);
        for (int i = 0; i < 20; i++) {
            statistics.recordAccess(ITER, COMPACTION, 10 + i);
        }
        LayerAccessStats before = statistics.snapshot();
        assertThat(statistics.snapshotAndReset(reset)).isEqualTo(before);
        LayerAccessStats after = statistics.snapshot();
        switch (reset) {
            case NO_RESET -> assertThat(after).isEqualTo(before);
            case JUST_TASK_KIND_FLAGS -> {
                assertThat(after.taskKinds()).isEmpty();
                assertThat(after)
                        .usingRecursiveComparison()
                        .ignoringFields("taskKinds")
                        .isEqualTo(before);
                statistics.recordAccess(ITER, EVICTION, 99);
                assertThat(statistics.snapshot().taskKinds()).containsExactly("Eviction");
                assertThat(statistics.snapshot().first()).contains(access(10, COMPACTION, ITER));
            }
            case ALL_STATS -> {
                assertThat(after.accessCounts()).isEqualTo(NO_ACCESS);
                assertThat(after.taskKinds()).isEmpty();
                assertThat(after.accesses()).isEqualTo(new HistoryBuffer<>(16));
                assertThat(after.residenceEvents()).isEqualTo(new HistoryBuffer<>(16));
                statistics.recordAccess(DUMP, EVICTION, 99);
                assertThat(statistics.snapshot().first()).contains(access(99, EVICTION, DUMP));
                assertThat(statistics.snapshot().accesses().dropCount()).isZero();
            }
        }
    }

    @ParameterizedTest
    @EnumSource(StatisticsReset.class)
    void neverChangesWhatEvictionGoesBy(StatisticsReset reset) {
        statistics.recordAccess(ITER, COMPACTION, 20);
        statistics.recordAccess(ITER, COMPACTION, 19);
        statistics.recordResidence(EVICTED, RESIDENCE_CHANGE, 30);
        statistics.snapshotAndReset(reset);
        assertThat(statistics.lastAccessMillis())
                .as("the latest, whoever came last")
                .hasValue(20);
        assertThat(statistics.lastResidenceChangeMillis()).hasValue(30);
        assertThat(statistics.snapshot().accessTime()).hasValue(20);
        assertThat(statistics.snapshot().residenceTime()).hasValue(30);
    }

    @Test
    void isSmall() {
        assertThat(memory(statistics)).isLessThanOrEqualTo(96);
        for (int i = 0; i < 5; i++) {
            statistics.recordResidence(RESIDENT, LAYER_LOAD, LATE);
            assertThat(memory(statistics)).as("never read").isLessThanOrEqualTo(96);
        }
        for (int i = 0; i < 100; i++) {
            statistics.recordResidence(RESIDENT, RESIDENCE_CHANGE, LATE);
            statistics.recordAccess(ITER, TaskKind.at(i % 5), LATE);
            assertThat(memory(statistics)).as("read").isLessThanOrEqualTo(400);
        }
        statistics.snapshotAndReset(StatisticsReset.ALL_STATS);
        assertThat(memory(statistics)).as("reset").isLessThanOrEqualTo(96);
    }

    @Test
    void recordsAnAccessWithoutAllocation() {
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        recordSome(100);
        long before = threads.getCurrentThreadAllocatedBytes();
        recordSome(10_000);
        assertThat(threads.getCurrentThreadAllocatedBytes() - before).isLessThan(1000);
    }

    private void recordSome(int times) {
        for (int i = 0; i < times; i++) {
            statistics.recordAccess(GET_VALUE_RECONSTRUCT_DATA, PAGE_REQUEST_HANDLER, LATE + i);
        }
    }

    @Test
    void losesNothingToResetsThatRaceWithAccesses() throws InterruptedException {
        int each = 40_000;
        List<Thread> readers = new ArrayList<>();
        for (AccessKind kind : AccessKind.values()) {
            TaskKind task = TASKS.get(kind);
            int base = (task.index() + 1) * 1_000_000;
            readers.add(new Thread(() -> {
                for (int i = 0; i < each; i++) {
                    statistics.recordAccess(kind, task, base + i);
                }
            }));
        }
        Map<AccessKind, Long> seen = new EnumMap<>(AccessKind.class);
        readers.forEach(Thread::start);
        boolean running = true;
        while (running) {
            running = readers.stream().anyMatch(Thread::isAlive);
            LayerAccessStats taken = statistics.snapshotAndReset(StatisticsReset.ALL_STATS);
            check(taken);
            taken.accessCounts().forEach((kind, count) -> seen.merge(kind, count, Long::sum));
        }
        for (Thread reader : readers) {
            reader.join();
        }
        assertThat(seen.values()).containsOnly((long) each).hasSize(AccessKind.values().length);
        assertThat(statistics.snapshot().first()).isEmpty();
    }

    /** What a reset takes is whole: all that is in one place is in the others too. */
    private static void check(LayerAccessStats taken) {
        long sum = taken.accessCounts().values().stream()
                .mapToLong(Long::longValue)
                .sum();
        assertThat(taken.accesses().size() + taken.accesses().dropCount()).isEqualTo(sum);
        assertThat(taken.first().isPresent()).isEqualTo(sum > 0);
        for (AccessKind kind : AccessKind.values()) {
            TaskKind task = TASKS.get(kind);
            assertThat(taken.taskKinds().contains(task.label()))
                    .isEqualTo(taken.accessCounts().get(kind) > 0);
            List<Long> times = taken.accesses().toList().stream()
                    .filter(one -> one.accessKind() == kind)
                    .map(LayerAccess::whenMillis)
                    .toList();
            assertThat(times).as("in the order in which they began").isSorted();
            assertThat(times).allMatch(time -> time / 1_000_000 == task.index() + 1);
        }
        if (taken.accesses().dropCount() == 0) {
            assertThat(taken.accesses().toList().stream().findFirst()).isEqualTo(taken.first());
        }
    }
}
