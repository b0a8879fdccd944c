// SPDX-License-Identifier: Apache-2.0
package dev.millrace.benchmarks;

import com.fasterxml.jackson.jr.ob.JSON;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * A contender that is a command, started anew for each round: its window holds its own start, which is what its user
 * pays, and the sync of its files.
 */
final class CommandPeer implements Peer {
    private static final double GIB = 1L << 30;
    /** One fsync a file, as the others do: {@code sync} of coreutils. */
    private static final String SYNCED = "\"$@\" && find \"$0\" -type f -print0 | xargs -0 sync";

    private final String name;
    private final List<String> command;
    private final Map<String, String> environment;
    private final Workload workload;
    private final Path folder;
    private final Path errors;
    private final Duration limit;
    private final boolean ownFigures;

    /**
     * A command.
     *
     * @param folder where it writes; made for each round and removed after it
     * @param ownFigures whether it syncs by itself and its last line are its figures, as that of the limit program
     */
    CommandPeer(
            String name,
            List<String> command,
            Map<String, String> environment,
            Workload workload,
            Path folder,
            Path errors,
            Duration limit,
            boolean ownFigures) {
        this.name = name;
        this.command = command;
        this.environment = environment;
        this.workload = workload;
        this.folder = folder;
        this.errors = errors;
        this.limit = limit;
        this.ownFigures = ownFigures;
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

    private Map<String, Object> run(int number, List<String> prefix) throws PeerFailure, InterruptedException {
        List<String> whole = new ArrayList<>(prefix);
        if (!ownFigures) {
            whole.addAll(List.of("sh", "-c", SYNCED, folder.toString()));
        }
        whole.addAll(command);
        try {
            Files.createDirectories(folder);
            try {
                return measured(number, whole);
            } finally {
                WorkFolder.removeTree(folder);
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
            if (ownFigures) {
                own = JSON.std.mapFrom(process.lastWord().orElse("{}"));
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
        figures.put("machine_cpu_seconds_per_gib", spent.machineSeconds() * GIB / workload.bytes());
        figures.put("engine", name);
        figures.putAll(own);
        figures.put("round", number);
        figures.put("cold", number == 0);
        figures.put("memory_kib", tree.memoryKib());
        figures.put("threads", tree.threads());
        return figures;
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
