// SPDX-License-Identifier: Apache-2.0
package dev.millrace.benchmarks.io;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import org.openjdk.jmh.infra.BenchmarkParams;
import org.openjdk.jmh.infra.IterationParams;
import org.openjdk.jmh.profile.InternalProfiler;
import org.openjdk.jmh.results.AggregationPolicy;
import org.openjdk.jmh.results.IterationResult;
import org.openjdk.jmh.results.Result;
import org.openjdk.jmh.results.ScalarResult;

/** Hands {@link Samples} to JMH, a measurement at a time. */
public final class ProcessProfiler implements InternalProfiler {
    static final String CPU = "process.cpu";
    static final String ALLOCATED = "process.allocated";
    static final String MEDIAN = "latency.median";
    static final String LATE = "ticker.late";

    @Override
    public String getDescription() {
        return "CPU time, allocation and single times";
    }

    @Override
    public void beforeIteration(BenchmarkParams benchmark, IterationParams iteration) {
        Samples.reset();
    }

    @Override
    public Collection<? extends Result<?>> afterIteration(
            BenchmarkParams benchmark, IterationParams iteration, IterationResult result) {
        List<ScalarResult> results = new ArrayList<>();
        results.add(new ScalarResult(CPU, Samples.cpuNanosEach(), "ns/op", AggregationPolicy.AVG));
        results.add(new ScalarResult(ALLOCATED, Samples.bytesEach(), "B/op", AggregationPolicy.AVG));
        Samples.medianNanos()
                .ifPresent(median -> results.add(new ScalarResult(MEDIAN, median, "ns", AggregationPolicy.AVG)));
        if (Samples.latestNanos() > 0) {
            results.add(new ScalarResult(LATE, Samples.latestNanos(), "ns", AggregationPolicy.MAX));
        }
        return results;
    }
}
