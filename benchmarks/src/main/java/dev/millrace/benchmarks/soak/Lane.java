// SPDX-License-Identifier: Apache-2.0
package dev.millrace.benchmarks.soak;

import dev.millrace.benchmarks.soak.Counts.Kind;
import dev.millrace.io.EngineKind;
import dev.millrace.io.EngineStatus;
import dev.millrace.io.IoEngine;
import dev.millrace.io.IoEngineConfig;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * Workers whose engine is switched to other kinds under their hands, many times, then closed and opened again, from a seed:
 * sometimes when they have come to a stop, sometimes under their hands too.
 */
final class Lane {
    private static final int BUFFERS = 48;
    private static final int BUFFER_SIZE = 64 << 10;
    private static final int CLOSED_UNDER_LOAD_ONE_IN = 3;
    private static final int VIRTUAL_WORKERS = 3;
    private static final int MOST_RINGS = 3;
    /** One that is opened as blocking is pure Java so often, and is not switched then. */
    private static final int PURE_JAVA_ONE_IN = 2;

    private static final long LEAST_BEFORE_A_SWITCH = TimeUnit.MILLISECONDS.toNanos(20);
    private static final long MOST_BEFORE_A_SWITCH = TimeUnit.MILLISECONDS.toNanos(500);

    private final int number;
    private final SplittableRandom random;
    private final List<EngineKind> kinds;
    private final Counts counts;
    private final Failures failures;
    private final List<Worker> workers = new ArrayList<>();

    Lane(int number, long seed, List<EngineKind> kinds, Path parent, Counts counts, Failures failures)
            throws IOException {
        this.number = number;
        this.random = new SplittableRandom(seed);
        this.kinds = kinds;
        this.counts = counts;
        this.failures = failures;
        String name = "lane" + number + "-";
        workers.add(new FileWorker(FileWorker.Way.PLATFORM, name + "platform", random.nextLong(), parent, counts));
        for (int i = 0; i < VIRTUAL_WORKERS; i++) {
            workers.add(
                    new FileWorker(FileWorker.Way.VIRTUAL, name + "virtual" + i, random.nextLong(), parent, counts));
        }
        workers.add(new FileWorker(FileWorker.Way.FUTURES, name + "futures", random.nextLong(), parent, counts));
        workers.add(new CopyWorker(name + "copies", random.nextLong(), parent, counts));
        workers.add(new ChurnWorker(name + "names", random.nextLong(), parent, counts));
        workers.add(new TimerWorker(name + "timers", random.nextLong(), parent, counts));
    }

    List<Worker> workers() {
        return workers;
    }

    /** Goes from engine to engine until a moment of {@link System#nanoTime}, or until something fails. */
    void run(long end, long cycleNanos) {
        for (int turn = number; System.nanoTime() - end < 0 && failures.none(); turn++) {
            EngineKind kind = kinds.get(turn % kinds.size());
            long left = end - System.nanoTime();
            long time = Math.min(left, cycleNanos / 2 + random.nextLong(cycleNanos));
            boolean underLoad = random.nextInt(CLOSED_UNDER_LOAD_ONE_IN) == 0 && left > 3 * cycleNanos;
            try {
                turn(kind, time, underLoad);
            } catch (Throwable e) {
                failures.add("lane " + number + " on " + kind.label(), e);
            }
        }
    }

    private void turn(EngineKind kind, long nanos, boolean underLoad) throws Exception {
        boolean switched = kinds.size() > 1 && (kind != EngineKind.BLOCKING || random.nextInt(PURE_JAVA_ONE_IN) != 0);
        IoEngineConfig config = IoEngineConfig.defaults()
                .withEngine(kind)
                .withSlots(random.nextBoolean() ? 8 : 256)
                .withWorkers(3)
                .withRings(random.nextInt(1, MOST_RINGS + 1))
                .withPool(BUFFERS, BUFFER_SIZE);
        IoEngine engine = IoEngine.open(switched ? config.withSwitching() : config);
        counts.add(Kind.ENGINES_OPENED);
        AtomicBoolean stop = new AtomicBoolean();
        List<Thread> threads = new ArrayList<>();
        for (Worker worker : workers) {
            Thread.Builder builder = worker.isVirtual() ? Thread.ofVirtual() : Thread.ofPlatform();
            threads.add(builder.name(worker.name()).start(() -> work(worker, engine, stop, underLoad)));
        }
        long end = System.nanoTime() + nanos;
        while (System.nanoTime() - end < 0 && failures.none()) {
            long left = Math.max(1, end - System.nanoTime());
            TimeUnit.NANOSECONDS.sleep(Math.min(left, random.nextLong(LEAST_BEFORE_A_SWITCH, MOST_BEFORE_A_SWITCH)));
            if (switched) {
                switchOver(engine);
            }
        }
        if (underLoad) {
            engine.close();
            counts.add(Kind.ENGINES_CLOSED_UNDER_LOAD);
        }
        stop.set(true);
        for (Thread thread : threads) {
            thread.join();
        }
        Worker.awaitThat(
                "a buffer did not come back to the pool", () -> engine.buffers().available() == BUFFERS);
        expect("operations in flight", underLoad ? 0 : engine.counters().inFlight(), 0);
        engine.close();
        expect(
                "rings that did not end",
                engine.status().rings().stream()
                        .filter(EngineStatus.Ring::ending)
                        .count(),
                0);
        expect("operations in flight after close", engine.counters().inFlight(), 0);
        expect(
                "operations submitted and not completed",
                engine.counters().submitted() - engine.counters().completed(),
                0);
        expect("places of callers in line", engine.pendingFromCallers(), 0);
        expect("handlers that threw", engine.handlerErrors(), 0);
        expect("buffers dropped without close", engine.buffers().droppedLeases(), 0);
    }

    /** Under the workers' hands, whose files stay open. */
    private void switchOver(IoEngine engine) throws Exception {
        long before = engine.status().switches();
        engine.switchTo(kinds.get(random.nextInt(kinds.size())));
        counts.add(Kind.SWITCHES_UNDER_LOAD, engine.status().switches() - before);
    }

    private void work(Worker worker, IoEngine engine, AtomicBoolean stop, boolean underLoad) {
        try {
            worker.run(engine, stop::get, underLoad);
        } catch (Throwable e) {
            failures.add(
                    worker.place() + ", engine " + engine.kind().label() + " over "
                            + engine.status().binding(),
                    e);
            stop.set(true);
        }
    }

    private static void expect(String what, long found, long expected) throws MismatchException {
        if (found != expected) {
            throw new MismatchException(what + ": " + found + " instead of " + expected);
        }
    }
}
