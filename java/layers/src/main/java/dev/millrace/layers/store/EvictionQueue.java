// SPDX-License-Identifier: Apache-2.0
package dev.millrace.layers.store;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.PriorityQueue;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.atomic.LongAdder;
import java.util.concurrent.locks.ReentrantLock;

/**
 * The layers that could go, and which of them are to go first: least recently used ones; those that nobody reads now before
 * those that have to be waited for; and of each kind those of tenants with more than the minimum first, so that the minimum
 * stays while others have something to give.
 *
 * <p>Layers enter and leave as they come and go, so that a choice looks at those that it takes, and not at all there are. A
 * read does not come here, since readers share no lock: a layer has the place of the last use that is known here, and one
 * that was used since moves back when its turn comes. As uses only become later, the order is that of the last uses all the
 * same.
 *
 * <p>Thread-safe. Subjects are asked without the lock held; they may call this with theirs held.
 *
 * @param <T> layers
 */
final class EvictionQueue<T> {
    /**
     * How a subject is used.
     *
     * @param lastMillis when it was last read, else when it came
     * @param now somebody reads it
     */
    record Use(long lastMillis, boolean now) {}

    /** Asks a subject. */
    interface Asked<T> {
        /** Empty where it can go no longer. */
        Optional<Use> use(T subject);
    }

    /** By the last use that is known, then by who came first. */
    private record Key(long usedMillis, long order) implements Comparable<Key> {
        static final Key BEFORE_ALL = new Key(Long.MIN_VALUE, Long.MIN_VALUE);

        @Override
        public int compareTo(Key other) {
            int byUse = Long.compare(usedMillis, other.usedMillis);
            return byUse == 0 ? Long.compare(order, other.order) : byUse;
        }
    }

    /** That a subject could go. */
    static final class Place<T> {
        private final T subject;
        private final Owner<T> owner;
        private final long size;
        /** Guarded by the lock. */
        private Key key;

        private Place(T subject, Owner<T> owner, long size, Key key) {
            this.subject = subject;
            this.owner = owner;
            this.size = size;
            this.key = key;
        }
    }

    /** What one tenant has; guarded by the lock. */
    private static final class Owner<T> {
        private final Object id;
        private final TreeMap<Key, Place<T>> places = new TreeMap<>();
        private long bytes;
        /** No place is smaller. */
        private long least = Long.MAX_VALUE;

        private Owner(Object id) {
            this.id = id;
        }
    }

    private final Asked<T> asked;
    private final LongAdder questions = new LongAdder();
    private final ReentrantLock lock = new ReentrantLock();
    private final Map<Object, Owner<T>> owners = new HashMap<>();
    private long orders;

    EvictionQueue(Asked<T> asked) {
        this.asked = asked;
    }

    /**
     * A subject can go from now on.
     *
     * @param owner whose minimum counts
     * @param size bytes that it would give back, more than 0
     * @return to be given back to {@link #remove}
     */
    Place<T> add(T subject, Object owner, long size, long lastUsedMillis) {
        lock.lock();
        try {
            Owner<T> of = owners.computeIfAbsent(owner, Owner::new);
            Place<T> place = new Place<>(subject, of, size, new Key(lastUsedMillis, orders++));
            of.places.put(place.key, place);
            of.bytes += size;
            of.least = Math.min(of.least, size);
            return place;
        } finally {
            lock.unlock();
        }
    }

    /** It can go no longer, or is gone. Once for each place. */
    void remove(Place<T> place) {
        lock.lock();
        try {
            place.owner.places.remove(place.key);
            place.owner.bytes -= place.size;
            if (place.owner.places.isEmpty()) {
                owners.remove(place.owner.id);
            }
        } finally {
            lock.unlock();
        }
    }

    /** How often a subject was asked, for tests. */
    long questions() {
        return questions.sum();
    }

    /**
     * The first, in the order in which they are to go, that give so many bytes together; all, where they do not. They stay
     * here until they are removed.
     *
     * @param bytes that those are to give which nobody reads
     * @param bytesInAll as many or fewer: those in use are chosen only where the others give less than that
     * @param minimum bytes of each owner that stay while others can go
     */
    List<T> choose(long bytes, long bytesInAll, long minimum) {
        return new Choice(bytes, bytesInAll, minimum).make();
    }

    /** The next of an owner's places, as its subject says now. */
    private record Head<T>(Place<T> place, Key key, boolean inUse) {}

    /** One choice. */
    private final class Choice {
        private final long bytes;
        private final long bytesInAll;
        private final long minimum;
        private final List<T> chosen = new ArrayList<>();
        private final Set<Place<T>> taken = new HashSet<>();
        private final Map<Owner<T>, Long> left = new HashMap<>();
        private long sum;
        /** Places of a later order were asked by this choice, or are newer than it. */
        private long begun;

        Choice(long bytes, long bytesInAll, long minimum) {
            this.bytes = bytes;
            this.bytesInAll = bytesInAll;
            this.minimum = minimum;
        }

        List<T> make() {
            lock.lock();
            try {
                begun = orders;
                owners.values().forEach(owner -> left.put(owner, owner.bytes));
            } finally {
                lock.unlock();
            }
            take(false, true);
            take(false, false);
            take(true, true);
            take(true, false);
            return chosen;
        }

        /** Goes through all owners' places by their last use, as far as it needs. */
        private void take(boolean inUse, boolean keepsMinimum) {
            long enough = inUse ? bytesInAll : bytes;
            if (sum >= enough) {
                return;
            }
            PriorityQueue<Head<T>> heads = new PriorityQueue<>(Comparator.comparing(Head<T>::key));
            for (Owner<T> owner : left.keySet()) {
                next(owner, Key.BEFORE_ALL, keepsMinimum).ifPresent(heads::add);
            }
            while (sum < enough && !heads.isEmpty()) {
                Head<T> head = heads.remove();
                Place<T> place = head.place;
                long rest = left.get(place.owner) - place.size;
                if (head.inUse == inUse && (!keepsMinimum || rest >= minimum)) {
                    taken.add(place);
                    chosen.add(place.subject);
                    left.put(place.owner, rest);
                    sum += place.size;
                }
                if (sum < enough) {
                    next(place.owner, head.key, keepsMinimum).ifPresent(heads::add);
                }
            }
        }

        private Optional<Head<T>> next(Owner<T> owner, Key after, boolean keepsMinimum) {
            Key at = after;
            while (true) {
                Place<T> place;
                lock.lock();
                try {
                    boolean hasNothingToGive = keepsMinimum && left.get(owner) - owner.least < minimum;
                    Map.Entry<Key, Place<T>> entry = hasNothingToGive ? null : owner.places.higherEntry(at);
                    if (entry == null) {
                        return Optional.empty();
                    }
                    at = entry.getKey();
                    place = entry.getValue();
                } finally {
                    lock.unlock();
                }
                if (taken.contains(place)) {
                    continue;
                }
                questions.increment();
                Optional<Use> use = asked.use(place.subject);
                if (use.isPresent() && (at.order >= begun || use.get().lastMillis <= at.usedMillis)) {
                    return Optional.of(new Head<>(place, at, use.get().now));
                }
                if (use.isPresent()) {
                    moveBack(place, at, use.get().lastMillis);
                }
            }
        }
    }

    /** Unless it has left, or moved, meanwhile. */
    private void moveBack(Place<T> place, Key from, long usedMillis) {
        lock.lock();
        try {
            if (place.owner.places.remove(from, place)) {
                place.key = new Key(usedMillis, orders++);
                place.owner.places.put(place.key, place);
            }
        } finally {
            lock.unlock();
        }
    }
}
