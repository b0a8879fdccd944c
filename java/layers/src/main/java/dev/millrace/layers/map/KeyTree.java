// SPDX-License-Identifier: Apache-2.0
package dev.millrace.layers.map;

import dev.millrace.layers.LayerKey;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.TreeSet;

/**
 * A segment tree over all keys, never changed: each node stands for a range of keys, its children for the two parts of it. A
 * layer is at every node all of whose keys it has, but not all of whose parent's: so the layers that have a key are those on
 * the way down to it, each once, and a layer of any range is at few nodes.
 *
 * <p>A range with an end where none was splits a leaf. Where that made one side of a node too heavy, everything below it is
 * built anew, as in a scapegoat tree: cheap for each of many changes, and the depth stays logarithmic.
 *
 * @param <T> layers
 */
final class KeyTree<T> {
    /** How much of a node's leaves one side of it may have. */
    private static final double HEAVY = 0.7;
    /** Too few to bother. */
    private static final int LIGHT = 8;

    /** Of the right part; null in a leaf. */
    private final LayerKey split;

    private final KeyTree<T> left;
    private final KeyTree<T> right;
    private final EntryTree<T> entries;
    private final int leaves;
    /** The split once more: on the way down, following its reference costs more than comparing. */
    private final long splitHigh;

    private final long splitMiddle;
    private final int splitLow;

    /** Of the layers here, once more for the same reason: the versions of the newest, and the oldest of any; without any 0. */
    private final long firstNewest;

    private final long firstOldest;
    private final long oldest;

    private KeyTree(LayerKey split, KeyTree<T> left, KeyTree<T> right, EntryTree<T> entries) {
        this.split = split;
        this.left = left;
        this.right = right;
        this.entries = entries;
        leaves = split == null ? 1 : left.leaves + right.leaves;
        splitHigh = split == null ? 0 : split.high();
        splitMiddle = split == null ? 0 : split.middle();
        splitLow = split == null ? 0 : split.low();
        firstNewest = entries == null ? 0 : entries.first().newest;
        firstOldest = entries == null ? 0 : entries.first().oldest;
        oldest = entries == null ? 0 : entries.oldest();
    }

    private static <T> KeyTree<T> leaf(EntryTree<T> entries) {
        return new KeyTree<>(null, null, null, entries);
    }

    /** One of all keys that has these layers, in order. */
    static <T> KeyTree<T> of(List<Entry<T>> sorted) {
        return new Builder<>(sorted, LayerKey.MIN, LayerKey.MAX).build(null);
    }

    /** How many ranges it tells apart. */
    int leaves() {
        return leaves;
    }

    /** The longest way down. */
    int depth() {
        return split == null ? 1 : 1 + Math.max(left.depth(), right.depth());
    }

    /** The child on the way down to a key; null at the end. */
    KeyTree<T> towards(LayerKey key) {
        int order = Long.compareUnsigned(key.high(), splitHigh);
        if (order == 0) {
            order = Long.compareUnsigned(key.middle(), splitMiddle);
        }
        if (order == 0) {
            order = Integer.compare(key.low(), splitLow);
        }
        return order < 0 ? left : right;
    }

    /** Layers that have all keys of this node, and not all of its parent's; null where there are none. */
    EntryTree<T> entries() {
        return entries;
    }

    /** Whether a layer of this node begins at or below a version. */
    boolean reaches(long lsn) {
        return entries != null && Long.compareUnsigned(oldest, lsn) <= 0;
    }

    /** The newest version, unsigned, of the first layer of this node that begins at or below a version, where one does. */
    long firstNewest(long lsn) {
        return Long.compareUnsigned(firstOldest, lsn) <= 0 ? firstNewest : entries.firstNewest(lsn);
    }

    /** The first layer of this node that begins at or below a version, where one does. */
    Entry<T> first(long lsn) {
        return Long.compareUnsigned(firstOldest, lsn) <= 0 ? entries.first() : EntryTree.first(entries, lsn);
    }

    /** With one more layer, which is not in it. */
    KeyTree<T> with(Entry<T> added) {
        return with(added, LayerKey.MIN, LayerKey.MAX).rebalanced(added, LayerKey.MIN, LayerKey.MAX);
    }

    private KeyTree<T> with(Entry<T> added, LayerKey from, LayerKey to) {
        if (added.covers(from, to)) {
            return new KeyTree<>(split, left, right, EntryTree.with(entries, added));
        }
        if (split == null) {
            LayerKey at = from.compareTo(added.start) < 0 ? added.start : added.end;
            return new KeyTree<>(at, leaf(null), leaf(null), entries).with(added, from, to);
        }
        boolean inLeft = added.start.compareTo(split) < 0;
        boolean inRight = split.compareTo(added.end) < 0;
        return new KeyTree<>(
                split,
                inLeft ? left.with(added, from, split) : left,
                inRight ? right.with(added, split, to) : right,
                entries);
    }

    /** Without a layer, which is in it; leaves stay. */
    KeyTree<T> without(Entry<T> removed) {
        return without(removed, LayerKey.MIN, LayerKey.MAX);
    }

    private KeyTree<T> without(Entry<T> removed, LayerKey from, LayerKey to) {
        if (removed.covers(from, to)) {
            return new KeyTree<>(split, left, right, EntryTree.without(entries, removed));
        }
        boolean inLeft = removed.start.compareTo(split) < 0;
        boolean inRight = split.compareTo(removed.end) < 0;
        return new KeyTree<>(
                split,
                inLeft ? left.without(removed, from, split) : left,
                inRight ? right.without(removed, split, to) : right,
                entries);
    }

    /** Builds the highest nodes anew that lean too much on the ways down to the ends of a layer. */
    private KeyTree<T> rebalanced(Entry<T> added, LayerKey from, LayerKey to) {
        if (added.covers(from, to) || leaves < LIGHT) {
            return this;
        }
        if (Math.max(left.leaves, right.leaves) > HEAVY * leaves) {
            return new Builder<>(below(), from, to).build(entries);
        }
        boolean inLeft = added.start.compareTo(split) < 0;
        boolean inRight = split.compareTo(added.end) < 0;
        KeyTree<T> newLeft = inLeft ? left.rebalanced(added, from, split) : left;
        KeyTree<T> newRight = inRight ? right.rebalanced(added, split, to) : right;
        return newLeft == left && newRight == right ? this : new KeyTree<>(split, newLeft, newRight, entries);
    }

    /** The layers at the nodes below this one, in order, each once. */
    private List<Entry<T>> below() {
        Collection<Entry<T>> found = new TreeSet<>();
        left.collect(found);
        right.collect(found);
        return new ArrayList<>(found);
    }

    private void collect(Collection<Entry<T>> into) {
        EntryTree.iterator(entries).forEachRemaining(into::add);
        if (split != null) {
            left.collect(into);
            right.collect(into);
        }
    }

    /** Builds a balanced tree of a range of keys: first the ranges that layers tell apart, then the layers into their places. */
    private static final class Builder<T> {
        private final List<Entry<T>> sorted;
        private final LayerKey from;
        private final LayerKey to;
        private final List<LayerKey> splits;

        /** A node that still takes layers. */
        private static final class Open<T> {
            private LayerKey split;
            private Open<T> left;
            private Open<T> right;
            private List<Entry<T>> entries = List.of();

            void place(Entry<T> added, LayerKey from, LayerKey to) {
                if (added.covers(from, to)) {
                    if (entries.isEmpty()) {
                        entries = new ArrayList<>(2);
                    }
                    entries.add(added);
                    return;
                }
                if (added.start.compareTo(split) < 0) {
                    left.place(added, from, split);
                }
                if (split.compareTo(added.end) < 0) {
                    right.place(added, split, to);
                }
            }

            KeyTree<T> close() {
                EntryTree<T> tree = EntryTree.ofSorted(entries);
                return split == null ? leaf(tree) : new KeyTree<>(split, left.close(), right.close(), tree);
            }
        }

        Builder(List<Entry<T>> sorted, LayerKey from, LayerKey to) {
            this.sorted = sorted;
            this.from = from;
            this.to = to;
            TreeSet<LayerKey> ends = new TreeSet<>();
            for (Entry<T> entry : sorted) {
                ends.add(entry.start);
                ends.add(entry.end);
            }
            splits = new ArrayList<>(ends.tailSet(from, false).headSet(to, false));
        }

        /** A tree whose top has other layers too. */
        KeyTree<T> build(EntryTree<T> top) {
            Open<T> root = ranges(0, splits.size());
            for (Entry<T> entry : sorted) {
                root.place(entry, from, to);
            }
            KeyTree<T> built = root.close();
            return top == null ? built : new KeyTree<>(built.split, built.left, built.right, top);
        }

        private Open<T> ranges(int first, int end) {
            Open<T> node = new Open<>();
            if (first < end) {
                int middle = (first + end) >>> 1;
                node.split = splits.get(middle);
                node.left = ranges(first, middle);
                node.right = ranges(middle + 1, end);
            }
            return node;
        }
    }
}
