// SPDX-License-Identifier: Apache-2.0
package dev.millrace.benchmarks.soak;

import dev.millrace.benchmarks.Commands;
import dev.millrace.io.EngineKind;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.SortedMap;
import java.util.SplittableRandom;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/**
 * Full load on every engine for a time: each has a lane of workers who read, write, sync, cancel, open, rename and copy, and
 * check every byte they read against a model, while engines are switched, closed and opened again, and the simulated engine
 * goes through seeds with faults. At the end nothing may be left, and memory must not have grown.
 */
@Command(name = "soak", mixinStandardHelpOptions = true, description = "Full load on every engine for a time.")
public final class Soak implements Callable<Integer> {
    private static final long SAMPLE_MILLIS = 500;
    private static final long CYCLE_SECONDS = 6;
    /** Of what was resident at a quarter of the time; pools come and go meanwhile, on huge pages. */
    private static final double MOST_GROWTH = 1.10;

    private static final long MOST_GROWTH_KIB = 32 << 10;

    @Option(names = "--minutes", required = true, description = "how long")
    private double minutes;

    @Option(names = "--dir", required = true, description = "where the files go")
    private Path folder = Path.of("");

    @Option(names = "--seed", description = "the seed that all others come from; by default the time")
    private long seed = System.nanoTime();

    @Option(names = "--engines", split = ",", description = "which, by default io_uring,epoll,blocking")
    private List<String> engines = List.of("io_uring", "epoll", "blocking");

    private final Counts counts = new Counts();
    private final Failures failures = new Failures();
    private final List<Long> resident = new ArrayList<>();

    @Override
    public Integer call() throws Exception {
        Path real = folder.toRealPath();
        SortedMap<String, Integer> before = Held.now(real);
        List<EngineKind> kinds = engines.stream()
                .map(name -> EngineKind.parse(name)
                        .orElseThrow(() -> new IllegalArgumentException("name engines, not " + name)))
                .toList();
        SplittableRandom random = new SplittableRandom(seed);
        List<Lane> lanes = new ArrayList<>();
        for (int i = 0; i < kinds.size(); i++) {
            lanes.add(new Lane(i, random.nextLong(), kinds, real, counts, failures));
        }
        long simulatedSeed = random.nextInt(Integer.MAX_VALUE);
        System.out.println("soak: seed " + seed + ", simulated seeds from " + simulatedSeed + ", " + minutes
                + " minutes on " + String.join(", ", engines) + " in " + real);
        for (Lane lane : lanes) {
            lane.workers()
                    .forEach(worker -> System.out.println("  worker " + worker.name() + ": seed " + worker.seed()));
        }

        long begin = System.nanoTime();
        long nanos = (long) (minutes * TimeUnit.MINUTES.toNanos(1));
        long end = begin + nanos;
        long cycle = Math.min(TimeUnit.SECONDS.toNanos(CYCLE_SECONDS), nanos / 10);
        List<Thread> threads = new ArrayList<>();
        for (Lane lane : lanes) {
            threads.add(Thread.ofPlatform().name("soak-lane").start(() -> lane.run(end, cycle)));
        }
        threads.add(Thread.ofPlatform()
                .name("soak-simulation")
                .start(() -> Simulations.run(simulatedSeed, () -> System.nanoTime() - end >= 0, counts, failures)));
        watch(begin, end);
        for (Thread thread : threads) {
            thread.join();
        }
        double seconds = (System.nanoTime() - begin) / 1e9;
        checkNothingIsHeld(before, real);
        checkMemory();
        report(seconds);
        return failures.none() ? 0 : 1;
    }

    private void watch(long begin, long end) throws IOException, InterruptedException {
        long told = begin;
        while (System.nanoTime() - end < 0 && failures.none()) {
            TimeUnit.MILLISECONDS.sleep(SAMPLE_MILLIS);
            resident.add(Held.residentKib());
            if (System.nanoTime() - told > TimeUnit.MINUTES.toNanos(1)) {
                told = System.nanoTime();
                System.out.printf(
                        Locale.ROOT,
                        "soak: %s: %,d operations, %d MiB resident%n",
                        Duration.ofNanos(told - begin).truncatedTo(java.time.temporal.ChronoUnit.SECONDS),
                        counts.operations(),
                        resident.get(resident.size() - 1) >> 10);
            }
        }
    }

    /** Threads that are just ending are given a moment. */
    private void checkNothingIsHeld(SortedMap<String, Integer> before, Path real)
            throws IOException, InterruptedException {
        SortedMap<String, Integer> more = Held.more(before, real);
        for (int i = 0; i < 200 && !more.isEmpty(); i++) {
            TimeUnit.MILLISECONDS.sleep(100);
            more = Held.more(before, real);
        }
        System.out.println("soak: descriptors and threads left behind: " + (more.isEmpty() ? "none" : more));
        if (!more.isEmpty()) {
            failures.add("at the end", new MismatchException("left behind: " + more));
        }
    }

    /** The most in the first tenth after a quarter of the time, against the most in the last tenth. */
    private void checkMemory() {
        int tenth = Math.max(1, resident.size() / 10);
        long quarter = most(resident.size() / 4, tenth);
        long last = most(resident.size() - tenth, tenth);
        long bound = (long) (quarter * MOST_GROWTH) + MOST_GROWTH_KIB;
        System.out.printf(
                Locale.ROOT,
                "soak: resident at a quarter %d MiB, at the end %d MiB, at most %d MiB allowed%n",
                quarter >> 10,
                last >> 10,
                bound >> 10);
        if (last > bound) {
            failures.add("at the end", new MismatchException("memory grew from " + quarter + " to " + last + " KiB"));
        }
    }

    private long most(int from, int count) {
        return resident.stream()
                .skip(from)
                .limit(count)
                .mapToLong(Long::longValue)
                .max()
                .orElse(0);
    }

    private void report(double seconds) {
        System.out.print(counts.table());
        System.out.printf(
                Locale.ROOT,
                "soak: %s: %,d operations on files in %.0f s, %,.0f a second, seed %d%n",
                failures.none() ? "passed" : "FAILED",
                counts.operations(),
                seconds,
                counts.operations() / seconds,
                seed);
        failures.lines().forEach(line -> System.out.println("soak: " + line));
    }

    /** Runs. */
    public static void main(String... args) {
        System.exit(Commands.run(new Soak(), args));
    }
}
