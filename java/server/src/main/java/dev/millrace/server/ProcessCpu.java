// SPDX-License-Identifier: Apache-2.0
package dev.millrace.server;

import com.sun.management.OperatingSystemMXBean;
import java.lang.management.ManagementFactory;

/** CPU time of this process, all threads, user and system. */
public final class ProcessCpu {
    private ProcessCpu() {}

    /** Nanoseconds since the process began; 0 where the system does not say. */
    public static long nanos() {
        return ManagementFactory.getOperatingSystemMXBean() instanceof OperatingSystemMXBean bean
                ? Math.max(0, bean.getProcessCpuTime())
                : 0;
    }
}
