// SPDX-License-Identifier: Apache-2.0
package dev.millrace.benchmarks;

import com.fasterxml.jackson.jr.ob.JSON;
import dev.millrace.testkit.FileTree;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/**
 * A contender that is a command, started anew for each round: its window holds its own start, which is what its user
 * pays, and the sync of its files.
 */
final class CommandPeer implements Peer {
    private static final double GIB = 1L << 30;
    /** One fsync a file, as the others do: {@code sync} of coreutils. */
    private static final String SYNCED = "\"$@\" && find \"$0\" -type f -print0 | xargs -0 sync";

    /** Figures of the limit program that grow with what it does. */
    private static final Set<String> SUMMED =
            Set.of("bytes", "seconds", "cpu_seconds", "enters", "completions", "receives", "fixed_writes");

    private final String name;
    private final List<String> command;
    private final Map<String, String> environment;
    private final Workload workload;
    private final Path folder;
    private final Path errors;
    private final Duration limit;
    private final int ownTimes;

    /**
     * A command.
     *
     * @param folder where it writes; made for each round and removed after it
     * @param ownTimes how often it does the work of a round by itself, as the limit program does, synced and with a line of
     *     its figures each time; 0 for one that does it once and is synced and measured from outside
     */
    CommandPeer(
            String name,
            List<String> command,
            Map<String, String> environment,
            Workload workload,
            Path folder,
            Path errors,
            Duration limit,
            int ownTimes) {
        this.name = name;
        this.command = command;
        this.environment = environment;
        this.workload = workload;
        this.folder = folder;
        this.errors = errors;
        this.limit = limit;
        this.ownTimes = ownTimes;
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public Map<String, Object> start() {
        return Map.of();
    }

    @Override
    public Map<String, Object> round(int number) throws PeerFailure, InterruptedException {
        return run(number, List.of());
    }

    @Override
    public void traced(List<String> strace) throws PeerFailure, InterruptedException {
        run(0, strace);
    }

    @Override
    public int times() {
        return Math.max(1, ownTimes);
    }

    private Map<String, Object> run(int number, List<String> prefix) throws PeerFailure, InterruptedException {
        List<String> whole = new ArrayList<>(prefix);
        if (ownTimes == 0) {
            whole.addAll(List.of("sh", "-c", SYNCED, folder.toString()));
        }
        whole.addAll(command);
        try {
            Files.createDirectories(folder);
            try {
                return measured(number, whole);
            } finally {
                FileTree.remove(folder);
            }
        } catch (IOException e) {
            throw new PeerFailure("its folder fails: " + Commands.sentence(e));
        }
    }

    private Map<String, Object> measured(int number, List<String> whole)
            throws PeerFailure, InterruptedException, IOException {
        Optional<Double> before = ProcessTree.endedChildrenCpu();
        Window begin = Window.begin();
        Window spent;
        Map<String, Object> own = Map.of();
        ProcessTree tree;
        try (PeerProcess process = PeerProcess.start(whole, environment, errors)) {
            tree = process.tree();
            Runnable stop = tree.keepLooking(50);
            try {
                process.end(limit);
            } finally {
                stop.run();
            }
            spent = begin.spent();
            if (ownTimes > 0) {
                own = sum(process.lastWords());
            }
            check(process);
        }
        Map<String, Object> figures = new LinkedHashMap<>();
        figures.put("bytes", workload.bytes());
        figures.put("seconds", spent.seconds());
        if (before.isPresent()) {
            double cpu = ProcessTree.endedChildrenCpu().orElse(before.get()) - before.get();
            figures.put("cpu_seconds", cpu);
            figures.put("cpu_seconds_per_gib", cpu * GIB / workload.bytes());
        }
        figures.put("engine", name);
        figures.putAll(own);
        double bytes = ((Number) figures.get("bytes")).doubleValue();
        figures.put("machine_cpu_seconds_per_gib", spent.machineSeconds() * GIB / bytes);
        figures.put("round", number);
        figures.put("cold", number == 0);
        figures.put("memory_kib", tree.memoryKib());
        figures.put("threads", tree.threads());
        return figures;
    }

    /** What it did each time is added up; what it is, is the same in each line. */
    private static Map<String, Object> sum(List<String> lines) throws IOException {
        Map<String, Object> sum = new LinkedHashMap<>();
        for (String line : lines) {
            JSON.std.mapFrom(line).forEach((name, value) -> {
                if (value instanceof Number number && SUMMED.contains(name)) {
                    sum.merge(name, number.doubleValue(), (one, other) -> (double) one + (double) other);
                } else {
                    sum.put(name, value);
                }
            });
        }
        if (sum.get("bytes") instanceof Double bytes && sum.get("cpu_seconds") instanceof Double cpu) {
            sum.put("cpu_seconds_per_gib", cpu * GIB / bytes);
        }
        sum.remove("mb_per_second");
        return sum;
    }

    /** A command that ends well and left something out would look fast. */
    private void check(PeerProcess process) throws IOException, PeerFailure {
        long bytes = 0;
        try (Stream<Path> walk = Files.walk(folder)) {
            for (Path file : walk.filter(Files::isRegularFile).toList()) {
                bytes += Files.size(file);
            }
        }
        if (bytes != workload.bytes()) {
            throw new PeerFailure("wrote " + bytes + " of " + workload.bytes() + " bytes: " + process.complaint());
        }
    }

    @Override
    public void close() {
        // Nothing lives longer than a round.
    }
}
