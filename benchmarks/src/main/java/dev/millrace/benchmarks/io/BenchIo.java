// SPDX-License-Identifier: Apache-2.0
package dev.millrace.benchmarks.io;

import com.fasterxml.jackson.jr.ob.JSON;
import dev.millrace.benchmarks.Commands;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.results.Result;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.Options;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import org.openjdk.jmh.runner.options.TimeValue;
import org.openjdk.jmh.runner.options.VerboseMode;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/**
 * File I/O of ours and others': each workload's contenders run one after the other, each in a JVM of its own that JMH
 * starts, in rounds whose order is reversed from one to the next. Prints the tables; a line a run goes to a file.
 */
@Command(name = "bench-io", mixinStandardHelpOptions = true, description = "File I/O of ours and others'.")
public final class BenchIo implements Callable<Integer> {
    private static final int MIB = 1 << 20;

    @Option(names = "--dir", required = true, description = "where the files go")
    private Path folder = Path.of("");

    @Option(names = "--lines", required = true, description = "where the lines go, after what is there")
    private Path lines = Path.of("");

    @Option(names = "--fio", required = true, description = "the script that runs fio")
    private Path fio = Path.of("");

    @Option(names = "--rounds", description = "how often all take turns")
    private int rounds = 3;

    @Option(names = "--iterations", description = "measurements of a turn")
    private int iterations = 3;

    @Option(names = "--seconds", description = "of one measurement")
    private int seconds = 2;

    @Option(names = "--workloads", split = ",", description = "which, by default all")
    private List<Workload> workloads = List.of(Workload.values());

    @Option(names = "--contenders", split = ",", description = "which besides the yardsticks, by default all")
    private List<Contender> contenders = List.of(Contender.values());

    @Option(names = "--binding", description = "ffm, jni or jna")
    private String binding = "ffm";

    private final List<String> defects = new ArrayList<>();

    @Override
    public Integer call() throws Exception {
        for (int round = 0; round < rounds; round++) {
            for (Workload workload : workloads) {
                makeFile(workload);
                List<Contender> turn = new ArrayList<>(List.of(workload.yardstick()));
                turn.addAll(
                        workload.others().stream().filter(contenders::contains).toList());
                if (round % 2 == 1) {
                    Collections.reverse(turn);
                }
                for (Contender contender : turn) {
                    System.err.println("bench-io: round " + round + ", " + workload + ": " + contender.label());
                    record(new Outcome(round, workload, contender, run(workload, contender)));
                }
            }
        }
        System.out.print(IoTable.of(Files.readAllLines(lines)));
        defects.forEach(defect -> System.err.println("bench-io: " + defect));
        return defects.isEmpty() ? 0 : 1;
    }

    private void record(Outcome outcome) throws IOException {
        Files.writeString(
                lines,
                JSON.std.asString(outcome.toLine()) + "\n",
                StandardOpenOption.CREATE,
                StandardOpenOption.APPEND);
        if (outcome.hasFailed() && outcome.contender().isOurs()) {
            defects.add(
                    outcome.contender().label() + " at " + outcome.workload() + ": " + outcome.text(Outcome.FAILED));
        }
    }

    /** Random bytes, on disk and not in the page cache's debt. */
    private void makeFile(Workload workload) throws IOException {
        Path path = folder.resolve(workload.fileName());
        if (Files.exists(path) || workload.kind() == Workload.Kind.WRITE) {
            return;
        }
        byte[] bytes = new byte[MIB];
        Random random = new Random(1);
        try (FileChannel channel = FileChannel.open(path, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
            for (long at = 0; at < workload.fileBytes(); at += MIB) {
                random.nextBytes(bytes);
                ByteBuffer buffer = ByteBuffer.wrap(bytes);
                while (buffer.hasRemaining()) {
                    channel.write(buffer);
                }
            }
            channel.force(true);
        }
    }

    private Map<String, Object> run(Workload workload, Contender contender) {
        try {
            return contender == Contender.FIO
                    ? new Fio(fio, folder).run(workload, iterations * seconds, iterations)
                    : runJvm(workload, contender);
        } catch (IOException e) {
            String why = Optional.ofNullable(e.getMessage())
                    .orElse(e.toString())
                    .lines()
                    .findFirst()
                    .orElse("");
            return Map.of(Outcome.FAILED, why);
        } catch (InterruptedException e) {
            throw new IllegalStateException("nobody interrupts this", e);
        }
    }

    private Map<String, Object> runJvm(Workload workload, Contender contender) throws IOException {
        Path facts = Files.createTempFile(folder, "facts", ".json");
        Path log = folder.resolve("jmh.log");
        Options options = new OptionsBuilder()
                .include("^" + FileBenchmark.class.getName().replace(".", "\\.") + "\\.run$")
                .param("workload", workload.name())
                .param("contender", contender.name())
                .param("binding", binding)
                .mode(Mode.Throughput)
                .timeUnit(TimeUnit.SECONDS)
                .operationsPerInvocation(workload.operations())
                .threads(1)
                .forks(1)
                .warmupIterations(iterations)
                .warmupTime(TimeValue.seconds(seconds))
                .measurementIterations(iterations)
                .measurementTime(TimeValue.seconds(seconds))
                .timeout(TimeValue.seconds(120))
                .addProfiler(ProcessProfiler.class)
                .jvmArgsAppend(
                        "-D" + FileBenchmark.FOLDER + "=" + folder, "-D" + FileBenchmark.FACTS + "=" + facts, "-Xmx1g")
                .shouldFailOnError(true)
                .verbosity(VerboseMode.NORMAL)
                .output(log.toString())
                .build();
        try {
            return values(new Runner(options).run(), Files.readString(facts));
        } catch (RunnerException e) {
            throw new IOException(cause(log).orElse(String.valueOf(e.getMessage())), e);
        } finally {
            Files.deleteIfExists(facts);
        }
    }

    /** What JMH's own exception does not tell: the first one that the child did. */
    private static Optional<String> cause(Path log) throws IOException {
        List<String> told = Files.readAllLines(log);
        told.forEach(System.err::println);
        return told.stream()
                .map(String::strip)
                .filter(line -> line.matches("([a-z]+\\.)+[A-Za-z]*(Exception|Error)(: .*)?"))
                .findFirst();
    }

    private static Map<String, Object> values(Collection<RunResult> runs, String facts) throws IOException {
        RunResult run = runs.iterator().next();
        if (facts.isEmpty()) {
            throw new IOException("the child did not say what it ran on");
        }
        Map<String, Object> values = new LinkedHashMap<>(JSON.std.mapFrom(facts));
        values.put(Outcome.RATE, run.getPrimaryResult().getScore());
        for (Result<?> result : run.getSecondaryResults().values()) {
            switch (result.getLabel()) {
                case ProcessProfiler.CPU -> values.put(Outcome.CPU, result.getScore() / 1e3);
                case ProcessProfiler.MEDIAN -> values.put(Outcome.MEDIAN, result.getScore() / 1e3);
                case ProcessProfiler.LATE -> values.put(Outcome.LATE, result.getScore() / 1e6);
                case ProcessProfiler.ALLOCATED -> values.put(Outcome.ALLOCATED, result.getScore());
                default -> {
                    // Told by JMH, and of no use here.
                }
            }
        }
        return values;
    }

    /** Runs; see the class. */
    public static void main(String... args) {
        System.exit(Commands.run(new BenchIo(), args));
    }
}
