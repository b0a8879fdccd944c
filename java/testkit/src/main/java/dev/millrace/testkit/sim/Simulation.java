// SPDX-License-Identifier: Apache-2.0
package dev.millrace.testkit.sim;

import dev.millrace.io.EngineUnavailableException;
import dev.millrace.io.IoEngine;
import dev.millrace.io.IoEngineConfig;
import dev.millrace.io.engine.Driver;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.SplittableRandom;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.function.BooleanSupplier;

/**
 * An {@link IoEngine} over a {@link SimulatedDriver}, and all that happens to it, from one seed. The thread that made it
 * runs the scenario: it makes blocking calls, and has the rest happen by {@link #step}. Users' futures complete on it,
 * within a step.
 *
 * <p>{@link #close} proves that nothing was left behind: buffers, slots, places in line, descriptors, the engine thread;
 * that no handler threw; and that nothing was done that a correct program never does.
 */
public final class Simulation implements AutoCloseable {
    private static final int MOST_STEPS = 200_000;
    private static final long THREAD_ENDS_MILLIS = 20_000;

    private final SimulatedDisk disk;
    private final VirtualClock clock = new VirtualClock();
    private final Trace trace;
    private final SplittableRandom random;
    private final SimulatedDriver driver;
    private final IoEngine engine;
    private final ConcurrentLinkedQueue<Runnable> completions = new ConcurrentLinkedQueue<>();

    /**
     * How big things are.
     *
     * @param buffers in the pool
     * @param bufferSize of each, a multiple of 4096
     * @param slots operations in flight at most, at least 8
     * @param descriptors of files, open at most
     */
    public record Size(int buffers, int bufferSize, int slots, int descriptors) {
        /** With more descriptors than a scenario has files. */
        public Size(int buffers, int bufferSize, int slots) {
            this(buffers, bufferSize, slots, IoEngineConfig.defaults().descriptors());
        }
    }

    /** Starts an engine over a disk, with a fault below it if one is given. */
    public Simulation(
            SimulatedDisk disk,
            SplittableRandom random,
            Trace trace,
            Size size,
            FaultRates rates,
            Optional<PlantedFault> fault) {
        this.disk = disk;
        this.random = random;
        this.trace = trace;
        this.driver = new SimulatedDriver(disk, clock, trace, random.split(), rates, size.slots());
        Driver turned = fault.isPresent() ? new PlantedDriver(driver, disk, fault.get()) : driver;
        try {
            engine = IoEngine.over(
                    IoEngineConfig.defaults()
                            .withSlots(size.slots())
                            .withPool(size.buffers(), size.bufferSize())
                            .withDescriptors(size.descriptors())
                            .withExecutor(completions::add),
                    () -> turned);
        } catch (EngineUnavailableException e) {
            throw new AssertionError(e);
        }
    }

    /** The engine. */
    public IoEngine engine() {
        return engine;
    }

    /** The disk below it. */
    public SimulatedDisk disk() {
        return disk;
    }

    /** The driver, for faults and power loss. */
    public SimulatedDriver driver() {
        return driver;
    }

    /** Time. */
    public VirtualClock clock() {
        return clock;
    }

    /** Chance, for the scenario. */
    public SplittableRandom random() {
        return random;
    }

    /** What happened. */
    public Trace trace() {
        return trace;
    }

    /** Has the next thing happen, a completion or a timer, and all that follows from it; false where there is none. */
    public boolean step() {
        OptionalLong due = driver.nextDue();
        OptionalLong timer = clock.nextTimer();
        boolean happened;
        if (timer.isPresent() && (due.isEmpty() || timer.getAsLong() < due.getAsLong())) {
            happened = clock.runNextTimer();
        } else {
            happened = driver.step();
        }
        return completeFutures() || happened;
    }

    private boolean completeFutures() {
        boolean any = false;
        Runnable completion;
        while ((completion = completions.poll()) != null) {
            completion.run();
            any = true;
        }
        return any;
    }

    /** Steps until a condition holds; that there is nothing left to happen before it does is a lost wake-up. */
    public void runUntil(String what, BooleanSupplier condition) {
        for (int i = 0; !condition.getAsBoolean(); i++) {
            if (!step() && !condition.getAsBoolean()) {
                throw new AssertionError(what + " never comes: nothing is in flight any more");
            }
            if (i > MOST_STEPS) {
                throw new AssertionError(what + " does not come in " + MOST_STEPS + " steps");
            }
        }
    }

    /** Steps until nothing is left to happen. */
    public void settle() {
        for (int i = 0; step(); i++) {
            if (i > MOST_STEPS) {
                throw new AssertionError("it does not end in " + MOST_STEPS + " steps");
            }
        }
    }

    /** Ends everything and fails where something is left behind. */
    @Override
    public void close() {
        List<String> problems = new ArrayList<>();
        try {
            settle();
        } catch (AssertionError e) {
            problems.add(e.getMessage());
        }
        int available = engine.buffers().available();
        engine.close();
        completeFutures();
        expect(problems, "buffers in the pool", available, engine.buffers().size());
        expect(problems, "buffers dropped without close", engine.buffers().droppedLeases(), 0);
        expect(problems, "descriptors open", disk.openDescriptors(), 0);
        expect(problems, "descriptors counted", engine.descriptors().open(), 0);
        expect(problems, "operations in flight", driver.inFlight(), 0);
        expect(
                problems,
                "operations submitted and not completed",
                engine.counters().inFlight(),
                0);
        expect(problems, "callers' places in line", engine.pendingFromCallers(), 0);
        expect(problems, "handlers that threw", engine.handlerErrors(), 0);
        expect(problems, "drivers not destroyed", driver.isDestroyed() ? 0 : 1, 0);
        driver.thread().ifPresent(thread -> awaitEnd(thread, problems));
        problems.addAll(driver.violations());
        if (!problems.isEmpty()) {
            throw new AssertionError(String.join("; ", problems));
        }
    }

    /** Fails where a number is not what it must be. */
    static void expect(String what, long found, long expected) {
        if (found != expected) {
            throw new AssertionError(what + ": " + found + " instead of " + expected);
        }
    }

    private static void expect(List<String> problems, String what, long found, long expected) {
        if (found != expected) {
            problems.add(what + ": " + found + " instead of " + expected);
        }
    }

    private static void awaitEnd(Thread thread, List<String> problems) {
        try {
            thread.join(THREAD_ENDS_MILLIS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        if (thread.isAlive()) {
            problems.add("the engine thread lives on");
        }
    }
}
