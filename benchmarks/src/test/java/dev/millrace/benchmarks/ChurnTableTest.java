// SPDX-License-Identifier: Apache-2.0
package dev.millrace.benchmarks;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.util.List;
import org.junit.jupiter.api.Test;

class ChurnTableTest {
    private static String run(int round, int concurrency, String engine, double speed, double cpu, double own) {
        return "{\"round\":" + round + ",\"asked_engine\":\"" + engine + "\",\"concurrency\":" + concurrency
                + ",\"downloads_count\":10,\"mib_per_s\":" + speed + ",\"server_cpu_seconds\":10,"
                + "\"server_cpu_seconds_per_gib\":" + cpu + ",\"benchmark_cpu_seconds\":" + own
                + ",\"server_rss_bytes\":104857600,\"download_latency_ms\":{\"p50\":1,\"p99\":2.5,\"max\":3},\"engine\":\""
                + engine + "\",\"binding\":\"ffm\"}";
    }

    @Test
    void ratiosAreThoseOfOneRound() throws IOException {
        String table = ChurnTable.of(List.of(
                "{\"machine\":\"m\"}",
                "{\"warm_up\":true,\"asked_engine\":\"io_uring\",\"concurrency\":1,\"mib_per_s\":9999}",
                run(1, 1, "io_uring", 200, 0.5, 0.5),
                run(1, 1, "blocking", 100, 1, 0.5),
                run(2, 1, "blocking", 400, 1, 0.5),
                run(2, 1, "io_uring", 400, 0.6, 0.5)));
        assertThat(table).startsWith("- machine: m\n").doesNotContain("9999");
        assertThat(table)
                .contains("| 1 | io_uring | io_uring, ffm | 300 (200–400) | 10 | 0.550 (0.500–0.600) |")
                .contains("| 1.50 (1.00–2.00) | 0.550 (0.500–0.600) | - |\n");
        assertThat(table)
                .contains("io_uring at no lower throughput than blocking at 1 at once: met (1.500)")
                .contains("io_uring takes less CPU a GiB than blocking at 10 at once: not measured")
                .contains("in each run: met (0.050)");
    }

    @Test
    void theDownloadPathAloneIsWhatChurnIsMeasuredBy() throws IOException {
        String bare = ",\"bare\":true,\"asked_engine\":\"io_uring\",\"mib_per_s\":";
        String table = ChurnTable.of(List.of(
                run(1, 1, "io_uring", 95, 1, 0.1),
                "{\"round\":1,\"concurrency\":1" + bare + "100}",
                run(1, 10, "io_uring", 80, 1, 0.1),
                "{\"round\":1,\"concurrency\":10" + bare + "100}",
                "{\"round\":2,\"concurrency\":10" + bare + "7777}"));
        assertThat(table)
                .contains("| - | - | 0.95 (0.95–0.95) |\n")
                .contains("of what the download path alone reaches at 1 at once: met (0.950)")
                .contains("of what the download path alone reaches at 10 at once: NOT MET (0.800)")
                .contains("of what the download path alone reaches at 100 at once: not measured")
                .doesNotContain("7777");
    }

    @Test
    void goalsThatAreNotMetAreSaid() throws IOException {
        String table = ChurnTable.of(List.of(
                run(1, 1, "io_uring", 99, 1, 1), run(1, 1, "blocking", 100, 1, 0.1),
                run(1, 10, "io_uring", 100, 1.1, 1), run(1, 10, "blocking", 100, 1, 0.1)));
        assertThat(table)
                .contains("blocking at 1 at once: NOT MET (0.990)")
                .contains("blocking at 10 at once: NOT MET (1.100)")
                .contains("in each run: NOT MET (0.100)");
    }

    @Test
    void runsThatAreNotWholeAreNamedAndNotCounted() throws IOException {
        String table = ChurnTable.of(
                List.of(
                        run(1, 1, "blocking", 100, 1, 0.1),
                        "{\"round\":1,\"asked_engine\":\"io_uring\",\"concurrency\":1,\"error\":\"exit status 1\"}",
                        "{\"round\":1,\"asked_engine\":\"epoll\",\"concurrency\":1,\"mib_per_s\":7777,\"partial\":true,\"reason\":\"it died\"}"));
        assertThat(table)
                .contains("Not in the table: io_uring, 1 at once, round 1: exit status 1")
                .contains("Not in the table: epoll, 1 at once, round 1: it died")
                .doesNotContain("7777");
    }
}
