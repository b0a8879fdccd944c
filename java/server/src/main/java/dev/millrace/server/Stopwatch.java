// SPDX-License-Identifier: Apache-2.0
package dev.millrace.server;

import dev.millrace.io.IoEngine;
import dev.millrace.io.engine.EngineCounters;
import dev.millrace.transfer.BulkResult;

/** The window of a measurement: from the first request to the last publish. */
final class Stopwatch {
    private final long cpu = ProcessCpu.nanos();
    private final long time = System.nanoTime();

    private Stopwatch() {}

    static Stopwatch start() {
        return new Stopwatch();
    }

    Summary stop(BulkResult result, IoEngine engine) {
        long nanos = System.nanoTime() - time;
        long processCpu = ProcessCpu.nanos();
        EngineCounters counters = engine.counters();
        return new Summary(result, nanos, processCpu - cpu, processCpu, engine.status(), counters);
    }
}
