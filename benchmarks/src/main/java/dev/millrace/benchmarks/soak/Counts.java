// SPDX-License-Identifier: Apache-2.0
package dev.millrace.benchmarks.soak;

import java.util.EnumMap;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.atomic.LongAdder;

/** How often what was done; any thread. */
final class Counts {
    /** What is counted. */
    enum Kind {
        READ,
        WRITE,
        UNALIGNED_READ,
        BOUNCED_WRITE,
        FUTURE_READ,
        FUTURE_WRITE,
        FUTURE_SYNC,
        SYNC,
        FOLDER_SYNC,
        STAT,
        TRUNCATE,
        RESERVE,
        OPEN,
        CLOSE,
        RENAME,
        UNLINK,
        TIMER(false),
        COPY_LOOP,
        COPY_LOOP_ABORTED(false),
        CANCELS(false),
        CANCELS_THAT_WON(false),
        UNCERTAIN_WRITES_RESOLVED(false),
        ENGINES_OPENED(false),
        ENGINES_CLOSED_UNDER_LOAD(false),
        SWITCHES_UNDER_LOAD(false),
        SIMULATED_SEEDS(false),
        SIMULATED_FAULTS(false),
        SIMULATED_POWER_LOSSES(false),
        KIB_CHECKED(false);

        private final boolean operation;

        Kind() {
            this(true);
        }

        Kind(boolean operation) {
            this.operation = operation;
        }

        String label() {
            return name().toLowerCase(Locale.ROOT).replace('_', ' ');
        }
    }

    private final Map<Kind, LongAdder> adders = new EnumMap<>(Kind.class);

    Counts() {
        for (Kind kind : Kind.values()) {
            adders.put(kind, new LongAdder());
        }
    }

    void add(Kind kind) {
        adders.get(kind).increment();
    }

    void add(Kind kind, long count) {
        adders.get(kind).add(count);
    }

    long of(Kind kind) {
        return adders.get(kind).sum();
    }

    /** Operations on files; what else is counted is apart, and what costs nearly nothing must not make up the number. */
    long operations() {
        long sum = 0;
        for (Kind kind : Kind.values()) {
            sum += kind.operation ? of(kind) : 0;
        }
        return sum;
    }

    /** A line for each. */
    String table() {
        StringBuilder table = new StringBuilder();
        for (Kind kind : Kind.values()) {
            table.append(String.format(Locale.ROOT, "  %-28s %,15d%n", kind.label(), of(kind)));
        }
        return table.toString();
    }
}
