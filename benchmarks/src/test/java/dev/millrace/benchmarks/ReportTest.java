// SPDX-License-Identifier: Apache-2.0
package dev.millrace.benchmarks;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.junit.jupiter.api.Test;

final class ReportTest {
    private static String round(String contender, int pair, int round, double seconds, double cpu) {
        return String.format(
                Locale.ROOT,
                "{\"workload\":\"w\",\"contender\":\"%s\",\"pair\":%d,\"round\":%d,\"bytes\":1000000000,\"seconds\":%f,"
                        + "\"cpu_seconds_per_gib\":%f,\"engine\":\"e\"}",
                contender,
                pair,
                round,
                seconds,
                cpu);
    }

    @Test
    void shouldTakeRatiosInsideAPairAndLeaveColdRoundsOut() throws IOException {
        List<String> lines = new ArrayList<>();
        // In the second pair the disk is four times slower for both: the ratio stays.
        for (int pair = 1; pair <= 2; pair++) {
            double slow = pair == 1 ? 1 : 4;
            for (int round = 0; round < 4; round++) {
                double cold = round == 0 ? 100 : 1;
                lines.add(round("ours", pair, round, cold * slow, cold * 0.5));
                lines.add(round("rival", pair, round, 5 * slow, 4));
            }
        }
        String report = Report.of(lines, "rival");
        assertThat(report).contains("| w | ours | 5.00 (5.00–5.00) | 0.125 (0.125–0.125) |");
        assertThat(report).contains("| 6 | 625 (250–1000) |");
        assertThat(report).doesNotContain("| w | rival | 1.00");
    }

    @Test
    void shouldTellWhatAGibMoreCostsAProcess() throws IOException {
        String line = "{\"whole_process\":true,\"workload\":\"w\",\"contender\":\"ours\",\"bytes\":%d,\"seconds\":1,"
                + "\"process_cpu_seconds\":%s}";
        List<String> lines = List.of(
                String.format(Locale.ROOT, line, 1L << 30, "3.0"), String.format(Locale.ROOT, line, 9L << 30, "7.0"));
        assertThat(Report.of(lines, "rival")).contains("| w | ours | 9 | 9664 | 0.00 | 7.0 | 0.50 |");
    }
}
