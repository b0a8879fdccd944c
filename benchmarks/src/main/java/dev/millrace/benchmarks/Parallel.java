// SPDX-License-Identifier: Apache-2.0
package dev.millrace.benchmarks;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/** The same work for many, some at once. */
final class Parallel {
    private Parallel() {}

    /** What shall be done for each. */
    interface Work<T, R> {
        R apply(T item) throws IOException;
    }

    /** The results in the order of the items. The first failure, in that order, ends it; its threads are asked to end then. */
    static <T, R> List<R> run(int atOnce, List<T> items, Work<T, R> work) throws IOException, InterruptedException {
        ExecutorService threads = Executors.newFixedThreadPool(atOnce, task -> {
            Thread thread = new Thread(task, "demo");
            thread.setDaemon(true);
            return thread;
        });
        try {
            List<Future<R>> futures = new ArrayList<>();
            for (T item : items) {
                futures.add(threads.submit(() -> work.apply(item)));
            }
            List<R> results = new ArrayList<>();
            for (Future<R> future : futures) {
                results.add(await(future));
            }
            return results;
        } finally {
            threads.shutdownNow();
        }
    }

    /** What it comes to; a failure is told by its sentence. */
    static <T> T await(Future<T> future) throws IOException, InterruptedException {
        try {
            return future.get();
        } catch (ExecutionException e) {
            throw new IOException(Commands.sentence(e), e);
        }
    }
}
