// SPDX-License-Identifier: Apache-2.0
package dev.millrace.benchmarks;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;

/**
 * The time between two moments, and what this process and the whole machine spent in it.
 *
 * @param nanos of the wall clock when it began
 * @param cpuNanos of this process when it began
 * @param machineSeconds the machine's busy CPU seconds when it began
 */
record Window(long nanos, long cpuNanos, double machineSeconds) {
    private static final Path STAT = Path.of("/proc/stat");
    /** The kernel tells these times in hundredths of a second, whatever its own clock. */
    private static final double TICKS_PER_SECOND = 100;

    private static final int IDLE = 4;
    private static final int IO_WAIT = 5;
    private static final int STEAL = 8;

    static Window begin() {
        double machine = busySeconds();
        return new Window(System.nanoTime(), ProcessCpu.nanos(), machine);
    }

    /** What was spent since: a window whose values are differences. */
    Window spent() {
        Window now = begin();
        return new Window(now.nanos - nanos, now.cpuNanos - cpuNanos, now.machineSeconds - machineSeconds);
    }

    double seconds() {
        return nanos / 1e9;
    }

    double cpuSeconds() {
        return cpuNanos / 1e9;
    }

    /** Busy time of all processors, interrupts and kernel threads included; 0 where the system does not tell. */
    private static double busySeconds() {
        if (!Files.isReadable(STAT)) {
            return 0;
        }
        try (Stream<String> lines = Files.lines(STAT)) {
            String[] fields = lines.findFirst().orElse("cpu").split(" +", -1);
            double ticks = 0;
            for (int i = 1; i <= STEAL - 1 && i < fields.length; i++) {
                ticks += i == IDLE || i == IO_WAIT ? 0 : Long.parseLong(fields[i]);
            }
            return ticks / TICKS_PER_SECOND;
        } catch (IOException e) {
            return 0;
        }
    }
}
