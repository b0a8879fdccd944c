// SPDX-License-Identifier: Apache-2.0
package dev.millrace.benchmarks.soak;

import dev.millrace.io.EngineClosedException;
import dev.millrace.io.IoEngine;
import dev.millrace.io.IoFailure;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;

/**
 * One thread's work on files of its own, all choices from its seed. Its files outlive the engines: what one wrote the next
 * reads.
 */
abstract class Worker {
    /** By then whatever was begun must have ended, on the slowest disk. */
    private static final long LOST_SECONDS = 120;

    final long seed;
    final SplittableRandom random;
    final Counts counts;
    final Path folder;
    private final String name;
    private long steps;

    Worker(String name, long seed, Path parent, Counts counts) throws IOException {
        this.name = name;
        this.seed = seed;
        this.counts = counts;
        this.random = new SplittableRandom(seed);
        this.folder = Files.createDirectories(parent.resolve(name));
    }

    final String name() {
        return name;
    }

    final long seed() {
        return seed;
    }

    /** True where it wants a virtual thread. */
    boolean isVirtual() {
        return false;
    }

    /** Where a failure happened, with what is needed to come there again. */
    final String place() {
        return "worker " + name + ", seed " + seed + ", step " + steps;
    }

    /**
     * Works on an engine until it is told to stop, or until the engine is closed where that may happen.
     *
     * @param mayClose whether somebody closes the engine meanwhile
     */
    final void run(IoEngine engine, BooleanSupplier stop, boolean mayClose) throws Exception {
        try {
            begin(engine);
            while (!stop.getAsBoolean()) {
                steps++;
                step(engine);
            }
        } catch (EngineClosedException e) {
            if (!mayClose) {
                throw e;
            }
        } finally {
            end();
        }
    }

    /** Opens what it needs. */
    abstract void begin(IoEngine engine) throws Exception;

    /** Does something. */
    abstract void step(IoEngine engine) throws Exception;

    /** Closes what it has open, also after a failure. */
    abstract void end() throws Exception;

    /** A future's value; its failure as it is. */
    static <T> T await(String what, CompletableFuture<T> future) throws IoFailure, MismatchException {
        try {
            return future.get(LOST_SECONDS, TimeUnit.SECONDS);
        } catch (ExecutionException e) {
            if (e.getCause() instanceof IoFailure failure) {
                throw failure;
            }
            throw new IllegalStateException(e.getCause());
        } catch (TimeoutException e) {
            throw new MismatchException(what + " did not end in " + LOST_SECONDS + " s");
        } catch (InterruptedException e) {
            throw new IllegalStateException("nobody interrupts a worker", e);
        }
    }

    /** Waits for what has no future. */
    static void awaitThat(String what, BooleanSupplier condition) throws MismatchException {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(LOST_SECONDS);
        while (!condition.getAsBoolean()) {
            if (System.nanoTime() - deadline > 0) {
                throw new MismatchException(what + " in " + LOST_SECONDS + " s");
            }
            LockSupport.parkNanos(20_000);
        }
    }
}
