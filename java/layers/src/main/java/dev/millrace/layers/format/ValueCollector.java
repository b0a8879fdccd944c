// SPDX-License-Identifier: Apache-2.0
package dev.millrace.layers.format;

import dev.millrace.layers.LayerKey;
import dev.millrace.layers.LayerName;
import dev.millrace.layers.Lsn;
import dev.millrace.layers.LsnRange;
import java.io.IOException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * Finds out of which layers and records the value of one key at one version is made, from indexes alone.
 *
 * <p>Let L be the LSN of the newest image, at or below the version, that has the key in its range, and W that of the newest
 * initialising record above L. What is wanted are the records from W on, or, without W, those above L and the image's value,
 * which may be none: then the key has none. Layers are asked the newest first, and no further than one that may still hold a
 * record above both.
 */
final class ValueCollector {
    private static final LsnRange ALL = new LsnRange(Lsn.ZERO, Lsn.MAX);

    private final LayerKey key;
    private final Lsn lsn;
    private final ArrayDeque<LayerSource> deltas = new ArrayDeque<>();
    private final TreeMap<Lsn, Found> records = new TreeMap<>(Comparator.reverseOrder());
    private Optional<LayerSource> image = Optional.empty();
    /** Nothing at or below it is wanted. */
    private Optional<Lsn> imageLsn = Optional.empty();

    private Optional<Lsn> initLsn = Optional.empty();
    private Optional<Found> base = Optional.empty();
    private Optional<IOException> failure = Optional.empty();
    /** The layer that was begun, and what is wanted of it. */
    private Optional<LayerSource.Opening> opening = Optional.empty();

    private LsnRange wanted = ALL;

    private record Found(LayerReader reader, LayerEntry entry) {}

    /** Of layers in any order; those that have no say are left out. */
    ValueCollector(LayerKey key, Lsn lsn, List<LayerSource> layers) {
        this.key = key;
        this.lsn = lsn;
        List<LayerSource> relevant = new ArrayList<>();
        for (LayerSource layer : layers) {
            if (layer.name() instanceof LayerName.Image candidate) {
                boolean newest = imageLsn.isEmpty() || imageLsn.get().compareTo(candidate.lsn()) < 0;
                if (candidate.keys().contains(key) && candidate.lsn().compareTo(lsn) <= 0 && newest) {
                    imageLsn = Optional.of(candidate.lsn());
                    image = Optional.of(layer);
                }
            } else if (layer.name() instanceof LayerName.Delta delta
                    && delta.keys().contains(key)
                    && delta.lsns().start().compareTo(lsn) <= 0) {
                relevant.add(layer);
            }
        }
        relevant.sort(
                Comparator.comparing((LayerSource layer) -> lsns(layer).end()).reversed());
        deltas.addAll(relevant);
    }

    private static LsnRange lsns(LayerSource layer) {
        return ((LayerName.Delta) layer.name()).lsns();
    }

    /** The least LSN that may still matter. */
    private Lsn floor() {
        Lsn aboveImage = imageLsn.map(Lsn::next).orElse(Lsn.ZERO);
        return initLsn.filter(init -> init.compareTo(aboveImage) > 0)
                .map(Lsn::next)
                .orElse(aboveImage);
    }

    /**
     * Begins to open the layer that is looked into next; to be followed by {@link #next}. Only that one: whether an older
     * layer is needed is known when this one's index says that it has no initialising record, and not before.
     */
    void begin() {
        if (failure.isPresent()) {
            return;
        }
        Lsn floor = floor();
        Lsn end = lsn.next();
        if (!deltas.isEmpty() && lsns(deltas.peek()).end().compareTo(floor) > 0 && floor.compareTo(end) < 0) {
            opening = Optional.of(deltas.poll().begin());
            wanted = new LsnRange(floor, end);
            return;
        }
        deltas.clear();
        if (initLsn.isEmpty() && image.isPresent()) {
            opening = Optional.of(image.get().begin());
            wanted = ALL;
            image = Optional.empty();
        }
    }

    /** The lookup in the layer that was begun, which is waited for; empty where all is known, or something failed. */
    Optional<Lookup> next() {
        if (opening.isEmpty()) {
            return Optional.empty();
        }
        try {
            LayerReader reader = opening.get().await();
            return Optional.of(new Lookup(reader, key, wanted));
        } catch (IOException e) {
            failure = Optional.of(e);
            return Optional.empty();
        } finally {
            opening = Optional.empty();
        }
    }

    /** Takes what came of that lookup. */
    void add(IndexWalk walk) {
        failure = walk.failure();
        for (LayerEntry entry : walk.found()) {
            if (walk.reader().summary().isImage()) {
                base = Optional.of(new Found(walk.reader(), entry));
            } else {
                records.putIfAbsent(entry.lsn(), new Found(walk.reader(), entry));
                boolean newest = initLsn.isEmpty() || initLsn.get().compareTo(entry.lsn()) < 0;
                initLsn = entry.willInit() && newest ? Optional.of(entry.lsn()) : initLsn;
            }
        }
    }

    /** The values to read: the records, the newest first, then the image's. */
    List<ValueFetch> fetches() {
        List<ValueFetch> fetches = new ArrayList<>();
        if (failure.isPresent()) {
            return fetches;
        }
        for (Map.Entry<Lsn, Found> found : records.entrySet()) {
            if (initLsn.isPresent() && found.getKey().compareTo(initLsn.get()) < 0) {
                break;
            }
            fetches.add(
                    new ValueFetch(found.getValue().reader(), found.getValue().entry()));
        }
        base.ifPresent(found -> fetches.add(new ValueFetch(found.reader(), found.entry())));
        return fetches;
    }

    /** The value's parts, of values that were read. */
    Reconstructed result(List<ValueFetch> fetches) throws IOException {
        if (failure.isPresent()) {
            throw failure.get();
        }
        List<LayerRecord> all = new ArrayList<>();
        for (ValueFetch fetch : fetches) {
            all.add(fetch.record());
        }
        Optional<LayerRecord> imageRecord = base.map(found -> all.remove(all.size() - 1));
        return new Reconstructed(imageRecord, all);
    }
}
