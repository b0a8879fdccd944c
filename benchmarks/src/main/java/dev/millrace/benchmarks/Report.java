// SPDX-License-Identifier: Apache-2.0
package dev.millrace.benchmarks;

import com.fasterxml.jackson.jr.ob.JSON;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.StringJoiner;
import java.util.concurrent.Callable;
import java.util.function.ToDoubleFunction;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/**
 * What the lines of a comparison say: a Markdown table of what each contender did, and one of the ratios. Each line has a
 * {@code workload}, a {@code contender} and a {@code pair}: contenders of one pair ran one after the other, so a ratio is
 * taken inside a pair, and the spread is that of the pairs. Cold rounds are told apart and left out of all medians.
 */
@Command(name = "report", mixinStandardHelpOptions = true, description = "Tables from the lines of a comparison.")
public final class Report implements Callable<Integer> {
    @Parameters(index = "0", description = "the lines, JSON each")
    private Path lines = Path.of("");

    @Parameters(index = "1", description = "the contender that the others are measured by")
    private String yardstick = "";

    /** One round. */
    private record Round(Map<String, Object> json) {
        String text(String key) {
            return String.valueOf(json.getOrDefault(key, "-"));
        }

        double number(String key) {
            return json.get(key) instanceof Number number ? number.doubleValue() : 0;
        }

        boolean cold() {
            return json.containsKey("round") && number("round") == 0;
        }

        double speed() {
            return number("bytes") / 1e6 / number("seconds");
        }

        double cpu() {
            return number("cpu_seconds_per_gib");
        }

        double operations() {
            return json.containsKey("completions")
                    ? number("completions") / number("enters")
                    : number("operations_per_turn");
        }

        String hugePages() {
            return json.containsKey("huge_kib") ? String.valueOf(number("huge_kib") > 0) : text("huge_pages");
        }

        boolean whole() {
            return Boolean.TRUE.equals(json.get("whole_process"));
        }

        double machine() {
            return number("machine_cpu_seconds_per_gib");
        }
    }

    @Override
    public Integer call() throws IOException {
        System.out.print(of(Files.readAllLines(lines), yardstick));
        return 0;
    }

    /** The tables, in Markdown. */
    static String of(List<String> lines, String yardstick) throws IOException {
        StringJoiner out = new StringJoiner("\n", "", "\n");
        Map<String, Map<String, List<Round>>> workloads = new LinkedHashMap<>();
        Map<String, Map<String, List<Round>>> processes = new LinkedHashMap<>();
        for (String line : lines) {
            Map<String, Object> json = JSON.std.mapFrom(line);
            if (json.containsKey("workload")) {
                Round round = new Round(json);
                (round.whole() ? processes : workloads)
                        .computeIfAbsent(round.text("workload"), key -> new LinkedHashMap<>())
                        .computeIfAbsent(round.text("contender"), key -> new ArrayList<>())
                        .add(round);
            } else if (json.containsKey("machine")) {
                json.forEach((key, value) -> out.add("- " + key + ": " + value));
                out.add("");
            }
        }
        out.add("| workload | contender | engine | binding | direct | huge pages | GiB warm | MB/s | CPU s/GiB | "
                + "machine's CPU s/GiB | cold: MB/s, CPU s/GiB | fixed / plain writes | operations a turn | "
                + "kernel workers |");
        out.add("|:--|:--|:--|:--|:--|:--|--:|--:|--:|--:|--:|--:|--:|--:|");
        workloads.forEach((workload, contenders) ->
                contenders.forEach((contender, rounds) -> out.add(row(workload, contender, rounds))));
        out.add("");
        out.add("| workload | contender / " + yardstick + " | throughput | CPU |");
        out.add("|:--|:--|--:|--:|");
        workloads.forEach((workload, contenders) -> contenders.forEach((contender, rounds) -> {
            if (!contender.equals(yardstick) && contenders.containsKey(yardstick)) {
                out.add(ratio(workload, contender, rounds, contenders.get(yardstick)));
            }
        }));
        if (!processes.isEmpty()) {
            out.add("");
            out.add("| whole process, JVM start included | contender | GiB | MB/s | CPU s/GiB in the window | "
                    + "CPU s of the process | CPU s a GiB more costs |");
            out.add("|:--|:--|--:|--:|--:|--:|--:|");
            processes.forEach((workload, contenders) ->
                    contenders.forEach((contender, runs) -> out.add(process(workload, contender, runs))));
        }
        return out.toString();
    }

    /** Runs of a process over manifests of several sizes: the last is the longest. */
    private static String process(String workload, String contender, List<Round> runs) {
        Round first = runs.get(0);
        Round last = runs.get(runs.size() - 1);
        double more = (last.number("bytes") - first.number("bytes")) / (1L << 30);
        double cpu = last.number("process_cpu_seconds") - first.number("process_cpu_seconds");
        return "| "
                + String.join(
                        " | ",
                        workload,
                        contender,
                        String.format(Locale.ROOT, "%.0f", last.number("bytes") / (1L << 30)),
                        String.format(Locale.ROOT, "%.0f", last.speed()),
                        String.format(Locale.ROOT, "%.2f", last.cpu()),
                        String.format(Locale.ROOT, "%.1f", last.number("process_cpu_seconds")),
                        more > 0 ? String.format(Locale.ROOT, "%.2f", cpu / more) : "-")
                + " |";
    }

    private static String row(String workload, String contender, List<Round> rounds) {
        List<Round> warm = warm(rounds);
        List<Round> cold = rounds.stream().filter(Round::cold).toList();
        Round any = rounds.get(rounds.size() - 1);
        double machine = Spread.of(warm, Round::machine).middle();
        return "| "
                + String.join(
                        " | ",
                        workload,
                        contender,
                        any.text("engine"),
                        any.text("binding"),
                        any.text("direct_io"),
                        any.hugePages(),
                        String.format(
                                Locale.ROOT,
                                "%.0f",
                                warm.stream()
                                                .mapToDouble(r -> r.number("bytes"))
                                                .sum()
                                        / (1L << 30)),
                        Spread.of(warm, Round::speed).show("%.0f"),
                        Spread.of(warm, Round::cpu).show("%.3f"),
                        machine > 0 ? String.format(Locale.ROOT, "%.2f", machine) : "-",
                        String.format(
                                Locale.ROOT,
                                "%.0f, %.2f",
                                Spread.of(cold, Round::speed).middle(),
                                Spread.of(cold, Round::cpu).middle()),
                        String.format(Locale.ROOT, "%.0f / %.0f", sum(warm, "fixed_writes"), sum(warm, "plain_writes")),
                        String.format(
                                Locale.ROOT,
                                "%.1f",
                                Spread.of(warm, Round::operations).middle()),
                        String.format(
                                Locale.ROOT,
                                "%.0f",
                                Spread.of(rounds, r -> r.number("kernel_workers"))
                                        .most()))
                + " |";
    }

    private static String ratio(String workload, String contender, List<Round> ours, List<Round> theirs) {
        return "| "
                + String.join(
                        " | ",
                        workload,
                        contender,
                        pairs(ours, theirs, Round::speed).show("%.2f"),
                        pairs(ours, theirs, Round::cpu).show("%.3f"))
                + " |";
    }

    /** The ratio of the medians in each pair. */
    private static Spread pairs(List<Round> ours, List<Round> theirs, ToDoubleFunction<Round> value) {
        Map<String, List<Round>> rivals = warm(theirs).stream().collect(Collectors.groupingBy(r -> r.text("pair")));
        return Spread.of(warm(ours).stream().collect(Collectors.groupingBy(r -> r.text("pair"))).entrySet().stream()
                .filter(pair -> rivals.containsKey(pair.getKey()))
                .mapToDouble(pair -> Spread.of(pair.getValue(), value).middle()
                        / Spread.of(rivals.get(pair.getKey()), value).middle())
                .toArray());
    }

    private static double sum(List<Round> rounds, String key) {
        return rounds.stream().mapToDouble(round -> round.number(key)).sum();
    }

    private static List<Round> warm(List<Round> rounds) {
        return rounds.stream().filter(round -> !round.cold()).toList();
    }

    /** Runs; see the class. */
    public static void main(String... args) {
        System.exit(Commands.run(new Report(), args));
    }
}
