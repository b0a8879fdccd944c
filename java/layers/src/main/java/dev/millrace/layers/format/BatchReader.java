// SPDX-License-Identifier: Apache-2.0
package dev.millrace.layers.format;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Reads many keys from many layers at once. The nodes that all lookups need next are read together, then all values: each
 * time neighbouring blocks in one operation of bounded size, and all operations, over all layers, in flight together.
 *
 * <p>Operations are bounded by the engine's pool: with fewer buffers than operations the others follow as buffers come back,
 * which they do as reads complete, whatever this thread does. The values of a batch are in memory when it ends; nothing else
 * of it is. A block that cannot be had fails exactly the lookups that need it.
 *
 * <p>Blocks a platform thread, parks a virtual one. Any thread but the engine's and those that complete its futures. The
 * readers of a batch share one {@link LayerReaders}, and are not closed before it ends.
 */
public final class BatchReader {
    private BatchReader() {}

    /** The results, in the order of the lookups. */
    public static List<LookupResult> read(List<Lookup> lookups) {
        List<IndexWalk> walks = new ArrayList<>(lookups.size());
        for (Lookup lookup : lookups) {
            walks.add(new IndexWalk(lookup.reader(), lookup.key(), lookup.lsns()));
        }
        IndexWalk.run(walks);
        List<List<ValueFetch>> values = new ArrayList<>(walks.size());
        for (IndexWalk walk : walks) {
            values.add(
                    walk.failure().isPresent()
                            ? List.of()
                            : walk.found().stream()
                                    .map(entry -> new ValueFetch(walk.reader(), entry))
                                    .toList());
        }
        fetch(values.stream().flatMap(List::stream).toList());
        List<LookupResult> results = new ArrayList<>(walks.size());
        for (int i = 0; i < walks.size(); i++) {
            results.add(result(walks.get(i).failure(), values.get(i)));
        }
        return results;
    }

    /** Reads values together. */
    static void fetch(List<ValueFetch> values) {
        BlockReads.run(values.stream().filter(ValueFetch::needsBlocks).toList());
    }

    private static LookupResult result(Optional<IOException> failure, List<ValueFetch> values) {
        if (failure.isPresent()) {
            return LookupResult.failed(failure.get());
        }
        List<LayerRecord> records = new ArrayList<>(values.size());
        try {
            for (ValueFetch value : values) {
                records.add(value.record());
            }
        } catch (IOException e) {
            return LookupResult.failed(e);
        }
        return LookupResult.of(records);
    }
}
