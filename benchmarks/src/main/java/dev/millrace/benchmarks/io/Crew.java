// SPDX-License-Identifier: Apache-2.0
package dev.millrace.benchmarks.io;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicReference;

/** Threads that share the operations of an invocation: one alone is the caller itself, virtual ones are made each time. */
final class Crew implements AutoCloseable {
    private final int size;
    private final boolean virtual;
    private final ExecutorService threads;

    /** What one of them does. */
    interface Work {
        /** Does so many operations as worker {@code index}. */
        void run(int index, int operations) throws Exception;
    }

    Crew(int size, boolean virtual) {
        this.size = size;
        this.virtual = virtual;
        this.threads = virtual ? Executors.newVirtualThreadPerTaskExecutor() : Executors.newFixedThreadPool(size);
    }

    void run(int operations, Work work) throws Exception {
        if (size == 1 && !virtual) {
            work.run(0, operations);
            return;
        }
        CountDownLatch left = new CountDownLatch(size);
        AtomicReference<Exception> failure = new AtomicReference<>();
        for (int i = 0; i < size; i++) {
            int index = i;
            int share = operations / size + (i < operations % size ? 1 : 0);
            threads.execute(() -> {
                try {
                    work.run(index, share);
                } catch (Exception e) {
                    failure.compareAndSet(null, e);
                } finally {
                    left.countDown();
                }
            });
        }
        left.await();
        if (failure.get() != null) {
            throw failure.get();
        }
    }

    @Override
    public void close() {
        threads.close();
    }
}
