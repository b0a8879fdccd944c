// SPDX-License-Identifier: Apache-2.0
package dev.millrace.benchmarks;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;

/** The demo's table, and what it says in one sentence. */
final class DemoTable {
    private static final String RIVAL = "sdk-";

    private DemoTable() {}

    /**
     * One contender.
     *
     * @param name what it is called
     * @param engine what moved the bytes, as it says itself
     * @param binding the way to native code
     * @param direct whether files were written past the page cache
     * @param hugePages whether buffers lay on huge pages
     * @param fixed writes out of registered buffers
     * @param speed MB/s
     * @param cpu CPU seconds a GiB
     * @param verified what it says of checksums
     * @param retries requests made again
     * @param different files that are missing or not equal
     */
    record Row(
            String name,
            String engine,
            String binding,
            boolean direct,
            boolean hugePages,
            long fixed,
            double speed,
            double cpu,
            String verified,
            long retries,
            int different) {
        /** From the last line of {@code get --json}. */
        static Row of(String name, Map<String, Object> json, int different) {
            return new Row(
                    name,
                    text(json, "engine"),
                    text(json, "binding"),
                    Boolean.TRUE.equals(json.get("direct_io")),
                    Boolean.TRUE.equals(json.get("huge_pages")),
                    (long) number(json, "fixed_writes"),
                    number(json, "mb_per_s"),
                    number(json, "cpu_seconds_per_gib"),
                    checksums(json),
                    (long) number(json, "retries"),
                    different);
        }

        boolean isRival() {
            return engine.startsWith(RIVAL);
        }
    }

    private static String text(Map<String, Object> json, String key) {
        return String.valueOf(json.getOrDefault(key, "?"));
    }

    /** By what checksums; the command line counts files for each. */
    private static String checksums(Map<String, Object> json) {
        return json.get("verified") instanceof Map<?, ?> kinds && !kinds.isEmpty()
                ? kinds.keySet().stream().map(String::valueOf).sorted().collect(Collectors.joining(", "))
                : "-";
    }

    private static double number(Map<String, Object> json, String key) {
        return json.get(key) instanceof Number number ? number.doubleValue() : 0;
    }

    static String of(List<Row> rows) {
        Optional<Row> rival = rows.stream().filter(Row::isRival).findFirst();
        List<List<String>> cells = new ArrayList<>();
        cells.add(List.of(
                "engine",
                "binding",
                "direct I/O",
                "MB/s",
                "CPU s/GiB",
                "speed / SDK",
                "CPU / SDK",
                "equal",
                "checksum",
                "retries"));
        for (Row row : rows) {
            cells.add(List.of(
                    row.isRival() ? row.name() : row.engine(),
                    row.isRival() ? "-" : row.binding(),
                    row.direct() ? "yes" : "no",
                    String.format(Locale.ROOT, "%.0f", row.speed()),
                    String.format(Locale.ROOT, "%.2f", row.cpu()),
                    rival.map(sdk -> String.format(Locale.ROOT, "%.1fx", row.speed() / sdk.speed()))
                            .orElse("-"),
                    rival.map(sdk -> String.format(Locale.ROOT, "%.2fx", row.cpu() / sdk.cpu()))
                            .orElse("-"),
                    row.different() == 0 ? "all" : "NO: " + row.different(),
                    row.verified(),
                    row.isRival() ? "-" : Long.toString(row.retries())));
        }
        return aligned(cells);
    }

    private static String aligned(List<List<String>> rows) {
        int columns = rows.get(0).size();
        int[] widths = new int[columns];
        for (List<String> row : rows) {
            for (int i = 0; i < columns; i++) {
                widths[i] = Math.max(widths[i], row.get(i).length());
            }
        }
        StringBuilder table = new StringBuilder();
        for (int r = 0; r < rows.size(); r++) {
            for (int i = 0; i < columns; i++) {
                String cell = rows.get(r).get(i);
                String space = " ".repeat(widths[i] - cell.length());
                table.append(i == 0 ? "| " : " | ").append(i == 0 ? cell + space : space + cell);
            }
            table.append(" |\n");
            if (r == 0) {
                for (int i = 0; i < columns; i++) {
                    String line = "-".repeat(widths[i] + 1);
                    table.append(i == 0 ? "|:" + line : "|" + line + ":");
                }
                table.append("|\n");
            }
        }
        return table.toString();
    }

    /** What was shown; only what the contenders report of themselves. */
    static String sentence(List<Row> rows, int objects, long bytes) {
        Optional<Row> best = rows.stream().filter(row -> !row.isRival()).findFirst();
        Optional<Row> rival = rows.stream().filter(Row::isRival).findFirst();
        String way = best.map(DemoTable::way).orElse("no engine");
        String ratio = best.isPresent() && rival.isPresent()
                ? String.format(
                        Locale.ROOT,
                        ", at %.1f times the speed and %.2f times the CPU of the AWS SDK's own toFile in the same run, "
                                + "each with a JVM just started",
                        best.get().speed() / rival.get().speed(),
                        best.get().cpu() / rival.get().cpu())
                : "";
        return String.format(
                Locale.ROOT,
                "Shown: %d real files (%d MiB) came out of an S3 API through %s onto disk, synced and equal to their "
                        + "originals by SHA-256%s.",
                objects,
                bytes >> 20,
                way,
                ratio);
    }

    private static String way(Row row) {
        String direct = row.direct() ? " with O_DIRECT" : "";
        String buffers = row.fixed() > 0
                ? (row.direct() ? " and" : " with") + " registered buffers" + (row.hugePages() ? " on huge pages" : "")
                : "";
        return row.engine() + direct + buffers;
    }
}
