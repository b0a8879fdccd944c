// SPDX-License-Identifier: Apache-2.0
package dev.millrace.benchmarks;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class PeerTableTest {
    @TempDir
    Path folder;

    private static String round(String contender, int round, double seconds, double cpu) {
        return String.format(
                Locale.ROOT,
                "{\"workload\":\"64 x 16 MiB, 16 at once, HTTP\",\"scheme\":\"http\",\"objects\":64,\"concurrency\":16,"
                        + "\"contender\":\"%s\",\"round\":%d,\"bytes\":1000000000,\"seconds\":%f,"
                        + "\"cpu_seconds_per_gib\":%f}",
                contender,
                round,
                seconds,
                cpu);
    }

    private static List<String> run(double control) {
        List<String> lines = new ArrayList<>();
        lines.add("{\"machine\":\"m\"}");
        // The disk gets slower and slower for all: ratios within a round stay.
        for (int round = 0; round < 4; round++) {
            double slow = round == 0 ? 50 : 1 << round;
            lines.add(round("limit.c", round, slow, 0.2));
            lines.add(round("get-io_uring", round, 2 * slow, 0.4));
            lines.add(round("limit.c-again", round, slow * control, 0.2));
        }
        return lines;
    }

    @Test
    void shouldTakeRatiosWithinARoundAndLeaveTheColdOneOut() {
        String table = PeerTable.of(run(1));
        assertThat(table).contains("0.50 (0.50–0.50) | 2.00 (2.00–2.00)");
        assertThat(table).contains("| get-io_uring | 125 (63–250) |");
        assertThat(table).contains("| 10, 0.40 |");
        assertThat(table).contains("Control: limit.c against itself: 1.00x the throughput");
    }

    @Test
    void shouldCallAComparisonUnusableWhoseControlStrays() {
        assertThat(PeerTable.of(run(1.12)))
                .contains("Unusable: the machine is noisy")
                .contains("0.89x the throughput");
        assertThat(PeerTable.of(run(1.08))).doesNotContain("Unusable");
        assertThat(PeerTable.of(run(1).subList(0, 3))).contains("There is no control");
    }

    @Test
    void shouldMarkAsPartialWhatHasNoEnd() {
        List<String> lines = run(1);
        assertThat(PeerTable.of(lines)).contains("**Partial: the run was broken off.**");
        lines.add("{\"end\":\"partial\",\"reason\":\"the disk is full.\"}");
        assertThat(PeerTable.of(lines)).contains("**Partial: the disk is full.**");
        lines.set(lines.size() - 1, "{\"end\":\"complete\"}");
        assertThat(PeerTable.of(lines)).doesNotContain("Partial");
    }

    @Test
    void shouldShowWhyAContenderHasNoFigures() {
        List<String> lines = run(1);
        lines.add("{\"workload\":\"64 x 16 MiB, 16 at once, HTTP\",\"contender\":\"s5cmd\","
                + "\"failure\":\"s5cmd is not installed\"}");
        assertThat(PeerTable.of(lines)).contains("| s5cmd | s5cmd is not installed |");
    }

    @Test
    void shouldReadLinesWhoseLastOneWasCutOffAndRefuseOthers() {
        List<String> lines = run(1);
        lines.add("{\"workload\":\"64 x");
        assertThat(PeerTable.of(lines)).contains("get-io_uring");
        lines.add("{}");
        assertThatThrownBy(() -> PeerTable.of(lines)).hasMessageContaining("Line 14 is no JSON");
    }

    @Test
    void shouldDrawThroughputAndCpuAsSvgAndPng() throws IOException {
        List<Path> plots = PeerPlots.draw(run(1), folder.resolve("run"));
        assertThat(plots).hasSize(4);
        assertThat(Files.readString(folder.resolve("run-http-cpu.svg"))).contains("<svg");
        assertThat(folder.resolve("run-http-throughput.png")).isNotEmptyFile();
    }
}
