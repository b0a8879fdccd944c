// SPDX-License-Identifier: Apache-2.0
package dev.millrace.layers.stats;

import java.util.ArrayList;
import java.util.Collection;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.Objects;
import java.util.function.Function;

/**
 * The last entries of a history, as many as its capacity, and how many older ones were dropped for them. Equal to another
 * that has the same capacity, entries in the same order and dropped as many. Not for several threads at once.
 *
 * @param <T> entries, never null
 */
public final class HistoryBuffer<T> implements Iterable<T> {
    private final Object[] ring;
    private int size;
    /** Where the next entry goes. */
    private int next;

    private long dropped;

    /**
     * An empty one.
     *
     * @param capacity the most entries it keeps, at least 1
     */
    public HistoryBuffer(int capacity) {
        if (capacity < 1) {
            throw new IllegalArgumentException("a history keeps at least 1 entry, not " + capacity);
        }
        ring = new Object[capacity];
    }

    /**
     * One that has these entries and has dropped as many as said.
     *
     * @param oldestFirst at most {@code capacity}
     * @throws IllegalArgumentException where there are more, or less than none was dropped
     */
    public static <T> HistoryBuffer<T> of(int capacity, Collection<? extends T> oldestFirst, long dropped) {
        HistoryBuffer<T> buffer = new HistoryBuffer<>(capacity);
        if (oldestFirst.size() > capacity) {
            throw new IllegalArgumentException(
                    "a history of " + capacity + " entries cannot hold the " + oldestFirst.size() + " it was given");
        }
        if (dropped < 0) {
            throw new IllegalArgumentException("a history cannot have dropped " + dropped + " entries");
        }
        oldestFirst.forEach(buffer::write);
        buffer.dropped = dropped;
        return buffer;
    }

    /** Appends an entry; where it is full, drops the oldest: the size is then what it was before. */
    public void write(T entry) {
        ring[next] = Objects.requireNonNull(entry, "an entry of a history");
        next = next + 1 == ring.length ? 0 : next + 1;
        if (size == ring.length) {
            dropped++;
        } else {
            size++;
        }
    }

    /** How many entries it has. */
    public int size() {
        return size;
    }

    /** How many entries it can have. */
    public int capacity() {
        return ring.length;
    }

    /** How many entries were dropped since it began. */
    public long dropCount() {
        return dropped;
    }

    /** Another with each entry mapped; order, capacity and drop count are the same. */
    public <R> HistoryBuffer<R> map(Function<? super T, ? extends R> mapper) {
        HistoryBuffer<R> mapped = new HistoryBuffer<>(ring.length);
        for (T entry : this) {
            mapped.write(mapper.apply(entry));
        }
        mapped.dropped = dropped;
        return mapped;
    }

    /** Another with the same entries; what is written to one is not in the other. */
    public HistoryBuffer<T> copy() {
        return map(Function.identity());
    }

    /** The entries, oldest first, as they are now. */
    public List<T> toList() {
        List<T> entries = new ArrayList<>(size);
        forEach(entries::add);
        return List.copyOf(entries);
    }

    /** Oldest first; not to be used any more after a write. */
    @Override
    public Iterator<T> iterator() {
        return new Iterator<>() {
            private int seen;

            @Override
            public boolean hasNext() {
                return seen < size;
            }

            @Override
            @SuppressWarnings("unchecked") // only write puts something into the ring
            public T next() {
                if (seen == size) {
                    throw new NoSuchElementException("the history has " + size + " entries");
                }
                return (T) ring[Math.floorMod(next - size + seen++, ring.length)];
            }
        };
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof HistoryBuffer<?> that
                && that.ring.length == ring.length
                && that.dropped == dropped
                && that.toList().equals(toList());
    }

    @Override
    public int hashCode() {
        return Objects.hash(ring.length, dropped, toList());
    }

    /** Entries and counts. */
    @Override
    public String toString() {
        return toList() + " of at most " + ring.length + ", " + dropped + " dropped";
    }
}
