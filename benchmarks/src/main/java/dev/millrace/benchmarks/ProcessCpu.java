// SPDX-License-Identifier: Apache-2.0
package dev.millrace.benchmarks;

import com.sun.management.OperatingSystemMXBean;
import java.lang.management.ManagementFactory;

/** CPU time of this process, all threads, user and system. */
public final class ProcessCpu {
    private static final OperatingSystemMXBean SYSTEM =
            (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();

    private ProcessCpu() {}

    /** Nanoseconds so far. */
    public static long nanos() {
        return SYSTEM.getProcessCpuTime();
    }
}
