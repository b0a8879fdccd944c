// SPDX-License-Identifier: Apache-2.0
package dev.millrace.benchmarks.io;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;

/**
 * As many chains of operations as are at once: the completion of one begins the next of its chain, on whatever thread
 * completes it.
 */
abstract class Chain implements Load {
    /** What has not ended by then never will. */
    private static final int LOST_SECONDS = 60;

    final Target target;
    private final AtomicInteger left = new AtomicInteger();
    private final AtomicLong nextWrite = new AtomicLong();
    private final AtomicReference<Throwable> failure = new AtomicReference<>();
    private final Target.Places[] places;
    private volatile CountDownLatch ended = new CountDownLatch(0);

    Chain(Target target) {
        this.target = target;
        places = new Target.Places[target.depth()];
        for (int i = 0; i < places.length; i++) {
            places[i] = target.places(i);
        }
    }

    /** Does one operation and waits for it; the bytes that it moved. */
    abstract int one(boolean write, long position) throws Exception;

    /** Begins an operation of a chain; {@link #completed} is to be called when it ends. */
    abstract void begin(int chain, boolean write, long position);

    abstract void sync() throws Exception;

    @Override
    public final void run(int operations) throws Exception {
        if (target.depth() == 1) {
            for (int i = 0; i < operations; i++) {
                long began = System.nanoTime();
                one(places[0].next());
                Samples.record(System.nanoTime() - began);
            }
            return;
        }
        nextWrite.set(0);
        left.set(operations);
        ended = new CountDownLatch(target.depth());
        for (int i = 0; i < target.depth(); i++) {
            next(i);
        }
        if (!ended.await(LOST_SECONDS, TimeUnit.SECONDS)) {
            throw new IllegalStateException("an operation was lost: it did not end in " + LOST_SECONDS + " s");
        }
        if (failure.get() != null) {
            throw new IllegalStateException(failure.get());
        }
        if (target.workload().kind() == Workload.Kind.WRITE) {
            sync();
        }
    }

    /** With a sync where the workload has one. */
    private void one(long position) throws Exception {
        Workload.Kind kind = target.workload().kind();
        int bytes = one(kind.writes(), position);
        if (bytes != target.block()) {
            throw wrongCount(bytes);
        }
        if (kind == Workload.Kind.SYNCED_WRITE) {
            sync();
        }
    }

    private static IllegalStateException wrongCount(int bytes) {
        return new IllegalStateException("an operation moved " + bytes + " bytes");
    }

    private void next(int chain) {
        if (left.getAndDecrement() <= 0) {
            ended.countDown();
            return;
        }
        boolean write = target.workload().kind().writes();
        begin(chain, write, write ? nextWrite.getAndAdd(target.block()) : places[chain].next());
    }

    final void completed(int chain, int bytes) {
        if (bytes == target.block()) {
            next(chain);
        } else {
            failed(wrongCount(bytes));
        }
    }

    final void failed(Throwable cause) {
        failure.compareAndSet(null, cause);
        ended.countDown();
    }
}
