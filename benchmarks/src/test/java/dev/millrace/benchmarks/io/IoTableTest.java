// SPDX-License-Identifier: Apache-2.0
package dev.millrace.benchmarks.io;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.util.List;
import java.util.Locale;
import org.junit.jupiter.api.Test;

/** The tables of {@code make bench-io}. */
class IoTableTest {
    private static String line(int round, String contender, double rate, double cpu) {
        return String.format(
                Locale.ROOT,
                "{\"round\":%d,\"workload\":\"READ_64\",\"contender\":\"%s\",\"engine\":\"io_uring\",\"binding\":\"ffm\","
                        + "\"direct_io\":true,\"operations_per_second\":%f,\"cpu_us_per_operation\":%f,"
                        + "\"allocated_bytes_per_operation\":0.2}",
                round,
                contender,
                rate,
                cpu);
    }

    private static String rowOf(String table, String start) {
        return table.lines().filter(row -> row.startsWith(start)).findFirst().orElse("there is no " + start);
    }

    @Test
    void takesRatiosInsideARoundAndTheirMedian() throws IOException {
        // The machine was twice as fast in the second round: only the ratios of each round mean something.
        String table = IoTable.of(List.of(
                line(0, "fio", 10_000, 10),
                line(0, "handler", 9_000, 12),
                line(1, "handler", 20_000, 6),
                line(1, "fio", 20_000, 5)));
        assertThat(rowOf(table, "| handler |")).contains("0.95 (0.90–1.00)").contains("| 1.20 |");
        assertThat(rowOf(table, "| fio |")).contains("| 1.00 | 1.00 |");
    }

    @Test
    void saysOfEachGoalWhetherItIsMetAndWhereAFloorIsMissed() throws IOException {
        List<String> good = List.of(line(0, "fio", 10_000, 10), line(0, "handler", 9_500, 12));
        List<String> dear = List.of(line(0, "fio", 10_000, 10), line(0, "handler", 8_500, 14));
        List<String> far = List.of(line(0, "fio", 10_000, 10), line(0, "handler", 8_500, 17));
        String cpu = "| " + Workload.READ_64.title() + " | handler / fio | cpu us per operation |";
        String rate = "| " + Workload.READ_64.title() + " | handler / fio | operations per second |";
        assertThat(rowOf(IoTable.of(good), cpu)).contains("1.20 | ≤ 1.3 | met | ≤ 1.6");
        assertThat(rowOf(IoTable.of(dear), cpu)).contains("1.40 | ≤ 1.3 | not met | ≤ 1.6");
        assertThat(rowOf(IoTable.of(far), cpu)).contains("1.70 | ≤ 1.3 | **below the floor** | ≤ 1.6");
        assertThat(rowOf(IoTable.of(good), rate)).contains("≥ 0.9 | met");
        assertThat(rowOf(IoTable.of(dear), rate)).contains("≥ 0.9 | not met");
        assertThat(rowOf(IoTable.of(good), "| " + Workload.READ_1.title() + " | blocking"))
                .contains("not measured");
    }

    @Test
    void tellsOfOneWhoDidNotRun() throws IOException {
        String table = IoTable.of(List.of(
                "{\"machine\": \"m\"}",
                "{\"round\":0,\"workload\":\"CACHED_1\",\"contender\":\"jasyncfio\",\"failed\":\"no such library\"}"));
        assertThat(table).contains("- machine: m").contains("| jasyncfio | did not run: no such library |");
    }

    @Test
    void measuresEachWorkloadByAYardstickThatIsNotOurs() {
        for (Workload workload : Workload.values()) {
            assertThat(workload.yardstick().isOurs()).as(workload.name()).isFalse();
            assertThat(workload.others()).as(workload.name()).doesNotContain(workload.yardstick());
            assertThat(workload.operations() >= workload.depth())
                    .as(workload.name())
                    .isTrue();
        }
        for (Goal goal : Goal.ALL) {
            assertThat(goal.ours().isOurs()).isTrue();
            assertThat(goal.workload().others()).contains(goal.ours());
            goal.rival()
                    .ifPresent(rival -> assertThat(rival == goal.workload().yardstick()
                                    || goal.workload().others().contains(rival))
                            .as(rival + " at " + goal.workload())
                            .isTrue());
        }
    }
}
