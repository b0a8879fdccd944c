// SPDX-License-Identifier: Apache-2.0
package dev.millrace.server;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/**
 * SIGINT and SIGTERM: cancels what is under way and gives it time to clean up before the process ends. The status of the
 * process, 130 or 143, is the JVM's own doing.
 */
final class Interruption implements AutoCloseable {
    private static final long FIRST_MILLIS = 900;
    private static final long THEN_MILLIS = 800;

    private final CountDownLatch over = new CountDownLatch(1);
    private final boolean watching;
    private final long firstMillis;
    private final long thenMillis;
    private final Thread hook;

    private Interruption(boolean watching, Runnable cancel, Runnable force, long firstMillis, long thenMillis) {
        this.watching = watching;
        this.firstMillis = firstMillis;
        this.thenMillis = thenMillis;
        this.hook = new Thread(() -> end(cancel, force), "millrace-interruption");
        if (watching) {
            Runtime.getRuntime().addShutdownHook(hook);
        }
    }

    /**
     * Watches until it is closed.
     *
     * @param watching false does nothing
     * @param cancel called at the signal; must not block
     * @param force called when cancelling alone does not end it in time
     */
    static Interruption watch(boolean watching, Runnable cancel, Runnable force) {
        return watch(watching, cancel, force, FIRST_MILLIS, THEN_MILLIS);
    }

    /**
     * The same with other times.
     *
     * @param firstMillis until it is forced
     * @param thenMillis until the process ends whatever is left
     */
    static Interruption watch(boolean watching, Runnable cancel, Runnable force, long firstMillis, long thenMillis) {
        return new Interruption(watching, cancel, force, firstMillis, thenMillis);
    }

    private void end(Runnable cancel, Runnable force) {
        try {
            cancel.run();
            if (!over.await(firstMillis, TimeUnit.MILLISECONDS)) {
                Thread forcing = new Thread(force, "millrace-forcing");
                forcing.setDaemon(true);
                forcing.start();
                // What is not cleaned up by then, the next download to this folder cleans up.
                boolean ended = over.await(thenMillis, TimeUnit.MILLISECONDS);
                assert ended || over.getCount() > 0;
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** All is cleaned up and said: the process may end. */
    void over() {
        over.countDown();
    }

    @Override
    public void close() {
        over.countDown();
        if (watching) {
            try {
                Runtime.getRuntime().removeShutdownHook(hook);
            } catch (IllegalStateException ending) {
                // The signal was there before: the process ends, and this thread with it.
                return;
            }
        }
    }
}
