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
    /** So many there are on most ways down. */
    private static final int PLACES = 24;

    private final long lsn;
    /** Nodes on the way down to the key with layers that were not told yet. */
    private KeyTree<T>[] nodes = nodes(PLACES);
    /** The first layer of each that was not told yet; null where it was not looked up yet. */
    private Entry<T>[] heads = entries(PLACES);
    /** The newest version of each head. */
    private long[] newest = new long[PLACES];

    private int count;
    private Entry<T> next;
    private int nextAt;
    /** What was next is told; most ask for no more, so the one behind it is looked up when it is asked for. */
    private boolean told;

    /**
     * Begins one.
     *
     * @param imagesAt whether there are images of exactly this version
     */
    LayerSearch(KeyTree<T> map, LayerKey key, long lsn, boolean imagesAt) {
        this.lsn = lsn;
        if (key.equals(LayerKey.MAX)) {
            return; // no range has it
        }
        Entry<T> image = null;
        for (KeyTree<T> node = map; node != null; node = node.towards(key)) {
            if (node.reaches(lsn)) {
                add(node);
                Entry<T> at = imagesAt ? EntryTree.imageAt(node.entries(), lsn) : null;
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
    private static <T> KeyTree<T>[] nodes(int length) {
        return new KeyTree[length];
    }

    @SuppressWarnings({"unchecked", "rawtypes"}) // of its own elements only
    private static <T> Entry<T>[] entries(int length) {
        return new Entry[length];
    }

    private void add(KeyTree<T> node) {
        if (count == nodes.length) {
            nodes = Arrays.copyOf(nodes, 2 * count);
            heads = Arrays.copyOf(heads, 2 * count);
            newest = Arrays.copyOf(newest, 2 * count);
        }
        nodes[count] = node;
        newest[count++] = node.firstNewest(lsn);
    }

    /** The first of all heads; looks up those only that are as new as it is. */
    private void choose() {
        next = null;
        long most = 0;
        for (int i = 0; i < count; i++) {
            most = Long.compareUnsigned(newest[i], most) > 0 ? newest[i] : most;
        }
        for (int i = 0; i < count; i++) {
            if (newest[i] == most) {
                heads[i] = heads[i] == null ? nodes[i].first(lsn) : heads[i];
                if (next == null || heads[i].compareTo(next) < 0) {
                    next = heads[i];
                    nextAt = i;
                }
            }
        }
    }

    /** Goes on behind a head that is told. */
    private void advance(int at) {
        Entry<T> following = EntryTree.next(nodes[at].entries(), heads[at], lsn);
        if (following == null) {
            count--;
            nodes[at] = nodes[count];
            heads[at] = heads[count];
            newest[at] = newest[count];
        } else {
            heads[at] = following;
            newest[at] = following.newest;
        }
    }

    private void lookUpNext() {
        if (told) {
            told = false;
            advance(nextAt);
            choose();
        }
    }

    @Override
    public boolean hasNext() {
        lookUpNext();
        return next != null;
    }

    @Override
    public T next() {
        lookUpNext();
        Entry<T> found = next;
        if (found == null) {
            throw new NoSuchElementException("no more layers can hold the key");
        }
        if (found.image) {
            next = null; // nothing older matters
        } else {
            told = true;
        }
        return found.layer;
    }
}
