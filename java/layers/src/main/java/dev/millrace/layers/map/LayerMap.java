// SPDX-License-Identifier: Apache-2.0
package dev.millrace.layers.map;

import dev.millrace.layers.LayerKey;
import dev.millrace.layers.LayerName;
import dev.millrace.layers.Lsn;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.function.Function;

/**
 * The layers of a timeline: found by name, listed in a stable order, and, images and deltas, by key and version.
 *
 * <p>Any thread may call anything. Those who read never wait: a search or a listing goes over the images and deltas as they
 * were when it began. Those who change wait for each other.
 *
 * @param <T> layers, never null
 */
public final class LayerMap<T> {
    /** From this part of the layers on that change at once, all is built anew. */
    private static final int REBUILD_PART = 8;
    /** Ranges for each layer, of which those of layers that are gone make up the half. */
    private static final int RANGES_PER_LAYER = 4;

    private static final int SOME_RANGES = 64;

    private record State<T>(KeyTree<T> tree, EntryTree<T> all, int size) {
        static <T> State<T> of(List<Entry<T>> sorted) {
            return new State<>(KeyTree.of(sorted), EntryTree.ofSorted(sorted), sorted.size());
        }

        State<T> with(Entry<T> added) {
            return new State<>(tree.with(added), EntryTree.with(all, added), size + 1);
        }

        State<T> without(Entry<T> removed) {
            State<T> left = new State<>(tree.without(removed), EntryTree.without(all, removed), size - 1);
            return left.tree.leaves() > RANGES_PER_LAYER * left.size + SOME_RANGES ? of(left.sorted()) : left;
        }

        List<Entry<T>> sorted() {
            List<Entry<T>> entries = new ArrayList<>(size);
            EntryTree.iterator(all).forEachRemaining(entries::add);
            return entries;
        }
    }

    private final Map<LayerName, T> names = new ConcurrentHashMap<>();
    private final Map<String, T> blobs = new ConcurrentSkipListMap<>();
    private volatile State<T> state = State.of(List.of());

    /**
     * Adds a layer; false where there is one of this name, and nothing was changed. O(log² n) amortized.
     */
    public synchronized boolean insert(LayerName name, T layer) {
        if (names.putIfAbsent(name, layer) != null) {
            return false;
        }
        if (name instanceof LayerName.Blob blob) {
            blobs.put(blob.name(), layer);
        } else {
            state = state.with(entry(name, layer));
        }
        return true;
    }

    /** Takes a layer out; empty where there is none of this name. O(log² n) amortized. */
    public synchronized Optional<T> remove(LayerName name) {
        T layer = names.get(name);
        if (layer == null) {
            return Optional.empty();
        }
        if (name instanceof LayerName.Blob blob) {
            blobs.remove(blob.name());
        } else {
            state = state.without(entry(name, layer));
        }
        names.remove(name);
        return Optional.of(layer);
    }

    /**
     * Takes layers out and puts others in. A search sees the images and deltas of both or of neither. Many at once cost
     * O(log² n) each at most, and much less than one after the other.
     *
     * @param removed those that are not there are passed over
     * @throws IllegalArgumentException where there is one of an added name that is not removed; nothing was changed then
     */
    public synchronized void update(Collection<LayerName> removed, Map<LayerName, T> added) {
        Set<LayerName> gone = Set.copyOf(removed);
        for (LayerName name : added.keySet()) {
            if (names.containsKey(name) && !gone.contains(name)) {
                throw new IllegalArgumentException("the map has a layer " + name + " already");
            }
        }
        List<Entry<T>> out = new ArrayList<>();
        List<Entry<T>> in = new ArrayList<>();
        for (LayerName name : gone) {
            T layer = names.remove(name);
            if (layer != null && name instanceof LayerName.Blob blob) {
                blobs.remove(blob.name());
            } else if (layer != null) {
                out.add(entry(name, layer));
            }
        }
        added.forEach((name, layer) -> {
            names.put(name, layer);
            if (name instanceof LayerName.Blob blob) {
                blobs.put(blob.name(), layer);
            } else {
                in.add(entry(name, layer));
            }
        });
        state = changed(state, out, in);
    }

    private static <T> State<T> changed(State<T> before, List<Entry<T>> out, List<Entry<T>> in) {
        if ((out.size() + in.size()) * (long) REBUILD_PART < before.size()) {
            State<T> changed = before;
            for (Entry<T> entry : out) {
                changed = changed.without(entry);
            }
            for (Entry<T> entry : in) {
                changed = changed.with(entry);
            }
            return changed;
        }
        Set<Entry<T>> gone = Set.copyOf(out);
        List<Entry<T>> sorted = new ArrayList<>(before.sorted());
        sorted.removeIf(gone::contains);
        sorted.addAll(in);
        Collections.sort(sorted);
        return State.of(sorted);
    }

    private static <T> Entry<T> entry(LayerName name, T layer) {
        if (name instanceof LayerName.Image image) {
            return Entry.of(image, layer);
        }
        if (name instanceof LayerName.Delta delta) {
            return Entry.of(delta, layer);
        }
        throw new IllegalArgumentException(name + " is no layer of keys");
    }

    /** The layer of a name. O(1). */
    public Optional<T> find(LayerName name) {
        return Optional.ofNullable(names.get(name));
    }

    /**
     * The layers that can hold the newest value of a key at or below a version, newest first: the newest image of the key at
     * or below the version, which is the last, and before it all deltas that hold versions above the image's and at or
     * below the one that is asked for, by the newest version that they hold. Deltas may overlap: what the second holds can be newer than
     * something in the first. A delta may hold older versions than the image, which are not to be read.
     *
     * <p>The first and each further layer cost O(log n) for a version above all, and at most O(log² n) for an older one.
     */
    public Iterator<T> search(LayerKey key, Lsn lsn) {
        return new LayerSearch<>(state.tree(), key, lsn.value());
    }

    /** Images and deltas, as they are now, in an order that depends on their names only; bounded memory. */
    public Iterator<T> historic() {
        return mapped(EntryTree.iterator(state.all()), entry -> entry.layer);
    }

    /** Blobs by name; those that come or go meanwhile may be told or not. Bounded memory. */
    public Iterator<T> blobs() {
        return mapped(blobs.values().iterator(), Function.identity());
    }

    /** How many layers there are, blobs included. */
    public int size() {
        return names.size();
    }

    /** The longest way down to a key, for tests. */
    int depth() {
        return state.tree().depth();
    }

    /** How many ranges of keys it tells apart, for tests. */
    int ranges() {
        return state.tree().leaves();
    }

    private static <A, B> Iterator<B> mapped(Iterator<A> from, Function<? super A, ? extends B> mapper) {
        return new Iterator<>() {
            @Override
            public boolean hasNext() {
                return from.hasNext();
            }

            @Override
            public B next() {
                return mapper.apply(from.next());
            }
        };
    }
}
