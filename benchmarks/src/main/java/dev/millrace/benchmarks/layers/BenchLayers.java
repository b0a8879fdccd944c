// SPDX-License-Identifier: Apache-2.0
package dev.millrace.benchmarks.layers;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import org.openjdk.jmh.profile.GCProfiler;
import org.openjdk.jmh.results.Result;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.CommandLineOptionException;
import org.openjdk.jmh.runner.options.CommandLineOptions;
import org.openjdk.jmh.runner.options.OptionsBuilder;

/** Runs the benchmarks of layers with JMH's own options, and prints time and allocation of each with what is wanted. */
public final class BenchLayers {
    private static final String ALLOCATION = "gc.alloc.rate.norm";
    private static final double RECORD_NANOS = 50;
    private static final double SEARCH_NANOS = 2000;

    private BenchLayers() {}

    /** Whatever JMH takes. */
    public static void main(String[] args) throws RunnerException, CommandLineOptionException {
        Collection<RunResult> results = new Runner(new OptionsBuilder()
                        .parent(new CommandLineOptions(args))
                        .include("\\.layers\\.\\w+Benchmark\\.")
                        .addProfiler(GCProfiler.class)
                        .build())
                .run();
        List<String> lines = new ArrayList<>();
        for (RunResult result : results) {
            String path = result.getParams().getBenchmark();
            String name = path.substring(path.lastIndexOf('.') + 1);
            String shape =
                    Optional.ofNullable(result.getParams().getParam("shape")).orElse("");
            Result<?> time = result.getPrimaryResult();
            Result<?> allocated = result.getSecondaryResults().get(ALLOCATION);
            lines.add(String.format(
                    Locale.ROOT,
                    "| %s | %s | %.0f | %.0f | %s | %s |",
                    name,
                    shape,
                    time.getScore(),
                    time.getScoreError(),
                    allocated == null ? "?" : String.format(Locale.ROOT, "%.1f", allocated.getScore()),
                    wanted(name)));
        }
        System.out.println("\n| what | map | ns | +- | B | wanted |\n|:--|:--|--:|--:|--:|:--|");
        lines.forEach(System.out::println);
    }

    private static String wanted(String name) {
        return switch (name) {
            case "record" -> String.format(Locale.ROOT, "%.0f ns, 0 B", RECORD_NANOS);
            case "recordByTwo", "recordInTurn" -> "0 B";
            case "newest", "anyVersion" -> String.format(Locale.ROOT, "%.0f ns", SEARCH_NANOS);
            default -> "";
        };
    }
}
