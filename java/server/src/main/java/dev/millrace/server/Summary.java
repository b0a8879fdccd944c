// SPDX-License-Identifier: Apache-2.0
package dev.millrace.server;

import dev.millrace.io.EngineStatus;
import dev.millrace.io.engine.EngineCounters;
import dev.millrace.transfer.BulkResult;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;

/**
 * The last line of a download: what came, how fast, at what cost, by what.
 *
 * @param result counts
 * @param nanos from the first request to the last publish
 * @param cpuNanos CPU time of the process in that window
 * @param processCpuNanos CPU time of the process from its start
 * @param status of the engine
 * @param counters of the engine, at the end of the window
 */
record Summary(
        BulkResult result,
        long nanos,
        long cpuNanos,
        long processCpuNanos,
        EngineStatus status,
        EngineCounters counters) {
    private static final long MIB = 1L << 20;
    private static final double GIB = 1L << 30;

    private double seconds() {
        return nanos / 1e9;
    }

    private double megabytesPerSecond() {
        return nanos == 0 ? 0 : result.bytes() / 1e6 / seconds();
    }

    private double cpuPerGib() {
        return result.bytes() == 0 ? 0 : cpuNanos / 1e9 / (result.bytes() / GIB);
    }

    /** Files, other than empty folder markers, and all of them written past the page cache. */
    private boolean direct() {
        long files = result.objects() - result.folders();
        return files > 0 && result.direct() == files;
    }

    private static double rounded(double value, int digits) {
        double scale = Math.pow(10, digits);
        return Math.round(value * scale) / scale;
    }

    /** Fields in the order in which they are documented. */
    Map<String, Object> json() {
        Map<String, Object> fields = new LinkedHashMap<>();
        fields.put("objects", result.objects());
        fields.put("failed", result.failed());
        fields.put("bytes", result.bytes());
        fields.put("seconds", rounded(seconds(), 6));
        fields.put("mb_per_s", rounded(megabytesPerSecond(), 1));
        fields.put("cpu_seconds", rounded(cpuNanos / 1e9, 3));
        fields.put("process_cpu_seconds", rounded(processCpuNanos / 1e9, 3));
        fields.put("cpu_seconds_per_gib", rounded(cpuPerGib(), 4));
        fields.put("engine", status.engine().label());
        fields.put("binding", status.binding());
        fields.put("direct_io", direct());
        fields.put("huge_pages", status.hugePages());
        fields.put("fixed_writes", counters.fixed());
        fields.put("plain_writes", counters.plain());
        fields.put("operations_per_turn", rounded(counters.operationsPerTurn(), 2));
        fields.put("kernel_workers", counters.kernelWorkers());
        fields.put("verified", new TreeMap<>(result.verified()));
        fields.put("retries", result.retries());
        if (result.cancelled() > 0) {
            fields.put("cancelled", result.cancelled());
        }
        return fields;
    }

    /** The same for people. */
    String line() {
        StringBuilder line = new StringBuilder(256);
        line.append(result.objects()).append(result.objects() == 1 ? " object, " : " objects, ");
        line.append(result.failed()).append(" failed");
        if (result.cancelled() > 0) {
            line.append(", ").append(result.cancelled()).append(" cancelled");
        }
        line.append(String.format(
                Locale.ROOT,
                ", %s in %.2f s: %.0f MB/s, %.2f CPU s (%swhole process %.2f)",
                bytes(result.bytes()),
                seconds(),
                megabytesPerSecond(),
                cpuNanos / 1e9,
                result.bytes() < MIB ? "" : String.format(Locale.ROOT, "%.2f per GiB, ", cpuPerGib()),
                processCpuNanos / 1e9));
        line.append("; engine ").append(status.engine().label());
        line.append(", binding ").append(status.binding());
        line.append(direct() ? ", direct I/O" : ", no direct I/O");
        line.append(status.hugePages() ? ", huge pages, " : ", no huge pages, ");
        line.append(counters.fixed()).append(" fixed and ").append(counters.plain());
        line.append(
                String.format(Locale.ROOT, " plain writes, %.1f operations a turn, ", counters.operationsPerTurn()));
        line.append(counters.kernelWorkers()).append(" kernel workers");
        if (!result.verified().isEmpty()) {
            StringBuilder kinds = new StringBuilder();
            new TreeMap<>(result.verified())
                    .forEach((how, count) -> kinds.append(kinds.isEmpty() ? "; verified: " : ", ")
                            .append(how)
                            .append(" (")
                            .append(count)
                            .append(')'));
            line.append(kinds);
        }
        line.append("; ").append(result.retries()).append(result.retries() == 1 ? " retry" : " retries");
        return line.toString();
    }

    private static String bytes(long bytes) {
        String[] units = {"bytes", "KiB", "MiB", "GiB", "TiB"};
        double value = bytes;
        int unit = 0;
        while (value >= 1024 && unit < units.length - 1) {
            value /= 1024;
            unit++;
        }
        return unit == 0
                ? bytes + (bytes == 1 ? " byte" : " bytes")
                : String.format(Locale.ROOT, "%.1f %s", value, units[unit]);
    }
}
