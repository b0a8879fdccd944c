// SPDX-License-Identifier: Apache-2.0
package dev.millrace.benchmarks;

import com.fasterxml.jackson.jr.ob.JSON;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/**
 * The judge of {@code make bench-check}: reads what was measured, compares it with the baseline, says what moved and by
 * how much. Exit status 0 where all holds, 1 where something moved, 2 where there is nothing to compare with.
 */
@Command(name = "bench-check", mixinStandardHelpOptions = true, description = "Compares measures with the baseline.")
public final class BenchCheck implements Callable<Integer> {
    private static final double GIB = 1L << 30;

    @Option(names = "--baseline", required = true, description = "the committed file")
    private Path file = Path.of("");

    @Option(names = "--write", description = "makes the baseline of these measures")
    private boolean write;

    @Option(names = "--kernel", required = true, description = "uname -r")
    private String kernel = "";

    @Option(names = "--file-system", required = true, description = "of the files")
    private String fileSystem = "";

    @Option(names = "--loop-only", description = "without the contenders that need a server")
    private boolean loopOnly;

    @Option(names = "--lines", description = "what was measured, JSON lines; without it only the baseline is looked at")
    private Optional<Path> lines = Optional.empty();

    @Override
    public Integer call() throws IOException {
        Baseline.Machine machine = new Baseline.Machine(
                Runtime.getRuntime().availableProcessors(),
                System.getProperty("os.arch"),
                Baseline.Machine.majorMinor(kernel),
                fileSystem);
        if (write && lines.isEmpty()) {
            return 0;
        }
        if (write) {
            Map<String, Double> measures = measures(Files.readAllLines(lines.get()));
            Files.writeString(file, Baseline.of(machine, measures).toJson());
            System.out.println("The baseline of " + machine.show() + " is " + file + ".");
            return 0;
        }
        Baseline baseline;
        try {
            baseline = Baseline.read(file);
        } catch (IOException e) {
            System.err.println("bench-check: " + e.getMessage());
            return 2;
        }
        Optional<String> refusal = baseline.refusal(machine);
        if (refusal.isPresent()) {
            System.err.println("bench-check: " + refusal.get());
            return 2;
        }
        return lines.isEmpty() ? 0 : judge(baseline, measures(Files.readAllLines(lines.get())), loopOnly);
    }

    private static int judge(Baseline baseline, Map<String, Double> measures, boolean loopOnly) {
        double speed = measures.getOrDefault("control_speed", Double.NaN);
        double cpu = measures.getOrDefault("control_cpu", Double.NaN);
        boolean quiet = !PeerTable.strays(speed) && !PeerTable.strays(cpu);
        List<Baseline.Finding> findings = baseline.compare(measures, quiet, loopOnly);
        findings.forEach(finding -> System.out.println((finding.failed() ? "FAIL  " : "      ") + finding.sentence()));
        if (!loopOnly) {
            System.out.println("      control, limit.c against itself: " + Baseline.number(speed) + "x the throughput, "
                    + Baseline.number(cpu) + "x the CPU" + (quiet ? "" : ": the machine is noisy"));
        }
        long failed = findings.stream().filter(Baseline.Finding::failed).count();
        System.out.println(
                failed == 0
                        ? "bench-check: nothing got worse."
                        : "bench-check: " + failed + " of " + findings.size() + " measures moved.");
        return failed == 0 ? 0 : 1;
    }

    /** The measures out of the lines: what the process measured of itself, and rounds of contenders beside limit.c. */
    static Map<String, Double> measures(List<String> lines) throws IOException {
        Map<String, Double> measures = new LinkedHashMap<>();
        Map<String, List<Map<String, Object>>> rounds = new LinkedHashMap<>();
        for (String line : lines) {
            Map<String, Object> json = JSON.std.mapFrom(line);
            if (!json.containsKey("contender")) {
                json.forEach((name, value) -> {
                    if (value instanceof Number number) {
                        measures.put(name, number.doubleValue());
                    }
                });
            } else if (PeerTable.number(json, "round") > 0) {
                rounds.computeIfAbsent(String.valueOf(json.get("contender")), key -> new ArrayList<>())
                        .add(json);
            }
        }
        put(measures, "loop_cpu_to_limit", cpu(rounds, "java-loop") / cpu(rounds, "limit.c"));
        put(measures, "loop_speed_to_limit", speed(rounds, "java-loop") / speed(rounds, "limit.c"));
        put(measures, "get_cpu_to_limit", cpu(rounds, "get") / cpu(rounds, "limit.c"));
        put(measures, "control_cpu", cpu(rounds, "limit.c-again") / cpu(rounds, "limit.c"));
        put(measures, "control_speed", speed(rounds, "limit.c-again") / speed(rounds, "limit.c"));
        for (String kind : List.of("fixed_writes", "plain_writes")) {
            put(
                    measures,
                    "get_" + kind + "_per_gib",
                    Spread.of(
                                    rounds.getOrDefault("get", List.of()),
                                    round -> PeerTable.number(round, kind) * GIB / PeerTable.number(round, "bytes"))
                            .most());
        }
        return measures;
    }

    private static void put(Map<String, Double> measures, String name, double value) {
        if (Double.isFinite(value)) {
            measures.put(name, value);
        }
    }

    private static double cpu(Map<String, List<Map<String, Object>>> rounds, String contender) {
        return Spread.of(
                        rounds.getOrDefault(contender, List.of()),
                        round -> PeerTable.number(round, "cpu_seconds_per_gib"))
                .middle();
    }

    private static double speed(Map<String, List<Map<String, Object>>> rounds, String contender) {
        return Spread.of(
                        rounds.getOrDefault(contender, List.of()),
                        round -> PeerTable.number(round, "bytes") / PeerTable.number(round, "seconds"))
                .middle();
    }

    /** Runs; see the class. */
    public static void main(String... args) {
        System.exit(Commands.run(new BenchCheck(), args));
    }
}
