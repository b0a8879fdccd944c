// SPDX-License-Identifier: Apache-2.0
package dev.millrace.transfer;

import java.net.InetSocketAddress;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.LongSupplier;

/** Addresses to which a connection of one source failed within the last minute. Bounded, thread-safe. */
final class DeadAddresses {
    static final int MAX_REMEMBERED = 1024;
    private static final long OUT_OF_USE_NANOS = TimeUnit.MINUTES.toNanos(1);

    private final ReentrantLock lock = new ReentrantLock();
    /** With the time of the last failure; the first is forgotten when there are too many. */
    private final Map<InetSocketAddress, Long> failed = new LinkedHashMap<>();

    private final LongSupplier clock;

    DeadAddresses(LongSupplier clock) {
        this.clock = clock;
    }

    void add(InetSocketAddress address) {
        lock.lock();
        try {
            failed.remove(address); // to go to the end
            failed.put(address, clock.getAsLong());
            if (failed.size() > MAX_REMEMBERED) {
                failed.remove(failed.keySet().iterator().next());
            }
        } finally {
            lock.unlock();
        }
    }

    /** It has answered. */
    void remove(InetSocketAddress address) {
        lock.lock();
        try {
            failed.remove(address);
        } finally {
            lock.unlock();
        }
    }

    boolean contains(InetSocketAddress address) {
        lock.lock();
        try {
            Long since = failed.get(address);
            return since != null && clock.getAsLong() - since <= OUT_OF_USE_NANOS;
        } finally {
            lock.unlock();
        }
    }
}
