// SPDX-License-Identifier: Apache-2.0
package dev.millrace.layers.store;

import java.util.ArrayDeque;
import java.util.concurrent.Executor;

/** Hands tasks on, unless a test has stopped it: then they wait. */
final class HandExecutor implements Executor {
    private final Executor to;
    private final ArrayDeque<Runnable> waiting = new ArrayDeque<>();
    private boolean stopped;

    HandExecutor(Executor to) {
        this.to = to;
    }

    @Override
    public void execute(Runnable task) {
        synchronized (this) {
            if (stopped) {
                waiting.add(task);
                return;
            }
        }
        to.execute(task);
    }

    synchronized void stop() {
        stopped = true;
    }

    synchronized int waiting() {
        return waiting.size();
    }

    void goOn() {
        while (true) {
            Runnable next;
            synchronized (this) {
                stopped = !waiting.isEmpty();
                next = waiting.poll();
            }
            if (next == null) {
                return;
            }
            to.execute(next);
        }
    }
}
