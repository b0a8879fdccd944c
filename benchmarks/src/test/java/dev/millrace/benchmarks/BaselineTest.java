// SPDX-License-Identifier: Apache-2.0
package dev.millrace.benchmarks;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class BaselineTest {
    private static final Baseline.Machine MACHINE = new Baseline.Machine(2, "amd64", "6.18", "ext4");

    @TempDir
    Path folder;

    private static Map<String, Double> measures() {
        Map<String, Double> measures = new LinkedHashMap<>();
        Baseline.RULES.keySet().forEach(name -> measures.put(name, 10.0));
        measures.put("plain_writes_per_gib", 0.0);
        return measures;
    }

    private static List<String> failed(Map<String, Double> now, boolean quiet) {
        return Baseline.of(MACHINE, measures()).compare(now, quiet, false).stream()
                .filter(Baseline.Finding::failed)
                .map(Baseline.Finding::sentence)
                .toList();
    }

    @Test
    void shouldHoldForWhatItWasMadeOf() {
        assertThat(failed(measures(), true)).isEmpty();
    }

    @Test
    void shouldSayWhichMeasureMovedAndByHowMuch() {
        Map<String, Double> now = measures();
        now.put("copies_per_byte", 17.0);
        assertThat(failed(now, true))
                .singleElement()
                .asString()
                .startsWith("copies_per_byte: 10 -> 17 (+70 %), at most 16: MOVED. Tolerance: ");
    }

    @Test
    void shouldLetAMeasureGetBetterButNoCountChange() {
        Map<String, Double> now = measures();
        now.put("copies_per_byte", 1.0);
        now.put("operations_per_turn", 100.0);
        assertThat(failed(now, true)).isEmpty();
        now.put("fixed_writes_per_gib", 9.0);
        now.put("plain_writes_per_gib", 1.0);
        assertThat(failed(now, true)).hasSize(2);
    }

    @Test
    void shouldNotJudgeRatiosToALimitThatIsFarFromItself() {
        Map<String, Double> now = measures();
        now.put("loop_cpu_to_limit", 30.0);
        assertThat(failed(now, true)).hasSize(1);
        assertThat(failed(now, false)).isEmpty();
    }

    @Test
    void shouldMissWhatWasNotMeasured() {
        Map<String, Double> now = measures();
        now.remove("get_cpu_to_limit");
        assertThat(failed(now, true)).containsExactly("get_cpu_to_limit was not measured");
        assertThat(Baseline.of(MACHINE, measures()).compare(now, true, true)).noneMatch(Baseline.Finding::failed);
    }

    @Test
    void shouldRefuseABaselineOfAnotherKindOfMachine() {
        Baseline baseline = Baseline.of(MACHINE, measures());
        assertThat(baseline.refusal(MACHINE)).isEmpty();
        assertThat(baseline.refusal(new Baseline.Machine(8, "amd64", "6.18", "ext4")))
                .hasValueSatisfying(sentence -> assertThat(sentence)
                        .contains("another kind of machine")
                        .contains("8 CPUs")
                        .contains("BASELINE=write"));
        assertThat(Baseline.Machine.majorMinor("6.18.44-fc-v782")).isEqualTo("6.18");
    }

    @Test
    void shouldReadWhatItWrote() throws IOException {
        Path file = Files.writeString(
                folder.resolve("b.json"), Baseline.of(MACHINE, measures()).toJson());
        assertThat(Baseline.read(file)).isEqualTo(Baseline.of(MACHINE, measures()));
    }

    @Test
    void shouldRefuseAnOldOrMissingBaselineInOneSentence() throws IOException {
        assertThatThrownBy(() -> Baseline.read(folder.resolve("none"))).hasMessageContaining("There is no baseline");
        Path old = Files.writeString(folder.resolve("old.json"), "{\"format\": 0}");
        assertThatThrownBy(() -> Baseline.read(old)).hasMessageContaining("is old (format 0");
        Path thin = Files.writeString(folder.resolve("thin.json"), "{\"format\": 2, \"measures\": {}}");
        assertThatThrownBy(() -> Baseline.read(thin)).hasMessageContaining("says nothing of fixed_writes_per_gib");
        Path broken = Files.writeString(folder.resolve("broken.json"), "{");
        assertThatThrownBy(() -> Baseline.read(broken)).hasMessageContaining("is no JSON");
    }

    @Test
    void shouldTakeRatiosOfMediansAndLeaveColdRoundsOut() throws IOException {
        String line = "{\"contender\":\"%s\",\"round\":%d,\"bytes\":1073741824,\"seconds\":%s,"
                + "\"cpu_seconds_per_gib\":%s,\"fixed_writes\":1024,\"plain_writes\":0}";
        Map<String, Double> measures = BenchCheck.measures(List.of(
                "{\"copies_per_byte\":1.5}",
                line.formatted("limit.c", 0, "90", "90"),
                line.formatted("limit.c", 1, "2", "0.2"),
                line.formatted("java-loop", 1, "4", "0.3"),
                line.formatted("get", 1, "4", "0.8"),
                line.formatted("limit.c-again", 1, "2", "0.2")));
        assertThat(measures)
                .containsEntry("copies_per_byte", 1.5)
                .containsEntry("loop_speed_to_limit", 0.5)
                .containsEntry("get_cpu_to_limit", 4.0)
                .containsEntry("control_cpu", 1.0)
                .containsEntry("get_fixed_writes_per_gib", 1024.0);
        assertThat(measures.get("loop_cpu_to_limit")).isBetween(1.49, 1.51);
    }
}
