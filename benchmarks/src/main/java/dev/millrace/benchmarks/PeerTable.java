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
import java.util.Optional;
import java.util.StringJoiner;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/**
 * What the lines of {@link BenchPeers} say, in Markdown. Contenders take turns round by round, so a ratio is that of the
 * same round of two contenders; told are its median and spread. Cold rounds are in no median.
 */
@Command(name = "peer-table", mixinStandardHelpOptions = true, description = "Table and plots from the lines of a run.")
public final class PeerTable implements Callable<Integer> {
    private static final double GIB = 1L << 30;
    /** How far the control may be from itself. */
    static final double CONTROL_TOLERANCE = 0.10;

    @Parameters(index = "0", description = "the lines, JSON each")
    private Path lines = Path.of("");

    @Override
    public Integer call() throws IOException {
        List<String> all = Files.readAllLines(lines);
        System.out.print(of(all));
        PeerPlots.draw(all, Path.of(lines.toString().replaceFirst("\\.jsonl$", "")));
        return 0;
    }

    /** All that one contender did on one workload. */
    static final class Row {
        private final String contender;
        private final Map<String, Object> any = new LinkedHashMap<>();
        private final Map<Integer, Map<String, Object>> rounds = new LinkedHashMap<>();

        private Row(String contender) {
            this.contender = contender;
        }

        private void add(Map<String, Object> line) {
            if (line.containsKey("seconds")) {
                rounds.put((int) number(line, "round"), line);
            }
            any.putAll(line);
        }

        String contender() {
            return contender;
        }

        Optional<String> failure() {
            return Optional.ofNullable(any.get("failure")).map(String::valueOf);
        }

        int concurrency() {
            return (int) number(any, "concurrency");
        }

        List<Map<String, Object>> warm() {
            return rounds.entrySet().stream()
                    .filter(round -> round.getKey() > 0)
                    .map(Map.Entry::getValue)
                    .toList();
        }

        Spread speed() {
            return Spread.of(warm(), PeerTable::speed);
        }

        Spread cpu() {
            return Spread.of(warm(), round -> number(round, "cpu_seconds_per_gib"));
        }
    }

    static double number(Map<String, Object> line, String key) {
        return line.get(key) instanceof Number number ? number.doubleValue() : 0;
    }

    private static double speed(Map<String, Object> round) {
        return number(round, "bytes") / 1e6 / number(round, "seconds");
    }

    /** The rows of each workload, in the order in which they came. A last line that is cut off counts for nothing. */
    static Map<String, Map<String, Row>> rows(List<String> lines) {
        Map<String, Map<String, Row>> workloads = new LinkedHashMap<>();
        for (Map<String, Object> line : parsed(lines)) {
            if (line.containsKey("workload")) {
                String contender = String.valueOf(line.get("contender"));
                workloads
                        .computeIfAbsent(String.valueOf(line.get("workload")), key -> new LinkedHashMap<>())
                        .computeIfAbsent(contender, Row::new)
                        .add(line);
            }
        }
        return workloads;
    }

    private static List<Map<String, Object>> parsed(List<String> lines) {
        List<Map<String, Object>> all = new ArrayList<>();
        for (int i = 0; i < lines.size(); i++) {
            try {
                all.add(JSON.std.mapFrom(lines.get(i)));
            } catch (IOException e) {
                if (i < lines.size() - 1) {
                    throw new IllegalArgumentException("Line " + (i + 1) + " is no JSON: " + lines.get(i), e);
                }
            }
        }
        return all;
    }

    /** The table. */
    static String of(List<String> lines) {
        StringJoiner out = new StringJoiner("\n", "", "\n");
        List<Map<String, Object>> all = parsed(lines);
        partial(all).ifPresent(reason -> out.add("**Partial: " + reason + "**").add(""));
        all.stream()
                .filter(line -> !line.containsKey("workload") && !line.containsKey("end"))
                .forEach(head -> {
                    head.forEach((key, value) -> out.add("- " + key + ": " + value));
                    out.add("");
                });
        rows(lines).forEach((workload, rows) -> {
            out.add("### " + workload);
            out.add("");
            out.add(control(rows));
            out.add("");
            out.add("| contender | MB/s | CPU s/GiB | MB/s to limit.c | CPU to limit.c | machine's CPU s/GiB | "
                    + "cold: MB/s, CPU s/GiB | start: CPU s | memory MiB | threads | system calls/GiB | "
                    + "operations a turn | fixed / plain writes | kernel workers |");
            out.add("|:--|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|");
            rows.values().forEach(row -> out.add(row(row, rows)));
            out.add("");
        });
        return out.toString();
    }

    /** Why a run is not whole; a run without its last line was broken off. */
    static Optional<String> partial(List<Map<String, Object>> lines) {
        for (Map<String, Object> line : lines) {
            if (line.containsKey("end")) {
                return "complete".equals(line.get("end"))
                        ? Optional.empty()
                        : Optional.of(String.valueOf(line.getOrDefault("reason", "it was cut short.")));
            }
        }
        return Optional.of("the run was broken off.");
    }

    /** What the control says of a comparison. */
    static String control(Map<String, Row> rows) {
        Optional<Row> first = Optional.ofNullable(rows.get(Contenders.LIMIT))
                .filter(row -> !row.warm().isEmpty());
        Optional<Row> again = Optional.ofNullable(rows.get(Contenders.CONTROL))
                .filter(row -> !row.warm().isEmpty());
        if (first.isEmpty() || again.isEmpty()) {
            return "**There is no control: the limit program did not run twice. Nothing here tells how noisy the machine "
                    + "was.**";
        }
        double speed = again.get().speed().middle() / first.get().speed().middle();
        double cpu = again.get().cpu().middle() / first.get().cpu().middle();
        String told =
                String.format(Locale.ROOT, "limit.c against itself: %.2fx the throughput, %.2fx the CPU", speed, cpu);
        return strays(speed) || strays(cpu)
                ? "**Unusable: the machine is noisy. " + told + ", and more than " + Math.round(CONTROL_TOLERANCE * 100)
                        + " % is too far. Run it again on a quiet machine.**"
                : "Control: " + told + ".";
    }

    static boolean strays(double ratio) {
        return !(Math.abs(ratio - 1) <= CONTROL_TOLERANCE);
    }

    /** The ratio to another contender, round by round. */
    static Spread ratio(Row ours, Row theirs, boolean ofSpeed) {
        return Spread.of(ours.rounds.entrySet().stream()
                .filter(round -> round.getKey() > 0 && theirs.rounds.containsKey(round.getKey()))
                .mapToDouble(round -> {
                    Map<String, Object> other = theirs.rounds.getOrDefault(round.getKey(), Map.of());
                    return ofSpeed
                            ? speed(round.getValue()) / speed(other)
                            : number(round.getValue(), "cpu_seconds_per_gib") / number(other, "cpu_seconds_per_gib");
                })
                .filter(Double::isFinite)
                .toArray());
    }

    private static String row(Row row, Map<String, Row> rows) {
        String name = row.contender()
                + (row.contender().startsWith("limit.c") && "https".equals(row.any.get("scheme")) ? " (HTTP)" : "");
        if (row.warm().isEmpty()) {
            return "| " + name + " | " + row.failure().orElse("no warm round") + " |" + " |".repeat(12);
        }
        Optional<Row> limit = Optional.ofNullable(rows.get(Contenders.LIMIT));
        List<String> cells = new ArrayList<>();
        cells.add(name + row.failure().map(text -> "; later it " + text).orElse(""));
        cells.add(row.speed().show("%.0f"));
        cells.add(row.cpu().show("%.3f"));
        cells.add(limit.map(other -> shown(ratio(row, other, true))).orElse("–"));
        cells.add(limit.map(other -> shown(ratio(row, other, false))).orElse("–"));
        cells.add(orNothing(
                "%.2f",
                Spread.of(row.warm(), r -> number(r, "machine_cpu_seconds_per_gib"))
                        .middle()));
        Map<String, Object> cold = row.rounds.getOrDefault(0, Map.of());
        cells.add(
                cold.isEmpty()
                        ? "–"
                        : String.format(Locale.ROOT, "%.0f, %.2f", speed(cold), number(cold, "cpu_seconds_per_gib")));
        cells.add(orNothing("%.2f", number(row.any, "start_cpu_seconds")));
        cells.add(orNothing(
                "%.0f", Spread.of(row.warm(), r -> number(r, "memory_kib")).most() / 1024));
        cells.add(orNothing(
                "%.0f", Spread.of(row.warm(), r -> number(r, "threads")).most()));
        cells.add(orNothing("%.0f", number(row.any, "system_calls") * GIB / number(row.any, "traced_bytes")));
        cells.add(orNothing("%.2f", Spread.of(row.warm(), PeerTable::operations).middle()));
        double fixed =
                row.warm().stream().mapToDouble(r -> number(r, "fixed_writes")).sum();
        double plain =
                row.warm().stream().mapToDouble(r -> number(r, "plain_writes")).sum();
        boolean counts = fixed + plain > 0;
        cells.add(counts ? String.format(Locale.ROOT, "%.0f / %.0f", fixed, plain) : "–");
        cells.add(
                counts
                        ? String.format(
                                Locale.ROOT,
                                "%.0f",
                                Spread.of(row.warm(), r -> number(r, "kernel_workers"))
                                        .most())
                        : "–");
        return "| " + String.join(" | ", cells) + " |";
    }

    private static double operations(Map<String, Object> round) {
        return round.containsKey("completions")
                ? number(round, "completions") / number(round, "enters")
                : number(round, "operations_per_turn");
    }

    private static String shown(Spread spread) {
        return spread.isEmpty() ? "–" : spread.show("%.2f");
    }

    private static String orNothing(String format, double value) {
        return value > 0 && Double.isFinite(value) ? String.format(Locale.ROOT, format, value) : "–";
    }

    /** Runs; see the class. */
    public static void main(String... args) {
        System.exit(Commands.run(new PeerTable(), args));
    }
}
