// SPDX-License-Identifier: Apache-2.0
package dev.millrace.transfer;

import java.util.ArrayDeque;
import java.util.concurrent.locks.ReentrantLock;

/**
 * So many at once; the rest wait in line, those that somebody waits for before the others, each kind first come first
 * served. Thread-safe; nothing blocks.
 */
final class Permits {
    private final ReentrantLock lock = new ReentrantLock();
    private final ArrayDeque<Place> urgent = new ArrayDeque<>();
    private final ArrayDeque<Place> others = new ArrayDeque<>();
    private final int size;
    private int free;

    Permits(int size) {
        this.size = size;
        this.free = size;
    }

    /** A place in line. */
    final class Place {
        private final Runnable then;

        private Place(Runnable then) {
            this.then = then;
        }

        /** Leaves the line; false where the permit was given already, and is then to be given back. */
        boolean leave() {
            lock.lock();
            try {
                return urgent.remove(this) || others.remove(this);
            } finally {
                lock.unlock();
            }
        }
    }

    /** Runs {@code then}, which must not block, with a permit: now, or on the thread that gives one back. */
    Place acquire(boolean onDemand, Runnable then) {
        Place place = new Place(then);
        lock.lock();
        try {
            if (free == 0) {
                (onDemand ? urgent : others).add(place);
                return place;
            }
            free--;
        } finally {
            lock.unlock();
        }
        then.run();
        return place;
    }

    /** Gives one back. */
    void release() {
        Place next;
        lock.lock();
        try {
            next = urgent.isEmpty() ? others.poll() : urgent.poll();
            if (next == null) {
                free++;
                return;
            }
        } finally {
            lock.unlock();
        }
        next.then.run();
    }

    /** Permits that nobody holds. */
    int available() {
        lock.lock();
        try {
            return free;
        } finally {
            lock.unlock();
        }
    }

    /** Permits in all. */
    int size() {
        return size;
    }
}
