// SPDX-License-Identifier: Apache-2.0
package dev.millrace.benchmarks;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Pattern;
import one.profiler.AsyncProfiler;

/**
 * Where this process spends its CPU, from the kernel's frames to Java's, by async-profiler: a flame graph, and a table of
 * the shares of its threads. Where the kernel gives no counters to this user, time of the CPU is taken by timers, without
 * the kernel's frames.
 */
final class CpuProfile {
    private static final String START = "start,interval=500us,threads,event=";
    private static final Pattern NUMBERS = Pattern.compile("[-#]\\d+(-\\d+)*$");
    private static final int SHOWN = 12;

    private final AsyncProfiler profiler = AsyncProfiler.getInstance();
    private final String event;

    private CpuProfile() throws IOException {
        event = started();
    }

    /**
     * Begins to sample all threads.
     *
     * @throws IOException where no event can be had
     */
    static CpuProfile start() throws IOException {
        return new CpuProfile();
    }

    private String started() throws IOException {
        try {
            profiler.execute(START + "cpu");
            return "cpu";
        } catch (IOException | IllegalStateException e) {
            profiler.execute(START + "ctimer");
            return "ctimer";
        }
    }

    /** Ends it: {@code FILE.html}, the flame graph, and {@code FILE.md}, the shares. */
    void stop(Path file, String title) throws IOException {
        String collapsed = profiler.execute("collapsed");
        profiler.execute("stop,flamegraph,title=" + title.replace(',', ';') + ",file=" + file + ".html");
        Files.writeString(Path.of(file + ".md"), table(collapsed, title));
    }

    private String table(String collapsed, String title) {
        Map<String, Long> threads = new LinkedHashMap<>();
        Map<String, Long> frames = new LinkedHashMap<>();
        long all = 0;
        for (String line : collapsed.lines().toList()) {
            int space = line.lastIndexOf(' ');
            long count = Long.parseLong(line.substring(space + 1));
            List<String> stack = List.of(line.substring(0, space).split(";"));
            threads.merge(group(stack.get(0)), count, Long::sum);
            frames.merge(stack.get(stack.size() - 1), count, Long::sum);
            all += count;
        }
        StringBuilder text = new StringBuilder(512);
        text.append(String.format(Locale.ROOT, "# %s%n%n%d samples of %s.%n", title, all, event));
        append(text, "threads", threads, all);
        append(text, "where they were", frames, all);
        return text.toString();
    }

    /** Threads of one pool are one row. */
    private static String group(String thread) {
        String name = thread.startsWith("[") ? thread.substring(1, thread.length() - 1) : thread;
        name = name.replaceAll(" tid=\\d+", "");
        return NUMBERS.matcher(name).replaceAll("");
    }

    private static void append(StringBuilder text, String what, Map<String, Long> counts, long all) {
        text.append(String.format(Locale.ROOT, "%n| %s | share |%n|:--|--:|%n", what));
        counts.entrySet().stream()
                .sorted(Map.Entry.<String, Long>comparingByValue().reversed())
                .limit(SHOWN)
                .forEach(entry -> text.append(String.format(
                        Locale.ROOT,
                        "| %s | %.1f %% |%n",
                        entry.getKey().replace("|", "\\|"),
                        100.0 * entry.getValue() / all)));
    }
}
