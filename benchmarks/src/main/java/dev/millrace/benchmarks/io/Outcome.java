// SPDX-License-Identifier: Apache-2.0
package dev.millrace.benchmarks.io;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.OptionalDouble;

/**
 * What one contender did in one round: the members of its line.
 *
 * @param round counted from 0
 * @param workload what it did
 * @param contender who it was
 * @param values figures and facts; {@code failed} with a sentence where it did not run
 */
record Outcome(int round, Workload workload, Contender contender, Map<String, Object> values) {
    static final String RATE = "operations_per_second";
    static final String CPU = "cpu_us_per_operation";
    static final String MEDIAN = "median_us";
    static final String ALLOCATED = "allocated_bytes_per_operation";
    static final String LATE = "ticker_late_ms";
    static final String WORKERS = "kernel_workers";
    static final String CARRIERS = "carriers";
    static final String FAILED = "failed";

    /** A line to be written. */
    Map<String, Object> toLine() {
        Map<String, Object> line = new LinkedHashMap<>();
        line.put("round", round);
        line.put("workload", workload.name());
        line.put("contender", contender.label());
        line.putAll(values);
        return line;
    }

    /** From a line. */
    static Outcome of(Map<String, Object> line) {
        String label = String.valueOf(line.get("contender"));
        return new Outcome(
                ((Number) line.getOrDefault("round", 0)).intValue(),
                Workload.valueOf(String.valueOf(line.get("workload"))),
                Contender.of(label),
                line);
    }

    OptionalDouble number(String key) {
        return values.get(key) instanceof Number number
                ? OptionalDouble.of(number.doubleValue())
                : OptionalDouble.empty();
    }

    String text(String key) {
        return String.valueOf(values.getOrDefault(key, "–"));
    }

    boolean hasFailed() {
        return values.containsKey(FAILED);
    }
}
