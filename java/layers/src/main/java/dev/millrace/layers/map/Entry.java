// SPDX-License-Identifier: Apache-2.0
package dev.millrace.layers.map;

import dev.millrace.layers.KeyRange;
import dev.millrace.layers.LayerKey;
import dev.millrace.layers.LayerName;

/**
 * A layer of keys, as the map sees it: keys {@code [start, end)}, versions {@code [oldest, newest]}, which for an image are one.
 * Ordered newest first; of layers whose newest version is the same, an image comes first, since it makes the deltas needless.
 * No two layers of a map are equal in this order, as each name says all of it.
 *
 * @param <T> layers
 */
final class Entry<T> implements Comparable<Entry<T>> {
    final LayerKey start;
    final LayerKey end;
    /** Unsigned, as is {@link #newest}. */
    final long oldest;

    final long newest;
    final boolean image;
    final T layer;

    private Entry(KeyRange keys, long oldest, long newest, boolean image, T layer) {
        start = keys.start();
        end = keys.end();
        this.oldest = oldest;
        this.newest = newest;
        this.image = image;
        this.layer = layer;
    }

    static <T> Entry<T> of(LayerName.Image name, T layer) {
        long lsn = name.lsn().value();
        return new Entry<>(name.keys(), lsn, lsn, true, layer);
    }

    static <T> Entry<T> of(LayerName.Delta name, T layer) {
        return new Entry<>(
                name.keys(), name.lsns().start().value(), name.lsns().end().value() - 1, false, layer);
    }

    /** True where it has all keys of a range. */
    boolean covers(LayerKey from, LayerKey to) {
        return start.compareTo(from) <= 0 && to.compareTo(end) <= 0;
    }

    @Override
    public int compareTo(Entry<T> other) {
        if (this == other) {
            return 0;
        }
        int order = Long.compareUnsigned(other.newest, newest);
        if (order == 0) {
            order = Boolean.compare(other.image, image);
        }
        if (order == 0) {
            order = Long.compareUnsigned(other.oldest, oldest);
        }
        if (order == 0) {
            order = start.compareTo(other.start);
        }
        return order == 0 ? end.compareTo(other.end) : order;
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Entry<?> that
                && newest == that.newest
                && image == that.image
                && oldest == that.oldest
                && start.equals(that.start)
                && end.equals(that.end);
    }

    @Override
    public int hashCode() {
        return (Long.hashCode(newest) * 31 + Long.hashCode(oldest)) * 31 + start.hashCode();
    }
}
