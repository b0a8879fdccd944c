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

/**
 * What {@code make bench-check} compares with: what each measure was, how far it may move and why so far, and on what
 * kind of machine. It is compared with measures of the same kind of machine only.
 *
 * @param machine the kind of machine
 * @param expectations by their measures' names
 */
record Baseline(Machine machine, Map<String, Expectation> expectations) {
    /** The version of what is measured: a baseline of another one does not say what is to be expected. */
    static final int FORMAT = 2;

    /** Keeps a copy. */
    Baseline {
        expectations = Map.copyOf(expectations);
    }

    /**
     * A kind of machine.
     *
     * @param cpus how many
     * @param arch their kind
     * @param kernel its first two numbers
     * @param fileSystem of the files
     */
    record Machine(int cpus, String arch, String kernel, String fileSystem) {
        String show() {
            return cpus + " CPUs " + arch + ", kernel " + kernel + ", " + fileSystem;
        }

        /** {@code 6.18} of {@code 6.18.44-something}. */
        static String majorMinor(String release) {
            String[] parts = release.split("[^0-9]+", -1);
            return parts.length < 2 ? release : parts[0] + "." + parts[1];
        }
    }

    /** What a movement means. */
    enum Kind {
        /** A count that hangs on nothing: any difference is a change. */
        EXACT,
        /** More is worse. */
        NO_MORE,
        /** Less is worse. */
        NO_LESS
    }

    /**
     * What a measure should be.
     *
     * @param value what it was
     * @param kind what a movement means
     * @param tolerance how far it may move, as a part of the value
     * @param isRatioToLimit whether it says nothing on a machine whose control strays
     * @param reason why so far
     */
    record Expectation(double value, Kind kind, double tolerance, boolean isRatioToLimit, String reason) {
        boolean holds(double now) {
            return switch (kind) {
                case EXACT -> now == value;
                case NO_MORE -> now <= value * (1 + tolerance);
                case NO_LESS -> now >= value * (1 - tolerance);
            };
        }

        Expectation withValue(double now) {
            return new Expectation(now, kind, tolerance, isRatioToLimit, reason);
        }

        String bound() {
            return switch (kind) {
                case EXACT -> String.format(Locale.ROOT, "%s exactly", number(value));
                case NO_MORE -> String.format(Locale.ROOT, "at most %s", number(value * (1 + tolerance)));
                case NO_LESS -> String.format(Locale.ROOT, "at least %s", number(value * (1 - tolerance)));
            };
        }
    }

    /** What was found of one measure. */
    record Finding(String name, boolean failed, String sentence) {}

    static String number(double value) {
        return value == Math.rint(value)
                ? String.format(Locale.ROOT, "%.0f", value)
                : String.format(Locale.ROOT, Math.abs(value) >= 100 ? "%.0f" : "%.3f", value);
    }

    /** Why this cannot be compared with measures of a machine; empty where it can. */
    Optional<String> refusal(Machine now) {
        return machine.equals(now)
                ? Optional.empty()
                : Optional.of(
                        "The baseline is of another kind of machine (" + machine.show() + "; this is " + now.show()
                                + "), and its ratios mean nothing here: make one on this machine with BASELINE=write, from a"
                                + " revision that is known to be good.");
    }

    /**
     * Compares; one finding a measure, in the order of the rules.
     *
     * @param quiet whether the control was near itself; else ratios to the limit program are not judged
     * @param loopOnly whether nothing was measured that needs a server
     */
    List<Finding> compare(Map<String, Double> measures, boolean quiet, boolean loopOnly) {
        List<Finding> findings = new ArrayList<>();
        for (String name : RULES.keySet()) {
            if (loopOnly && (name.startsWith("get_") || name.startsWith("loop_"))) {
                continue;
            }
            Expectation expected = expectations.get(name);
            Optional<Double> now = Optional.ofNullable(measures.get(name));
            if (now.isEmpty()) {
                findings.add(new Finding(name, true, name + " was not measured"));
            } else if (expected.holds(now.get())) {
                findings.add(new Finding(name, false, said(name, now.get(), expected, "holds")));
            } else if (expected.isRatioToLimit() && !quiet) {
                findings.add(new Finding(
                        name, false, said(name, now.get(), expected, "not judged, since the control strays")));
            } else {
                findings.add(new Finding(
                        name, true, said(name, now.get(), expected, "MOVED") + ". Tolerance: " + expected.reason()));
            }
        }
        return findings;
    }

    private static String said(String name, double now, Expectation expected, String verdict) {
        String by = expected.value() == 0 || now == expected.value()
                ? ""
                : String.format(Locale.ROOT, " (%+.0f %%)", (now / expected.value() - 1) * 100);
        return name + ": " + number(expected.value()) + " -> " + number(now) + by + ", " + expected.bound() + ": "
                + verdict;
    }

    /** What is judged and how; the values are a baseline's. */
    static final Map<String, Expectation> RULES = rules();

    private static Map<String, Expectation> rules() {
        Map<String, Expectation> rules = new LinkedHashMap<>();
        rules.put(
                "fixed_writes_per_gib", rule(Kind.EXACT, 0, false, "each MiB is one write out of a registered buffer"));
        rules.put("plain_writes_per_gib", rule(Kind.EXACT, 0, false, "no write goes past the registered buffers"));
        rules.put(
                "copies_per_byte",
                rule(
                        Kind.NO_MORE,
                        0.6,
                        false,
                        "time to take a chunk over that of one plain copy to memory that the disk has just read, both of the"
                                + " best of twelve rounds, to which a busy machine adds least; a second copy adds what the"
                                + " caches do not hide of it"));
        rules.put(
                "enters_per_operation",
                rule(
                        Kind.NO_MORE,
                        0.01,
                        false,
                        "one call submits an operation and brings its result; a wake-up by the process's own threads adds"
                                + " a few to 20 000"));
        rules.put(
                "allocated_per_operation",
                rule(Kind.EXACT, 0, false, "a steady stream of operations allocates nothing"));
        rules.put(
                "operations_per_turn",
                rule(
                        Kind.NO_LESS,
                        0.5,
                        false,
                        "32 reads handed in together go with one turn and are told in the next; half of that is"
                                + " scheduling, one a turn is a sixteenth"));
        rules.put(
                "enters_per_gib",
                rule(
                        Kind.NO_MORE,
                        1.0,
                        false,
                        "one for each write and one for its completion at most, so never more than twice the writes;"
                                + " how many go together hangs on the disk"));
        rules.put(
                "allocated_bytes_per_gib",
                rule(
                        Kind.NO_MORE,
                        0.7,
                        false,
                        "a producer that waits for a buffer allocates a place in line, more often on a slow disk; an object"
                                + " of 24 bytes a chunk would add 98304"));
        rules.put(
                "copy_cpu_to_blocking",
                rule(
                        Kind.NO_MORE,
                        0.75,
                        false,
                        "process CPU of a round comes in hundredths of a second, of which a round has five to ten"));
        rules.put(
                "loop_cpu_to_limit",
                rule(Kind.NO_MORE, 0.35, true, "medians of a few GiB; the compiler is still at work in the first"));
        rules.put("loop_speed_to_limit", rule(Kind.NO_LESS, 0.3, true, "the disk drifts between two turns"));
        rules.put(
                "get_cpu_to_limit",
                rule(
                        Kind.NO_MORE,
                        0.5,
                        true,
                        "a download through the SDK warms up for several GiB, of which this has two"));
        rules.put(
                "get_fixed_writes_per_gib",
                rule(Kind.EXACT, 0, false, "each MiB is one write out of a registered buffer"));
        rules.put("get_plain_writes_per_gib", rule(Kind.EXACT, 0, false, "no write goes past the registered buffers"));
        return java.util.Collections.unmodifiableMap(rules);
    }

    private static Expectation rule(Kind kind, double tolerance, boolean isRatioToLimit, String reason) {
        return new Expectation(0, kind, tolerance, isRatioToLimit, reason);
    }

    /** A baseline of what was measured now. */
    static Baseline of(Machine machine, Map<String, Double> measures) {
        Map<String, Expectation> expectations = new LinkedHashMap<>();
        RULES.forEach((name, rule) -> {
            Optional<Double> now = Optional.ofNullable(measures.get(name));
            expectations.put(
                    name,
                    rule.withValue(now.orElseThrow(
                            () -> new IllegalArgumentException(name + " was not measured: no baseline is written."))));
        });
        return new Baseline(machine, expectations);
    }

    /**
     * Reads one.
     *
     * @throws IOException a sentence, where it is missing, old or no baseline
     */
    static Baseline read(Path file) throws IOException {
        if (!Files.exists(file)) {
            throw new IOException("There is no baseline " + file + ": make one with BASELINE=write.");
        }
        Map<String, Object> json;
        try {
            json = JSON.std.mapFrom(Files.readString(file));
        } catch (IOException e) {
            throw new IOException(file + " is no JSON: restore it, or make one anew with BASELINE=write.", e);
        }
        if (!Integer.valueOf(FORMAT).equals(json.get("format"))) {
            throw new IOException(file + " is old (format " + json.get("format") + ", and this is " + FORMAT
                    + "): make one anew with BASELINE=write, from a revision that is known to be good.");
        }
        Map<?, ?> machine = map(json.get("machine"));
        Map<?, ?> measures = map(json.get("measures"));
        Map<String, Expectation> expectations = new LinkedHashMap<>();
        RULES.forEach((name, rule) -> {
            Map<?, ?> one = map(measures.get(name));
            if (one.get("value") instanceof Number value && one.get("tolerance") instanceof Number tolerance) {
                expectations.put(
                        name,
                        new Expectation(
                                value.doubleValue(),
                                rule.kind(),
                                tolerance.doubleValue(),
                                rule.isRatioToLimit(),
                                String.valueOf(one.get("reason"))));
            }
        });
        for (String name : RULES.keySet()) {
            if (!expectations.containsKey(name)) {
                throw new IOException(file + " is old: it says nothing of " + name
                        + ". Make one anew with BASELINE=write, from a revision that is known to be good.");
            }
        }
        return new Baseline(
                new Machine(
                        machine.get("cpus") instanceof Number cpus ? cpus.intValue() : 0,
                        String.valueOf(machine.get("arch")),
                        String.valueOf(machine.get("kernel")),
                        String.valueOf(machine.get("file_system"))),
                expectations);
    }

    private static Map<?, ?> map(Object value) {
        return value instanceof Map<?, ?> map ? map : Map.of();
    }

    /** As a file, a line a measure, so that a change of one is a change of one line. */
    String toJson() {
        StringBuilder text = new StringBuilder("{\n  \"format\": " + FORMAT + ",\n  \"machine\": ");
        Map<String, Object> kind = new LinkedHashMap<>();
        kind.put("cpus", machine.cpus());
        kind.put("arch", machine.arch());
        kind.put("kernel", machine.kernel());
        kind.put("file_system", machine.fileSystem());
        text.append(Figures.json(kind)).append(",\n  \"measures\": {");
        String separator = "\n";
        for (String name : RULES.keySet()) {
            Expectation one = expectations.get(name);
            Map<String, Object> json = new LinkedHashMap<>();
            json.put("value", Math.round(one.value() * 1000) / 1000.0);
            json.put("tolerance", one.tolerance());
            json.put("reason", one.reason());
            text.append(separator).append("    \"").append(name).append("\": ").append(Figures.json(json));
            separator = ",\n";
        }
        return text.append("\n  }\n}\n").toString();
    }
}
