// SPDX-License-Identifier: Apache-2.0
package dev.millrace.layers.store;

import dev.millrace.layers.TaskKind;
import java.util.Iterator;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.locks.ReentrantLock;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Downloads all layers of a timeline through a sliding window: as soon as one has ended the next begins, so that the window
 * is full until none is left. Thread-safe; keeps no thread.
 */
public final class BulkLayerDownload {
    private static final Logger LOG = LoggerFactory.getLogger(BulkLayerDownload.class);

    private final String taskId = UUID.randomUUID().toString().replace("-", "");
    private final RemoteStore.TimelinePlace place;
    private final int total;
    private final int window;
    private final CompletableFuture<BulkDownloadStatus> done = new CompletableFuture<>();

    private final ReentrantLock lock = new ReentrantLock();
    private final Iterator<Layer> left;
    private boolean filling;
    private int running;
    private int successful;
    private int failed;
    private boolean shutDown;

    BulkLayerDownload(RemoteStore.TimelinePlace place, List<Layer> layers, int window) {
        this.place = place;
        this.total = layers.size();
        this.window = window;
        left = layers.iterator();
    }

    void start() {
        LOG.info("All {} layers of {} are fetched, {} at once", total, place, window);
        fill();
    }

    /** Begins as many as there is room for, unless another thread does so already. */
    private void fill() {
        while (true) {
            Layer next;
            lock.lock();
            try {
                if (filling || shutDown || running == window || !left.hasNext()) {
                    break;
                }
                filling = true;
                running++;
                next = left.next();
            } finally {
                lock.unlock();
            }
            // What ends at once finds this one filling and leaves the next to it: no deeper stack for each layer.
            next.download(TaskKind.DOWNLOAD_ALL_REMOTE_LAYERS, DownloadReason.BULK)
                    .whenComplete((fetched, problem) -> ended(problem));
            lock.lock();
            try {
                filling = false;
            } finally {
                lock.unlock();
            }
        }
        completeIfOver();
    }

    private void ended(Throwable problem) {
        lock.lock();
        try {
            running--;
            if (problem == null) {
                successful++;
            } else if (Waits.cause(problem) instanceof StoreFailure.ShuttingDown) {
                shutDown = true;
            } else {
                failed++;
            }
        } finally {
            lock.unlock();
        }
        fill();
    }

    private void completeIfOver() {
        lock.lock();
        try {
            if (running > 0 || filling || (left.hasNext() && !shutDown)) {
                return;
            }
        } finally {
            lock.unlock();
        }
        if (done.complete(status())) {
            LOG.info("The download of all layers of {} is over: {}", place, status());
        }
    }

    /** Begins no more. */
    void shutDown() {
        lock.lock();
        try {
            shutDown = running > 0 || left.hasNext();
        } finally {
            lock.unlock();
        }
        completeIfOver();
    }

    /** How far it is. */
    public BulkDownloadStatus status() {
        lock.lock();
        try {
            boolean over = running == 0 && !left.hasNext();
            BulkDownloadStatus.State state = shutDown
                    ? BulkDownloadStatus.State.SHUT_DOWN
                    : over ? BulkDownloadStatus.State.COMPLETED : BulkDownloadStatus.State.RUNNING;
            return new BulkDownloadStatus(taskId, state, total, successful, failed);
        } finally {
            lock.unlock();
        }
    }

    /** Done when it goes on no longer, with the last status. */
    public CompletableFuture<BulkDownloadStatus> done() {
        return done.copy();
    }
}
