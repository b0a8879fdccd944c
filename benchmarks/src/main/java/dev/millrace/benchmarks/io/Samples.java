// SPDX-License-Identifier: Apache-2.0
package dev.millrace.benchmarks.io;

import com.sun.management.ThreadMXBean;
import dev.millrace.benchmarks.ProcessCpu;
import java.lang.management.ManagementFactory;
import java.util.Arrays;
import java.util.OptionalDouble;

/**
 * What the operations of a measurement cost: CPU time and allocation of the whole process while they ran, and nothing of
 * what JMH does in between; the time of single ones, where one is done at a time; how late a ticker was. One thread records
 * at a time; the hand-over between them is the load's.
 */
final class Samples {
    private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    private static final long[] NANOS = new long[1 << 16];
    private static int count;
    private static long operations;
    private static long cpuNanos;
    private static long allocated;
    private static volatile long latest;

    /** A load's run. */
    interface Body {
        void run() throws Exception;
    }

    private Samples() {}

    static void reset() {
        count = 0;
        operations = 0;
        cpuNanos = 0;
        allocated = 0;
        latest = 0;
    }

    /** Runs operations and adds what they cost. */
    static void measure(int howMany, Body body) throws Exception {
        long bytes = THREADS.getTotalThreadAllocatedBytes();
        long cpu = ProcessCpu.nanos();
        body.run();
        cpuNanos += ProcessCpu.nanos() - cpu;
        allocated += THREADS.getTotalThreadAllocatedBytes() - bytes;
        operations += howMany;
    }

    static double cpuNanosEach() {
        return (double) cpuNanos / Math.max(1, operations);
    }

    static double bytesEach() {
        return (double) allocated / Math.max(1, operations);
    }

    /** Keeps the newest. */
    static void record(long nanos) {
        NANOS[count & (NANOS.length - 1)] = nanos;
        count++;
    }

    static OptionalDouble medianNanos() {
        int kept = Math.min(count, NANOS.length);
        if (kept == 0) {
            return OptionalDouble.empty();
        }
        long[] sorted = Arrays.copyOf(NANOS, kept);
        Arrays.sort(sorted);
        return OptionalDouble.of((double) sorted[kept / 2]);
    }

    static void ticked(long lateNanos) {
        latest = Math.max(latest, lateNanos);
    }

    /** The latest tick. */
    static long latestNanos() {
        return latest;
    }
}
