// SPDX-License-Identifier: Apache-2.0
package dev.millrace.benchmarks.io;

import com.fasterxml.jackson.jr.ob.JSON;
import dev.millrace.benchmarks.Spread;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.StringJoiner;
import java.util.stream.Stream;

/** Markdown tables of a run of {@link BenchIo}: each workload's contenders with ratios to its yardstick, then the goals. */
public final class IoTable {
    private final List<Outcome> outcomes;
    private final StringJoiner out = new StringJoiner("\n", "", "\n");

    private IoTable(List<Outcome> outcomes) {
        this.outcomes = outcomes;
    }

    /** The tables of lines. */
    static String of(List<String> lines) throws IOException {
        List<Outcome> outcomes = new ArrayList<>();
        StringJoiner head = new StringJoiner("\n", "", "\n");
        for (String line : lines) {
            Map<String, Object> json = JSON.std.mapFrom(line);
            if (json.containsKey("workload")) {
                outcomes.add(Outcome.of(json));
            } else {
                json.forEach((key, value) -> head.add("- " + key + ": " + value));
            }
        }
        return head + "\n" + new IoTable(outcomes).tables();
    }

    private String tables() {
        for (Workload workload : Workload.values()) {
            if (outcomes.stream().anyMatch(outcome -> outcome.workload() == workload)) {
                workload(workload);
            }
        }
        goals();
        return out.toString();
    }

    private void workload(Workload workload) {
        String yardstick = workload.yardstick().label();
        out.add("**" + workload.title() + "**");
        out.add("");
        out.add("| contender | engine, binding | direct | operations/s | MB/s | CPU us | median us | B allocated | "
                + "fixed / plain | operations a turn | kernel workers | rate / " + yardstick + " | CPU / " + yardstick
                + " |");
        out.add("|:--|:--|:--|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|");
        for (Contender contender : Contender.values()) {
            List<Outcome> mine = of(workload, contender);
            if (!mine.isEmpty()) {
                out.add(row(workload, contender, mine));
            }
        }
        out.add("");
    }

    private String row(Workload workload, Contender contender, List<Outcome> mine) {
        Outcome last = mine.get(mine.size() - 1);
        List<Outcome> ran =
                mine.stream().filter(outcome -> !outcome.hasFailed()).toList();
        if (ran.isEmpty()) {
            return "| " + contender.label() + " | did not run: " + last.text(Outcome.FAILED) + " |";
        }
        Spread rate = spread(ran, Outcome.RATE);
        return "| "
                + String.join(
                        " | ",
                        contender.label(),
                        last.text("engine") + ", " + last.text("binding"),
                        last.text("direct_io"),
                        show(rate, "%,.0f"),
                        String.format(Locale.ROOT, "%.0f", rate.middle() * workload.block() / 1e6),
                        show(spread(ran, Outcome.CPU), "%.2f"),
                        show(spread(ran, Outcome.MEDIAN), "%.1f"),
                        show(spread(ran, Outcome.ALLOCATED), "%.1f"),
                        last.text("fixed") + " / " + last.text("plain"),
                        last.text("operations_per_turn"),
                        last.text(Outcome.WORKERS),
                        show(ratio(workload, contender, workload.yardstick(), Outcome.RATE), "%.2f"),
                        show(ratio(workload, contender, workload.yardstick(), Outcome.CPU), "%.2f"))
                + " |";
    }

    private void goals() {
        out.add("**Goals**");
        out.add("");
        out.add("| workload | who / by whom | figure | measured | goal | | floor |");
        out.add("|:--|:--|:--|--:|--:|:--|--:|");
        for (Goal goal : Goal.ALL) {
            Spread measured = goal.rival().isPresent()
                    ? ratio(goal.workload(), goal.ours(), goal.rival().get(), goal.key())
                    : spread(of(goal.workload(), goal.ours()), goal.key());
            out.add("| "
                    + String.join(
                            " | ",
                            goal.workload().title(),
                            goal.ours().label()
                                    + goal.rival()
                                            .map(rival -> " / " + rival.label())
                                            .orElse(""),
                            goal.key().replace('_', ' '),
                            show(measured, "%.2f"),
                            goal.wanted(),
                            goal.verdict(measured.middle()),
                            goal.wantedAtLeast())
                    + " |");
        }
    }

    private List<Outcome> of(Workload workload, Contender contender) {
        return outcomes.stream()
                .filter(outcome -> outcome.workload() == workload && outcome.contender() == contender)
                .toList();
    }

    private static Spread spread(List<Outcome> outcomes, String key) {
        return Spread.of(outcomes.stream()
                .map(outcome -> outcome.number(key))
                .filter(OptionalDouble::isPresent)
                .mapToDouble(OptionalDouble::getAsDouble)
                .toArray());
    }

    /** The ratios of the rounds in which both ran. */
    private Spread ratio(Workload workload, Contender ours, Contender rival, String key) {
        List<Outcome> theirs = of(workload, rival);
        return Spread.of(of(workload, ours).stream()
                .flatMap(mine -> theirs.stream()
                        .filter(other -> other.round() == mine.round())
                        .flatMap(other -> quotient(mine.number(key), other.number(key))))
                .mapToDouble(Double::doubleValue)
                .toArray());
    }

    private static Stream<Double> quotient(OptionalDouble mine, OptionalDouble other) {
        return mine.isPresent() && other.isPresent() && other.getAsDouble() > 0
                ? Stream.of(mine.getAsDouble() / other.getAsDouble())
                : Stream.empty();
    }

    private static String show(Spread spread, String format) {
        if (spread.isEmpty()) {
            return "–";
        }
        return spread.least() == spread.most()
                ? String.format(Locale.ROOT, format, spread.middle())
                : spread.show(format);
    }

    /** Prints the tables of a file of lines. */
    public static void main(String... args) throws IOException {
        System.out.print(of(Files.readAllLines(Path.of(args[0]))));
    }
}
