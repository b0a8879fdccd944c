// SPDX-License-Identifier: Apache-2.0
package dev.millrace.benchmarks;

import com.sun.management.ThreadMXBean;
import dev.millrace.io.engine.EngineCounters;
import dev.millrace.io.engine.EngineLoop;
import dev.millrace.io.engine.OpCode;
import dev.millrace.io.engine.Operation;
import java.lang.management.ManagementFactory;
import java.util.Map;
import java.util.concurrent.CompletableFuture;

/**
 * One operation that does nothing and that its own handler submits again, so many times: what the engine thread spends on
 * an operation, in counts that hang on no clock and no disk. Each needs one call into the ring, which submits it and
 * brings its result, and no byte of the heap.
 */
final class ChainedOperations extends Operation {
    /** Enough for the compiler to be done with all of it. */
    private static final int WARM = 200_000;

    private static final int COUNT = 20_000;
    private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

    private final EngineLoop loop;
    private final CompletableFuture<Void> end = new CompletableFuture<>();
    private int done;
    private long enters;
    private long allocated;

    private ChainedOperations(EngineLoop loop) {
        this.loop = loop;
    }

    /** Adds {@code enters_per_operation} and {@code allocated_per_operation}, in bytes. */
    static void measure(EngineLoop loop, Map<String, Object> measures) {
        ChainedOperations chain = new ChainedOperations(loop);
        loop.execute(chain::next);
        chain.end.join();
        measures.put("enters_per_operation", (double) chain.enters / COUNT);
        measures.put("allocated_per_operation", (double) chain.allocated / COUNT);
    }

    private long entersSoFar() {
        return EngineCounters.of(loop.stats()).enters();
    }

    private void next() {
        reset(OpCode.NOP);
        loop.submit(this);
    }

    @Override
    protected void completed(int result) {
        if (done == WARM) {
            enters = entersSoFar();
            allocated = THREADS.getCurrentThreadAllocatedBytes();
        }
        if (done == WARM + COUNT) {
            allocated = THREADS.getCurrentThreadAllocatedBytes() - allocated;
            enters = entersSoFar() - enters;
            end.complete(null);
            return;
        }
        done++;
        next();
    }
}
