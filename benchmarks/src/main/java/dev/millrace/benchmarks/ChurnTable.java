// SPDX-License-Identifier: Apache-2.0
package dev.millrace.benchmarks;

import com.fasterxml.jackson.jr.ob.JSON;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.StringJoiner;
import java.util.function.ToDoubleFunction;

/**
 * The Markdown table of a run of {@link BenchChurn}, and what of its goals was met. A ratio is that of two engines in the same
 * round and at the same concurrency; told are its median and its spread over the rounds.
 */
public final class ChurnTable {
    private static final String YARDSTICK = "blocking";
    private static final String GOAL = "io_uring";
    /** What the benchmark itself may cost of what the server costs. */
    private static final double OWN_SHARE = 0.1;
    /** What it reaches at least of what the download path alone does on the same objects. */
    private static final double BARE_SHARE = 0.9;

    private final List<Run> runs;
    /** The download path alone. */
    private final List<Run> bare;

    private final StringJoiner out = new StringJoiner("\n", "", "\n");

    private ChurnTable(List<Run> runs, List<Run> bare) {
        this.runs = runs;
        this.bare = bare;
    }

    /** One run of the benchmark. */
    private record Run(Map<String, Object> json) {
        String asked() {
            return String.valueOf(json.get("asked_engine"));
        }

        int concurrency() {
            return (int) number("concurrency");
        }

        int round() {
            return (int) number("round");
        }

        boolean isWhole() {
            return !json.containsKey("partial") && !json.containsKey("error");
        }

        double number(String key) {
            return json.get(key) instanceof Number number ? number.doubleValue() : Double.NaN;
        }

        double latency(String percentile) {
            return json.get("download_latency_ms") instanceof Map<?, ?> all && all.get(percentile) instanceof Number ms
                    ? ms.doubleValue()
                    : Double.NaN;
        }

        double speed() {
            return number("mib_per_s");
        }

        double cpu() {
            return number("server_cpu_seconds_per_gib");
        }

        double ownShare() {
            return number("benchmark_cpu_seconds") / number("server_cpu_seconds");
        }

        String ran() {
            return json.getOrDefault("engine", "?") + ", " + json.getOrDefault("binding", "?");
        }

        String problem() {
            return String.valueOf(json.getOrDefault("error", json.getOrDefault("reason", "it says nothing")));
        }
    }

    /** The table of lines. */
    static String of(List<String> lines) throws IOException {
        List<Run> runs = new ArrayList<>();
        List<Run> bare = new ArrayList<>();
        StringJoiner head = new StringJoiner("\n", "", "\n");
        for (String line : lines) {
            Map<String, Object> json = JSON.std.mapFrom(line);
            if (!json.containsKey("asked_engine")) {
                json.forEach((key, value) -> head.add("- " + key + ": " + value));
            } else if (Boolean.TRUE.equals(json.get("bare"))) {
                bare.add(new Run(json));
            } else if (!Boolean.TRUE.equals(json.get("warm_up"))) {
                runs.add(new Run(json));
            }
        }
        return head + "\n" + new ChurnTable(runs, bare).table();
    }

    private String table() {
        out.add(
                "| at once | asked | ran | MiB/s | downloads | CPU s/GiB | p50 ms | p99 ms | max ms | server MiB | own CPU / server's"
                        + " | throughput / " + YARDSTICK + " | CPU / " + YARDSTICK
                        + " | throughput / bare downloads |");
        out.add("|--:|:--|:--|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|");
        for (int concurrency :
                runs.stream().mapToInt(Run::concurrency).distinct().sorted().toArray()) {
            for (String engine : runs.stream().map(Run::asked).distinct().toList()) {
                List<Run> mine = whole(engine, concurrency);
                if (!mine.isEmpty()) {
                    out.add(row(engine, concurrency, mine));
                }
            }
        }
        runs.stream()
                .filter(run -> !run.isWhole())
                .forEach(run -> out.add("\nNot in the table: " + run.asked() + ", " + run.concurrency()
                        + " at once, round " + run.round() + ": " + run.problem()));
        goals();
        return out.toString();
    }

    private List<Run> whole(String engine, int concurrency) {
        return whole(runs, engine, concurrency);
    }

    private static List<Run> whole(List<Run> all, String engine, int concurrency) {
        return all.stream()
                .filter(run -> run.isWhole() && run.asked().equals(engine) && run.concurrency() == concurrency)
                .toList();
    }

    private String row(String engine, int concurrency, List<Run> mine) {
        return "| "
                + String.join(
                        " | ",
                        Integer.toString(concurrency),
                        engine,
                        mine.get(mine.size() - 1).ran(),
                        show(Spread.of(mine, Run::speed), "%.0f"),
                        String.format(
                                Locale.ROOT,
                                "%.0f",
                                Spread.of(mine, r -> r.number("downloads_count"))
                                        .middle()),
                        show(Spread.of(mine, Run::cpu), "%.3f"),
                        show(Spread.of(mine, r -> r.latency("p50")), "%.1f"),
                        show(Spread.of(mine, r -> r.latency("p99")), "%.1f"),
                        show(Spread.of(mine, r -> r.latency("max")), "%.1f"),
                        String.format(
                                Locale.ROOT,
                                "%.0f",
                                Spread.of(mine, r -> r.number("server_rss_bytes"))
                                                .most()
                                        / (1 << 20)),
                        show(Spread.of(mine, Run::ownShare), "%.3f"),
                        show(ratio(engine, concurrency, Run::speed), "%.2f"),
                        show(ratio(engine, concurrency, Run::cpu), "%.3f"),
                        show(toBare(engine, concurrency), "%.2f"))
                + " |";
    }

    private static String show(Spread spread, String format) {
        return spread.isEmpty() ? "-" : spread.show(format);
    }

    /** Empty where no round has both. */
    private Spread ratio(String engine, int concurrency, ToDoubleFunction<Run> value) {
        return ratio(engine, concurrency, value, whole(YARDSTICK, concurrency));
    }

    /** Empty where the download path alone did not run beside it. */
    private Spread toBare(String engine, int concurrency) {
        return ratio(engine, concurrency, Run::speed, whole(bare, engine, concurrency));
    }

    private Spread ratio(String engine, int concurrency, ToDoubleFunction<Run> value, List<Run> rivals) {
        return Spread.of(whole(engine, concurrency).stream()
                .flatMap(run -> rivals.stream()
                        .filter(rival -> rival.round() == run.round())
                        .map(rival -> value.applyAsDouble(run) / value.applyAsDouble(rival)))
                .mapToDouble(Double::doubleValue)
                .filter(ratio -> !Double.isNaN(ratio))
                .toArray());
    }

    // ------------------------------------------------------------------ goals

    private void goals() {
        out.add("");
        for (int concurrency : new int[] {1, 10, 100}) {
            boolean one = concurrency == 1;
            Spread ratio = ratio(GOAL, concurrency, one ? Run::speed : Run::cpu);
            goal(
                    GOAL + (one ? " at no lower throughput than " : " takes less CPU a GiB than ") + YARDSTICK + " at "
                            + concurrency + " at once",
                    ratio.isEmpty() ? Optional.empty() : Optional.of(ratio.middle()),
                    one ? ratio.middle() >= 1 : ratio.middle() < 1);
        }
        for (int concurrency : new int[] {1, 10, 100}) {
            Spread ratio = toBare(GOAL, concurrency);
            goal(
                    GOAL + " drives at least " + BARE_SHARE + " of what the download path alone reaches at "
                            + concurrency + " at once",
                    ratio.isEmpty() ? Optional.empty() : Optional.of(ratio.middle()),
                    ratio.middle() >= BARE_SHARE);
        }
        Spread share = Spread.of(runs.stream()
                .filter(Run::isWhole)
                .mapToDouble(Run::ownShare)
                .filter(value -> !Double.isNaN(value))
                .toArray());
        goal(
                "the benchmark costs less than a tenth of the server's CPU, in each run",
                share.isEmpty() ? Optional.empty() : Optional.of(share.most()),
                share.most() < OWN_SHARE);
    }

    private void goal(String what, Optional<Double> figure, boolean met) {
        out.add("- " + what + ": "
                + figure.map(value -> (met ? "met" : "NOT MET") + String.format(Locale.ROOT, " (%.3f)", value))
                        .orElse("not measured"));
    }

    /** Prints the table of a file of lines. */
    public static void main(String... args) throws IOException {
        System.out.print(of(Files.readAllLines(Path.of(args[0]))));
    }
}
