// SPDX-License-Identifier: Apache-2.0
package dev.millrace.benchmarks.io;

import java.io.IOException;
import java.util.concurrent.atomic.AtomicLong;

/** Calls that block their thread or park it, on a crew of threads. */
abstract class BlockingLoad implements Load {
    final Target target;
    private final Crew crew;
    private final Target.Places[] places;
    private final AtomicLong nextWrite = new AtomicLong();
    private final boolean records;

    BlockingLoad(Target target, int threads, boolean virtual) {
        this.target = target;
        this.crew = new Crew(threads, virtual);
        this.records = target.depth() == 1;
        this.places = new Target.Places[threads];
        for (int i = 0; i < threads; i++) {
            places[i] = target.places(i);
        }
    }

    /** Moves one block with the buffer of worker {@code index}. */
    abstract void transfer(int index, boolean write, long position) throws Exception;

    /** Makes durable what was written. */
    abstract void sync() throws Exception;

    @Override
    public final void run(int operations) throws Exception {
        nextWrite.set(0);
        crew.run(operations, this::work);
        if (target.workload().kind() == Workload.Kind.WRITE) {
            sync();
        }
    }

    private void work(int index, int operations) throws Exception {
        Workload.Kind kind = target.workload().kind();
        for (int i = 0; i < operations; i++) {
            long position = kind == Workload.Kind.WRITE ? nextWrite.getAndAdd(target.block()) : places[index].next();
            long began = records ? System.nanoTime() : 0;
            transfer(index, kind.writes(), position);
            if (kind == Workload.Kind.SYNCED_WRITE) {
                sync();
            }
            if (records) {
                Samples.record(System.nanoTime() - began);
            }
        }
    }

    @Override
    public void close() throws IOException {
        crew.close();
    }
}
