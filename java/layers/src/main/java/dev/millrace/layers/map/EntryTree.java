// SPDX-License-Identifier: Apache-2.0
package dev.millrace.layers.map;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;

/**
 * Layers newest first: a balanced (AVL) tree that is never changed, each node of which knows the oldest version that a layer
 * below it begins with, so that layers which begin after a version are passed over as a whole. None at all is null.
 *
 * @param <T> layers
 */
final class EntryTree<T> {
    private final Entry<T> entry;
    /** Newer. */
    private final EntryTree<T> left;
    /** Older. */
    private final EntryTree<T> right;

    private final int height;
    private final long oldest;

    private EntryTree(EntryTree<T> left, Entry<T> entry, EntryTree<T> right) {
        this.left = left;
        this.entry = entry;
        this.right = right;
        height = 1 + Math.max(height(left), height(right));
        long least = entry.oldest;
        least = left == null ? least : least(least, left.oldest);
        oldest = right == null ? least : least(least, right.oldest);
    }

    private static long least(long a, long b) {
        return Long.compareUnsigned(a, b) <= 0 ? a : b;
    }

    private static int height(EntryTree<?> tree) {
        return tree == null ? 0 : tree.height;
    }

    /** A tree of entries that are in order. */
    static <T> EntryTree<T> ofSorted(List<Entry<T>> entries) {
        return ofSorted(entries, 0, entries.size());
    }

    private static <T> EntryTree<T> ofSorted(List<Entry<T>> entries, int from, int to) {
        if (from == to) {
            return null;
        }
        int middle = (from + to) >>> 1;
        return new EntryTree<>(ofSorted(entries, from, middle), entries.get(middle), ofSorted(entries, middle + 1, to));
    }

    /** With one more, which is not in it. */
    static <T> EntryTree<T> with(EntryTree<T> tree, Entry<T> added) {
        if (tree == null) {
            return new EntryTree<>(null, added, null);
        }
        return added.compareTo(tree.entry) < 0
                ? balanced(with(tree.left, added), tree.entry, tree.right)
                : balanced(tree.left, tree.entry, with(tree.right, added));
    }

    /** Without one, which is in it. */
    static <T> EntryTree<T> without(EntryTree<T> tree, Entry<T> removed) {
        if (tree == null) {
            throw new IllegalStateException("a layer that the map has is not in its place");
        }
        int order = removed.compareTo(tree.entry);
        if (order < 0) {
            return balanced(without(tree.left, removed), tree.entry, tree.right);
        }
        if (order > 0) {
            return balanced(tree.left, tree.entry, without(tree.right, removed));
        }
        if (tree.left == null || tree.right == null) {
            return tree.left == null ? tree.right : tree.left;
        }
        Entry<T> next = tree.right.first();
        return balanced(tree.left, next, without(tree.right, next));
    }

    private static <T> EntryTree<T> balanced(EntryTree<T> left, Entry<T> entry, EntryTree<T> right) {
        int lean = height(left) - height(right);
        if (lean > 1) {
            if (height(left.left) >= height(left.right)) {
                return new EntryTree<>(left.left, left.entry, new EntryTree<>(left.right, entry, right));
            }
            return new EntryTree<>(
                    new EntryTree<>(left.left, left.entry, left.right.left),
                    left.right.entry,
                    new EntryTree<>(left.right.right, entry, right));
        }
        if (lean < -1) {
            if (height(right.right) >= height(right.left)) {
                return new EntryTree<>(new EntryTree<>(left, entry, right.left), right.entry, right.right);
            }
            return new EntryTree<>(
                    new EntryTree<>(left, entry, right.left.left),
                    right.left.entry,
                    new EntryTree<>(right.left.right, right.entry, right.right));
        }
        return new EntryTree<>(left, entry, right);
    }

    /** The newest. */
    Entry<T> first() {
        EntryTree<T> tree = this;
        while (tree.left != null) {
            tree = tree.left;
        }
        return tree.entry;
    }

    /** The first that begins at or below a version; null where none does. */
    static <T> Entry<T> first(EntryTree<T> tree, long lsn) {
        EntryTree<T> at = tree;
        while (at != null && Long.compareUnsigned(at.oldest, lsn) <= 0) {
            if (at.left != null && Long.compareUnsigned(at.left.oldest, lsn) <= 0) {
                at = at.left;
            } else if (Long.compareUnsigned(at.entry.oldest, lsn) <= 0) {
                return at.entry;
            } else {
                at = at.right;
            }
        }
        return null;
    }

    /** The first behind another that begins at or below a version; null where none does. */
    static <T> Entry<T> next(EntryTree<T> tree, Entry<T> behind, long lsn) {
        if (tree == null || Long.compareUnsigned(tree.oldest, lsn) > 0) {
            return null;
        }
        if (behind.compareTo(tree.entry) >= 0) {
            return next(tree.right, behind, lsn);
        }
        Entry<T> found = next(tree.left, behind, lsn);
        if (found != null) {
            return found;
        }
        return Long.compareUnsigned(tree.entry.oldest, lsn) <= 0 ? tree.entry : first(tree.right, lsn);
    }

    /** The first image of exactly this version; null where there is none. */
    static <T> Entry<T> imageAt(EntryTree<T> tree, long lsn) {
        Entry<T> found = null;
        EntryTree<T> at = tree;
        while (at != null) {
            int order = Long.compareUnsigned(at.entry.newest, lsn);
            if (order == 0 && at.entry.image) {
                found = at.entry;
            }
            // Images come before deltas of the same version.
            boolean after = order > 0;
            at = after ? at.right : at.left;
        }
        return found;
    }

    /** All, newest first. */
    static <T> Iterator<Entry<T>> iterator(EntryTree<T> tree) {
        Deque<EntryTree<T>> open = new ArrayDeque<>();
        descend(tree, open);
        return new Iterator<>() {
            @Override
            public boolean hasNext() {
                return !open.isEmpty();
            }

            @Override
            public Entry<T> next() {
                if (open.isEmpty()) {
                    throw new NoSuchElementException("there are no more layers");
                }
                EntryTree<T> at = open.pop();
                descend(at.right, open);
                return at.entry;
            }
        };
    }

    private static <T> void descend(EntryTree<T> tree, Deque<EntryTree<T>> open) {
        for (EntryTree<T> at = tree; at != null; at = at.left) {
            open.push(at);
        }
    }
}
