// SPDX-License-Identifier: Apache-2.0
package dev.millrace.benchmarks;

import dev.millrace.testkit.FileTree;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.OffsetDateTime;
import java.time.ZoneId;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/**
 * {@code make bench-peers}: every rival beside us in one run. On each workload all contenders are made ready, then they
 * take turns round by round, forwards and backwards, each alone; the first round of each is cold. Whoever crashes or
 * hangs gets that as its row, and the others go on.
 */
@Command(
        name = "bench-peers",
        mixinStandardHelpOptions = true,
        description = "Runs every contender in turns on every workload; lines of JSON, a table, plots.")
public final class BenchPeers implements Callable<Integer> {
    private static final long GIB = 1L << 30;
    /** What a disk must keep free besides a round: less, and the last writes of a round fail. */
    private static final long SPARE_BYTES = 256 << 20;

    @Option(names = "--work", required = true, description = "folder for all that is written; on the disk to measure")
    private Path work = Path.of("");

    @Option(names = "--results", required = true, description = "folder of the lines, the table and the plots")
    private Path results = Path.of("");

    @Option(names = "--name", required = true, description = "how their names begin")
    private String name = "";

    @Option(names = "--java-main", required = true, description = "script that starts a main class")
    private Path javaMain = Path.of("");

    @Option(names = "--limit", required = true, description = "the limit program")
    private Path limit = Path.of("");

    @Option(names = "--http-port", required = true, description = "of the server")
    private int httpPort;

    @Option(names = "--https-port", required = true, description = "of the server")
    private int httpsPort;

    @Option(names = "--tls", required = true, description = "folder of the authority")
    private Path tls = Path.of("");

    @Option(names = "--contenders", split = ",", description = "who takes part (all)")
    private List<String> contenders = Contenders.names();

    @Option(names = "--workloads", split = ",", description = "one, or downloads at once (one,1,16,256)")
    private List<String> workloads = List.of("one", "1", "16", "256");

    @Option(names = "--schemes", split = ",", description = "http, https (both)")
    private List<String> schemes = List.of("http", "https");

    @Option(names = "--big-kib", defaultValue = "1048576", description = "the one object (${DEFAULT-VALUE})")
    private long bigKib = 1048576;

    @Option(names = "--small-kib", defaultValue = "16384", description = "each of the many (${DEFAULT-VALUE})")
    private long smallKib = 16384;

    @Option(names = "--size-gib", defaultValue = "8", description = "warm GiB a side (${DEFAULT-VALUE})")
    private double sizeGib = 8;

    @Option(names = "--least-rounds", defaultValue = "3", description = "warm rounds at least (${DEFAULT-VALUE})")
    private int leastRounds = 3;

    @Option(names = "--limit-seconds", description = "a round's limit of time (30 s, and 40 s a GiB)")
    private Optional<Integer> limitSeconds = Optional.empty();

    @Option(names = "--minutes", description = "after so many the run ends where it is, as partial")
    private Optional<Double> minutes = Optional.empty();

    @Option(names = "--relay-ms", defaultValue = "0", description = "round trip to the server by a relay (none)")
    private double relayMillis;

    @Option(names = "--no-strace", description = "without the round that counts system calls")
    private boolean noStrace;

    @Option(names = "--fact", description = "name=value for the first line: machine, disk, command, ...")
    private Map<String, String> facts = new LinkedHashMap<>();

    private final long started = System.nanoTime();
    private Optional<String> cutShort = Optional.empty();

    @Override
    public Integer call() throws Exception {
        Thread hook = new Thread(PeerProcess::killAll, "bench-peers-clean-up");
        Runtime.getRuntime().addShutdownHook(hook);
        List<Workload> all = parsed();
        for (String contender : contenders) {
            if (!Contenders.names().contains(contender)) {
                throw new IllegalArgumentException("There is no contender " + contender + ": choose from "
                        + String.join(", ", Contenders.names()) + ".");
            }
        }
        ResultLines lines = ResultLines.create(results, name);
        Map<String, Object> head = new LinkedHashMap<>(facts);
        head.put(
                "date",
                OffsetDateTime.now(ZoneId.systemDefault())
                        .truncatedTo(ChronoUnit.SECONDS)
                        .toString());
        head.put("java", System.getProperty("java.vm.name") + " " + System.getProperty("java.version"));
        if (relayMillis > 0) {
            head.put("latency", relayMillis + " ms a round trip by a relay");
        }
        lines.add(head);
        long half = (long) (relayMillis * 1e6 / 2);
        try (DelayRelay plain = DelayRelay.open(httpPort, half);
                DelayRelay secure = DelayRelay.open(httpsPort, half)) {
            boolean relayed = relayMillis > 0;
            for (Workload workload : all) {
                if (cutShort.isEmpty()) {
                    run(workload, relayed ? plain.port() : httpPort, relayed ? secure.port() : httpsPort, lines);
                }
            }
        }
        Path base = lines.end(cutShort.isEmpty(), cutShort.orElse(""));
        String table = PeerTable.of(lines.lines());
        System.out.print(table);
        try {
            Files.writeString(Path.of(base + ".md"), table);
            for (Path plot : PeerPlots.draw(lines.lines(), base)) {
                say("plot: " + plot);
            }
        } catch (IOException e) {
            say("The table and the plots cannot be written beside " + base + ": " + Commands.sentence(e) + ".");
        }
        say("lines: " + base + ".jsonl");
        cutShort.ifPresent(reason -> say("The results are partial: " + reason));
        return 0;
    }

    private List<Workload> parsed() {
        List<Workload> all = new ArrayList<>();
        for (String scheme : schemes) {
            if (!scheme.matches("https?")) {
                throw new IllegalArgumentException("There is no scheme " + scheme + ": choose http or https.");
            }
            for (String workload : workloads) {
                all.add(Workload.parse(workload, scheme, bigKib << 10, smallKib << 10));
            }
        }
        return all;
    }

    private static void say(String sentence) {
        System.err.println("bench-peers: " + sentence);
    }

    private void run(Workload workload, int plainPort, int securePort, ResultLines lines) throws InterruptedException {
        Duration timeLimit = Duration.ofSeconds(
                limitSeconds.orElse(30 + (int) (40 * workload.bytes() / GIB) + (int) (relayMillis / 10)));
        Contenders makers =
                new Contenders(new Contenders.Place(work, javaMain, limit, plainPort, securePort, tls, timeLimit));
        List<Peer> peers = new ArrayList<>();
        try {
            for (String contender : contenders) {
                start(makers, contender, workload, lines).ifPresent(peers::add);
            }
            int warm = (int) Math.max(leastRounds, Math.ceil(sizeGib * GIB / workload.bytes()));
            for (int round = 0; round <= warm && cutShort.isEmpty(); round++) {
                // Forwards and backwards, so that nobody always follows the same neighbour.
                List<Peer> order = new ArrayList<>(peers);
                if (round % 2 == 1) {
                    Collections.reverse(order);
                }
                for (Peer peer : order) {
                    if (mayGoOn(workload)) {
                        round(peer, workload, round, peers, lines);
                    }
                }
            }
            if (!noStrace) {
                for (Peer peer : List.copyOf(peers)) {
                    if (mayGoOn(workload)) {
                        count(peer, workload, lines);
                    }
                }
            }
        } finally {
            peers.forEach(Peer::close);
        }
    }

    /** False, and the run ends as partial, where time or space is used up. */
    private boolean mayGoOn(Workload workload) {
        if (cutShort.isPresent()) {
            return false;
        }
        double spent = (System.nanoTime() - started) / 60e9;
        if (minutes.isPresent() && spent > minutes.get()) {
            cutShort = Optional.of(String.format(
                    Locale.ROOT,
                    "the time of %.1f minutes was used up in the workload %s.",
                    minutes.get(),
                    workload.name()));
        }
        try {
            long free = Files.getFileStore(work).getUsableSpace();
            if (free < workload.bytes() + SPARE_BYTES) {
                cutShort = Optional.of("the disk of " + work + " has " + (free >> 20) + " MiB free, and a round of "
                        + workload.name() + " needs " + ((workload.bytes() + SPARE_BYTES) >> 20)
                        + "; name another folder with BENCH_DIR.");
            }
        } catch (IOException e) {
            cutShort = Optional.of("the folder " + work + " is gone: " + Commands.sentence(e) + ".");
        }
        return cutShort.isEmpty();
    }

    private static Map<String, Object> line(Workload workload, String contender) {
        Map<String, Object> line = new LinkedHashMap<>();
        line.put("workload", workload.name());
        line.put("scheme", workload.scheme());
        line.put("objects", workload.objects());
        line.put("concurrency", workload.concurrency());
        line.put("contender", contender);
        return line;
    }

    private Optional<Peer> start(Contenders makers, String contender, Workload workload, ResultLines lines)
            throws InterruptedException {
        if (!mayGoOn(workload)) {
            return Optional.empty();
        }
        Map<String, Object> line = line(workload, contender);
        try {
            Peer peer = makers.make(contender, workload);
            try {
                line.putAll(peer.start());
                lines.add(line);
                return Optional.of(peer);
            } catch (PeerFailure e) {
                peer.close();
                throw e;
            }
        } catch (PeerFailure e) {
            fail(line, e.getMessage(), lines);
            return Optional.empty();
        }
    }

    private static void fail(Map<String, Object> line, String sentence, ResultLines lines) {
        line.put("failure", sentence);
        lines.add(line);
        say(line.get("workload") + ": " + line.get("contender") + ": " + sentence);
    }

    private void round(Peer peer, Workload workload, int round, List<Peer> peers, ResultLines lines)
            throws InterruptedException {
        Map<String, Object> line = line(workload, peer.name());
        try {
            Map<String, Object> figures = peer.round(round);
            figures.forEach(line::putIfAbsent);
            lines.add(line);
            say(String.format(
                    Locale.ROOT,
                    "%s, round %d%s: %s, %.0f MB/s, %.2f CPU s/GiB",
                    workload.name(),
                    round,
                    round == 0 ? " (cold)" : "",
                    peer.name(),
                    PeerTable.number(figures, "bytes") / 1e6 / PeerTable.number(figures, "seconds"),
                    PeerTable.number(figures, "cpu_seconds_per_gib")));
        } catch (PeerFailure e) {
            peers.remove(peer);
            line.put("round", round);
            fail(line, e.getMessage(), lines);
            peer.close();
        }
        settle();
    }

    /** What one left to write is not the next one's. */
    private void settle() throws InterruptedException {
        try (var folders = Files.newDirectoryStream(work, "files-*")) {
            for (Path left : folders) {
                FileTree.remove(left);
            }
            Process sync = new ProcessBuilder("sync", "-f", work.toString())
                    .redirectErrorStream(true)
                    .start();
            if (!sync.waitFor(120, TimeUnit.SECONDS)) {
                sync.destroyForcibly();
            }
        } catch (IOException e) {
            say("What was written could not be cleared away: " + Commands.sentence(e) + ".");
        }
    }

    private void count(Peer peer, Workload workload, ResultLines lines) throws InterruptedException {
        Path counts = work.resolve("strace.txt");
        Map<String, Object> line = line(workload, peer.name());
        try {
            Files.deleteIfExists(counts);
            peer.traced(List.of("strace", "-c", "-f", "-q", "-o", counts.toString()));
            line.put("traced_bytes", peer.times() * workload.bytes());
            line.put("system_calls", SystemCalls.total(Files.readAllLines(counts)));
        } catch (IOException | PeerFailure e) {
            line.put("not_traced", Commands.sentence(e));
            say(workload.name() + ": " + peer.name() + " could not be traced: " + Commands.sentence(e));
        }
        lines.add(line);
        settle();
    }

    /** Runs; see the class. */
    public static void main(String... args) {
        System.exit(Commands.run(new BenchPeers(), args));
    }
}
