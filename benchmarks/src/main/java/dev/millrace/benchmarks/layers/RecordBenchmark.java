// SPDX-License-Identifier: Apache-2.0
package dev.millrace.benchmarks.layers;

import dev.millrace.layers.AccessKind;
import dev.millrace.layers.TaskKind;
import dev.millrace.layers.stats.AccessStatistics;
import dev.millrace.layers.stats.LayerAccessStats;
import dev.millrace.layers.stats.ResidenceReason;
import dev.millrace.layers.stats.ResidenceStatus;
import dev.millrace.layers.stats.StatisticsReset;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Threads;
import org.openjdk.jmh.annotations.Warmup;

/** Recording that a layer is read: one layer by one thread, by two, and ten thousand layers in turn. */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(2)
public class RecordBenchmark {
    private static final int LAYERS = 10_000;

    /** A layer that all threads read. */
    @State(Scope.Benchmark)
    public static class Shared {
        private final AccessStatistics statistics = new AccessStatistics();

        /** As after attach. */
        public Shared() {
            statistics.recordResidence(ResidenceStatus.RESIDENT, ResidenceReason.LAYER_LOAD, 1);
        }
    }

    /** More layers than caches hold. */
    @State(Scope.Benchmark)
    public static class Many {
        private final AccessStatistics[] statistics = new AccessStatistics[LAYERS];

        /** Each read once. */
        public Many() {
            for (int i = 0; i < LAYERS; i++) {
                statistics[i] = new AccessStatistics();
                statistics[i].recordAccess(AccessKind.ITER, TaskKind.COMPACTION, 1);
            }
        }
    }

    /** The clock of a thread, which goes on by a millisecond every thousand accesses. */
    @State(Scope.Thread)
    public static class Clock {
        private static final int PER_MILLI = 1000;
        private long ticks;

        private long now() {
            return ticks++ / PER_MILLI + 1_700_000_000_000L;
        }
    }

    private static void record(AccessStatistics statistics, long now) {
        statistics.recordAccess(AccessKind.GET_VALUE_RECONSTRUCT_DATA, TaskKind.PAGE_REQUEST_HANDLER, now);
    }

    /** One thread. */
    @Benchmark
    public void record(Shared shared, Clock clock) {
        record(shared.statistics, clock.now());
    }

    /** Two threads, one layer. */
    @Benchmark
    @Threads(2)
    public void recordByTwo(Shared shared, Clock clock) {
        record(shared.statistics, clock.now());
    }

    /** Another layer each time. */
    @Benchmark
    public void recordInTurn(Many many, Clock clock) {
        long now = clock.now();
        record(many.statistics[(int) (clock.ticks * 7919 % LAYERS)], now);
    }

    /** What a listing pays for each layer. */
    @Benchmark
    public LayerAccessStats snapshot(Many many, Clock clock) {
        clock.ticks++;
        return many.statistics[(int) (clock.ticks * 7919 % LAYERS)].snapshotAndReset(StatisticsReset.NO_RESET);
    }
}
