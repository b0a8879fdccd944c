// SPDX-License-Identifier: Apache-2.0
package dev.millrace.layers.map;

import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;

/**
 * Layers newest first: a B-tree that is never changed, each node of which knows of each item its newest version and the oldest
 * version that a layer in it begins with, so that layers which begin after a version are passed over as a whole. None at all
 * is null.
 *
 * <p>Those versions stand side by side in one array, since a search spends its time on memory that no cache has: it goes
 * through a few lines of memory for each node, and follows a reference only to what it has found.
 *
 * @param <T> layers
 */
final class EntryTree<T> {
    /** Items of a node. */
    private static final int MOST = 32;
    /** Nodes with fewer are joined with a neighbour where that has room. */
    private static final int FEW = 8;
    /** Items of nodes that are built at once, which have room for more. */
    private static final int BUILT = 24;

    /** 0: its items are entries; else they are trees of a height of one less. */
    private final int height;

    private final Object[] items;
    /** Of each item the newest version of its first entry, and the oldest that any entry begins with. */
    private final long[] spans;

    /** The newest of all. */
    private final Entry<T> first;

    private final long oldest;

    private EntryTree(int height, Object[] items, long[] spans) {
        this.height = height;
        this.items = items;
        this.spans = spans;
        first = items.length == 0 ? null : firstOf(0);
        long least = -1;
        for (int i = 1; i < spans.length; i += 2) {
            least = Long.compareUnsigned(spans[i], least) < 0 ? spans[i] : least;
        }
        oldest = least;
    }

    private static <T> EntryTree<T> of(int height, Object[] items) {
        EntryTree<T> blank = new EntryTree<>(height, new Object[0], new long[0]);
        return blank.spliced(0, 0, items);
    }

    /** A tree of entries that are in order. */
    static <T> EntryTree<T> ofSorted(List<Entry<T>> entries) {
        if (entries.isEmpty()) {
            return null;
        }
        Object[] level = entries.toArray();
        for (int height = 0; ; height++) {
            if (level.length <= MOST) {
                return of(height, level);
            }
            Object[] above = new Object[(level.length + BUILT - 1) / BUILT];
            for (int i = 0; i < above.length; i++) {
                above[i] = EntryTree.<T>of(
                        height, Arrays.copyOfRange(level, i * BUILT, Math.min(level.length, (i + 1) * BUILT)));
            }
            level = above;
        }
    }

    @SuppressWarnings("unchecked") // at height 0 only
    private Entry<T> entry(int index) {
        return (Entry<T>) items[index];
    }

    @SuppressWarnings("unchecked") // above height 0 only
    private EntryTree<T> child(int index) {
        return (EntryTree<T>) items[index];
    }

    private Entry<T> firstOf(int index) {
        return height == 0 ? entry(index) : child(index).first;
    }

    /** The newest of all. */
    Entry<T> first() {
        return first;
    }

    /** The oldest version that a layer begins with, unsigned. */
    long oldest() {
        return oldest;
    }

    // ------------------------------------------------------------------ changes

    /** With one more, which is not in it. */
    static <T> EntryTree<T> with(EntryTree<T> tree, Entry<T> added) {
        if (tree == null) {
            return of(0, new Object[] {added});
        }
        EntryTree<T> grown = tree.with(added);
        return grown.isTooLarge() ? of(tree.height + 1, grown.halves()) : grown;
    }

    /** May be one item too large. */
    private EntryTree<T> with(Entry<T> added) {
        int before = countBefore(added);
        if (height == 0) {
            return spliced(before, 0, added);
        }
        int at = Math.max(0, before - 1);
        EntryTree<T> grown = child(at).with(added);
        return grown.isTooLarge() ? spliced(at, 1, grown.halves()) : spliced(at, 1, grown);
    }

    private boolean isTooLarge() {
        return items.length > MOST;
    }

    private Object[] halves() {
        int middle = items.length / 2;
        return new Object[] {spliced(middle, items.length - middle), spliced(0, middle)};
    }

    /** Without one, which is in it. */
    static <T> EntryTree<T> without(EntryTree<T> tree, Entry<T> removed) {
        if (tree == null) {
            throw notInItsPlace();
        }
        EntryTree<T> left = tree.without(removed);
        while (left.height > 0 && left.items.length == 1) {
            left = left.child(0);
        }
        return left.items.length == 0 ? null : left;
    }

    /** May be without any item. */
    private EntryTree<T> without(Entry<T> removed) {
        int at = countBefore(removed) - 1;
        if (at < 0 || (height == 0 && !entry(at).equals(removed))) {
            throw notInItsPlace();
        }
        if (height == 0) {
            return spliced(at, 1);
        }
        EntryTree<T> left = child(at).without(removed);
        if (left.items.length == 0) {
            return spliced(at, 1);
        }
        int neighbour = at > 0 ? at - 1 : at + 1;
        boolean joins = left.items.length < FEW
                && neighbour < items.length
                && left.items.length + child(neighbour).items.length <= MOST;
        if (!joins) {
            return spliced(at, 1, left);
        }
        return neighbour < at
                ? spliced(neighbour, 2, child(neighbour).joined(left))
                : spliced(at, 2, left.joined(child(neighbour)));
    }

    private static IllegalStateException notInItsPlace() {
        return new IllegalStateException("a layer that the map has is not in its place");
    }

    private EntryTree<T> joined(EntryTree<T> behind) {
        return spliced(items.length, 0, behind.items);
    }

    /** The same with items in place of some others. */
    private EntryTree<T> spliced(int from, int removed, Object... added) {
        int rest = items.length - from - removed;
        Object[] all = new Object[from + added.length + rest];
        System.arraycopy(items, 0, all, 0, from);
        System.arraycopy(added, 0, all, from, added.length);
        System.arraycopy(items, from + removed, all, from + added.length, rest);
        long[] both = new long[2 * all.length];
        System.arraycopy(spans, 0, both, 0, 2 * from);
        System.arraycopy(spans, 2 * (from + removed), both, 2 * (from + added.length), 2 * rest);
        for (int i = from; i < from + added.length; i++) {
            if (all[i] instanceof Entry<?> entry) {
                both[2 * i] = entry.newest;
                both[2 * i + 1] = entry.oldest;
            } else if (all[i] instanceof EntryTree<?> tree) {
                both[2 * i] = tree.first.newest;
                both[2 * i + 1] = tree.oldest;
            }
        }
        return new EntryTree<>(height, all, both);
    }

    // ------------------------------------------------------------------ searches

    /** How many items begin with this entry or one before it. */
    private int countBefore(Entry<T> other) {
        int low = 0;
        int high = items.length;
        while (low < high) {
            int middle = (low + high) >>> 1;
            int order = Long.compareUnsigned(other.newest, spans[2 * middle]);
            if (order == 0) {
                order = firstOf(middle).compareTo(other);
            }
            if (order <= 0) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        return low;
    }

    /** The first item from {@code index} on with an entry that begins at or below a version; else how many there are. */
    private int reaching(int index, long lsn) {
        int at = index;
        while (at < items.length && Long.compareUnsigned(spans[2 * at + 1], lsn) > 0) {
            at++;
        }
        return at;
    }

    /** The first entry that begins at or below a version; null where none does. */
    static <T> Entry<T> first(EntryTree<T> tree, long lsn) {
        if (tree == null || Long.compareUnsigned(tree.oldest, lsn) > 0) {
            return null;
        }
        EntryTree<T> leaf = tree.leafOfFirst(lsn);
        return leaf.entry(leaf.reaching(0, lsn));
    }

    /** The newest version of that entry, where there is one, without following the reference to it. */
    long firstNewest(long lsn) {
        EntryTree<T> leaf = leafOfFirst(lsn);
        return leaf.spans[2 * leaf.reaching(0, lsn)];
    }

    private EntryTree<T> leafOfFirst(long lsn) {
        EntryTree<T> at = this;
        while (at.height > 0) {
            at = at.child(at.reaching(0, lsn));
        }
        return at;
    }

    /** The first entry behind another that begins at or below a version; null where none does. */
    static <T> Entry<T> next(EntryTree<T> tree, Entry<T> behind, long lsn) {
        if (tree == null) {
            return null;
        }
        int before = tree.countBefore(behind);
        if (tree.height > 0 && before > 0 && Long.compareUnsigned(tree.spans[2 * before - 1], lsn) <= 0) {
            Entry<T> found = next(tree.child(before - 1), behind, lsn);
            if (found != null) {
                return found;
            }
        }
        int at = tree.reaching(before, lsn);
        if (at == tree.items.length) {
            return null;
        }
        return tree.height == 0 ? tree.entry(at) : first(tree.child(at), lsn);
    }

    /** The first image of exactly this version; null where there is none. */
    static <T> Entry<T> imageAt(EntryTree<T> tree, long lsn) {
        Entry<T> found = null;
        EntryTree<T> at = tree;
        while (at != null) {
            int item = at.notAbove(lsn);
            if (item < at.items.length && at.spans[2 * item] == lsn) {
                found = at.firstOf(item);
            }
            at = at.height == 0 || item == 0 ? null : at.child(item - 1);
        }
        // Images come before deltas of the same version.
        return found != null && found.image ? found : null;
    }

    /** The first item that begins with an entry whose newest version is this or an older one; else how many there are. */
    private int notAbove(long lsn) {
        int low = 0;
        int high = items.length;
        while (low < high) {
            int middle = (low + high) >>> 1;
            if (Long.compareUnsigned(spans[2 * middle], lsn) > 0) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        return low;
    }

    /** All, newest first. */
    static <T> Iterator<Entry<T>> iterator(EntryTree<T> tree) {
        return new Walk<>(tree);
    }

    private static final class Walk<T> implements Iterator<Entry<T>> {
        /** The node of each height that it is in, and the item of that which comes next. */
        private final EntryTree<T>[] nodes;

        private final int[] next;
        private boolean over;

        Walk(EntryTree<T> tree) {
            int levels = tree == null ? 0 : tree.height + 1;
            nodes = nodes(levels);
            next = new int[levels];
            over = tree == null;
            if (tree != null) {
                nodes[tree.height] = tree;
                descend(tree.height);
            }
        }

        @SuppressWarnings({"unchecked", "rawtypes"}) // of its own elements only
        private static <T> EntryTree<T>[] nodes(int length) {
            return new EntryTree[length];
        }

        /** To the first entry of the item that comes next at a height. */
        private void descend(int from) {
            for (int height = from; height > 0; height--) {
                nodes[height - 1] = nodes[height].child(next[height]++);
                next[height - 1] = 0;
            }
        }

        @Override
        public boolean hasNext() {
            return !over;
        }

        @Override
        public Entry<T> next() {
            if (over) {
                throw new NoSuchElementException("there are no more layers");
            }
            Entry<T> found = nodes[0].entry(next[0]++);
            int height = 0;
            while (height < nodes.length && next[height] == nodes[height].items.length) {
                height++;
            }
            over = height == nodes.length;
            if (!over) {
                descend(height);
            }
            return found;
        }
    }
}
