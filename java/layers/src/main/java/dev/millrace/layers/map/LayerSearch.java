// SPDX-License-Identifier: Apache-2.0
package dev.millrace.layers.map;

import dev.millrace.layers.LayerKey;
import java.util.Arrays;
import java.util.Iterator;
import java.util.NoSuchElementException;

/**
 * Goes through layers newest first, over a map that stands still.
 *
 * @param <T> layers
 */
final class LayerSearch<T> implements Iterator<T> {
    private static final int PLACES = 8;

    private final long lsn;
    /** Where there are layers on the way down to the key. */
    private EntryTree<T>[] trees = places(PLACES);
    /** The first layer of each that was not told yet. */
    private Entry<T>[] heads = entries(PLACES);

    private int count;
    private Entry<T> next;
    private int nextAt;

    LayerSearch(KeyTree<T> map, LayerKey key, long lsn) {
        this.lsn = lsn;
        if (key.equals(LayerKey.MAX)) {
            return; // no range has it
        }
        Entry<T> image = null;
        for (KeyTree<T> node = map; node != null; node = node.towards(key)) {
            EntryTree<T> tree = node.entries();
            Entry<T> head = EntryTree.first(tree, lsn);
            if (head != null) {
                add(tree, head);
                // What is newest below the version cannot hide an image at the version.
                Entry<T> at = Long.compareUnsigned(head.newest, lsn) < 0 ? null : EntryTree.imageAt(tree, lsn);
                image = at != null && (image == null || at.compareTo(image) < 0) ? at : image;
            }
        }
        if (image != null) {
            // It has everything; deltas that go beyond it have nothing between it and the version.
            count = 0;
            next = image;
        } else {
            choose();
        }
    }

    @SuppressWarnings({"unchecked", "rawtypes"}) // of its own elements only
    private static <T> EntryTree<T>[] places(int length) {
        return new EntryTree[length];
    }

    @SuppressWarnings({"unchecked", "rawtypes"}) // of its own elements only
    private static <T> Entry<T>[] entries(int length) {
        return new Entry[length];
    }

    private void add(EntryTree<T> tree, Entry<T> head) {
        if (count == trees.length) {
            trees = Arrays.copyOf(trees, 2 * count);
            heads = Arrays.copyOf(heads, 2 * count);
        }
        trees[count] = tree;
        heads[count++] = head;
    }

    private void choose() {
        next = null;
        for (int i = 0; i < count; i++) {
            if (heads[i] != null && (next == null || heads[i].compareTo(next) < 0)) {
                next = heads[i];
                nextAt = i;
            }
        }
    }

    @Override
    public boolean hasNext() {
        return next != null;
    }

    @Override
    public T next() {
        Entry<T> found = next;
        if (found == null) {
            throw new NoSuchElementException("no more layers can hold the key");
        }
        if (found.image) {
            next = null; // nothing older matters
        } else {
            heads[nextAt] = EntryTree.next(trees[nextAt], found, lsn);
            choose();
        }
        return found.layer;
    }
}
