// SPDX-License-Identifier: Apache-2.0
package dev.millrace.layers.format;

import dev.millrace.layers.LayerKey;
import dev.millrace.layers.Lsn;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * {@code timeline.get(key, lsn)}: the delta records of a key, the newest first, back to a base image or an initialising
 * record. An image at L holds everything at or below L; a delta that straddles an image's LSN is read only above it; an image
 * with the key in its range and not among its keys ends the search.
 *
 * <p>For one value layers are opened one after another, the newest first, and only as long as they can matter, for opening
 * may mean downloading, and an initialising record makes all older ones needless. Of several values the next layers are opened, and
 * then looked into, together. When all is known from indexes, all values are read in one batch.
 */
public final class Reconstruct {
    /** Layers that are on their way to be open for one call, at most. */
    private static final int MOST_OPENING = 256;

    private Reconstruct() {}

    /**
     * A value that is wanted.
     *
     * @param key its key
     * @param lsn the newest version that may be seen
     * @param layers that may hold it, in any order; others do no harm
     */
    public record Request(LayerKey key, Lsn lsn, List<LayerSource> layers) {
        /** Copies. */
        public Request {
            layers = List.copyOf(layers);
        }
    }

    /** What came of a request: parts of a value, or a failure. */
    public static final class Result {
        private final Optional<Reconstructed> parts;
        private final Optional<IOException> failure;

        private Result(Optional<Reconstructed> parts, Optional<IOException> failure) {
            this.parts = parts;
            this.failure = failure;
        }

        /**
         * The parts.
         *
         * @throws IOException where a layer that it needs cannot be opened or read
         */
        public Reconstructed get() throws IOException {
            if (failure.isPresent()) {
                throw failure.get();
            }
            return parts.orElseThrow();
        }
    }

    /** One value. Threads and blocking as {@link BatchReader#read}. */
    public static Reconstructed get(LayerKey key, Lsn lsn, List<LayerSource> layers) throws IOException {
        return get(List.of(new Request(key, lsn, layers))).get(0).get();
    }

    /** Several values, in the order of the requests; one that fails fails no other. */
    public static List<Result> get(List<Request> requests) {
        List<ValueCollector> collectors = requests.stream()
                .map(request -> new ValueCollector(request.key(), request.lsn(), request.layers()))
                .toList();
        List<ValueCollector> asking = new ArrayList<>(collectors);
        while (!asking.isEmpty()) {
            List<ValueCollector> asked = new ArrayList<>();
            List<IndexWalk> walks = new ArrayList<>();
            int begun = 0;
            for (int i = 0; i < asking.size(); i++) {
                ValueCollector collector = asking.get(i);
                while (begun < asking.size() && begun < i + MOST_OPENING) {
                    asking.get(begun++).begin();
                }
                Optional<Lookup> lookup = collector.next();
                if (lookup.isPresent()) {
                    asked.add(collector);
                    walks.add(new IndexWalk(
                            lookup.get().reader(),
                            lookup.get().key(),
                            lookup.get().lsns()));
                }
            }
            IndexWalk.run(walks);
            for (int i = 0; i < walks.size(); i++) {
                asked.get(i).add(walks.get(i));
            }
            asking = asked;
        }
        List<List<ValueFetch>> values =
                collectors.stream().map(ValueCollector::fetches).toList();
        BatchReader.fetch(values.stream().flatMap(List::stream).toList());
        List<Result> results = new ArrayList<>();
        for (int i = 0; i < collectors.size(); i++) {
            results.add(result(collectors.get(i), values.get(i)));
        }
        return results;
    }

    private static Result result(ValueCollector collector, List<ValueFetch> values) {
        try {
            return new Result(Optional.of(collector.result(values)), Optional.empty());
        } catch (IOException e) {
            return new Result(Optional.empty(), Optional.of(e));
        }
    }
}
