// SPDX-License-Identifier: Apache-2.0
package dev.millrace.benchmarks.io;

import static dev.millrace.benchmarks.io.Contender.BLOCKING;
import static dev.millrace.benchmarks.io.Contender.CHANNEL;
import static dev.millrace.benchmarks.io.Contender.CHANNEL_POOL_8;
import static dev.millrace.benchmarks.io.Contender.CHANNEL_VIRTUAL;
import static dev.millrace.benchmarks.io.Contender.EPOLL_HANDLER;
import static dev.millrace.benchmarks.io.Contender.FIO;
import static dev.millrace.benchmarks.io.Contender.FUTURE;
import static dev.millrace.benchmarks.io.Contender.HANDLER;
import static dev.millrace.benchmarks.io.Contender.VIRTUAL;
import static dev.millrace.benchmarks.io.Workload.COLD_64;
import static dev.millrace.benchmarks.io.Workload.READ_1;
import static dev.millrace.benchmarks.io.Workload.READ_10000;
import static dev.millrace.benchmarks.io.Workload.READ_64;
import static dev.millrace.benchmarks.io.Workload.WRITE_256K;

import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;

/**
 * What is wanted of a contender of ours: a ratio to another's figure in the same round, or a figure of its own.
 *
 * @param workload what it does
 * @param ours who is meant
 * @param rival by whom it is measured; empty for a figure of its own
 * @param key which figure
 * @param bound the goal
 * @param floor below (or above) this the work is not done; empty where there is no such thing
 */
record Goal(
        Workload workload, Contender ours, Optional<Contender> rival, String key, double bound, OptionalDouble floor) {

    /** As many carriers has the scheduler of virtual threads by itself. */
    private static final int PROCESSORS = Runtime.getRuntime().availableProcessors();

    static final List<Goal> ALL = List.of(
            ratio(WRITE_256K, HANDLER, FIO, Outcome.RATE, 0.95, OptionalDouble.empty()),
            ratio(WRITE_256K, HANDLER, FIO, Outcome.CPU, 1.3, OptionalDouble.of(1.6)),
            own(WRITE_256K, HANDLER, Outcome.WORKERS, 0, OptionalDouble.of(0)),
            ratio(READ_64, HANDLER, FIO, Outcome.RATE, 0.9, OptionalDouble.empty()),
            ratio(READ_64, HANDLER, FIO, Outcome.CPU, 1.3, OptionalDouble.of(1.6)),
            own(READ_64, HANDLER, Outcome.ALLOCATED, 1, OptionalDouble.of(1)),
            ratio(READ_64, FUTURE, FIO, Outcome.CPU, 2.5, OptionalDouble.empty()),
            ratio(READ_64, VIRTUAL, FIO, Outcome.CPU, 5, OptionalDouble.empty()),
            ratio(READ_1, BLOCKING, CHANNEL, Outcome.MEDIAN, 1.05, OptionalDouble.of(1.15)),
            ratio(READ_1, VIRTUAL, CHANNEL, Outcome.MEDIAN, 1.35, OptionalDouble.empty()),
            ratio(READ_10000, VIRTUAL, CHANNEL_VIRTUAL, Outcome.RATE, 1.2, OptionalDouble.empty()),
            ratio(READ_10000, VIRTUAL, CHANNEL_VIRTUAL, Outcome.CPU, 0.65, OptionalDouble.empty()),
            own(READ_10000, VIRTUAL, Outcome.CARRIERS, PROCESSORS, OptionalDouble.empty()),
            own(COLD_64, VIRTUAL, Outcome.LATE, 20, OptionalDouble.empty()),
            ratio(READ_64, EPOLL_HANDLER, CHANNEL_POOL_8, Outcome.RATE, 1, OptionalDouble.empty()),
            ratio(READ_64, EPOLL_HANDLER, CHANNEL_POOL_8, Outcome.CPU, 1, OptionalDouble.empty()));

    private static Goal ratio(
            Workload workload, Contender ours, Contender rival, String key, double bound, OptionalDouble floor) {
        return new Goal(workload, ours, Optional.of(rival), key, bound, floor);
    }

    private static Goal own(Workload workload, Contender ours, String key, double bound, OptionalDouble floor) {
        return new Goal(workload, ours, Optional.empty(), key, bound, floor);
    }

    /** More is better of rates only. */
    private boolean moreIsBetter() {
        return key.equals(Outcome.RATE);
    }

    /** The bound with its direction. */
    String wanted() {
        return (moreIsBetter() ? "≥ " : "≤ ") + shown(bound);
    }

    /** The floor with its direction. */
    String wantedAtLeast() {
        return floor.isEmpty() ? "–" : (moreIsBetter() ? "≥ " : "≤ ") + shown(floor.getAsDouble());
    }

    private static String shown(double value) {
        return value == Math.rint(value) ? Long.toString((long) value) : Double.toString(value);
    }

    /** Whether a value is good enough, and by how much it is not. */
    String verdict(double value) {
        if (Double.isNaN(value)) {
            return "not measured";
        }
        if (meets(value, bound)) {
            return "met";
        }
        return floor.isPresent() && !meets(value, floor.getAsDouble()) ? "**below the floor**" : "not met";
    }

    private boolean meets(double value, double wanted) {
        return moreIsBetter() ? value >= wanted : value <= wanted;
    }
}
