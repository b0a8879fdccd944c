// SPDX-License-Identifier: Apache-2.0
package dev.millrace.layers.format;

import java.io.IOException;
import java.util.List;
import java.util.Optional;

/** What came of a {@link Lookup}: records or a failure. */
public final class LookupResult {
    private final List<LayerRecord> records;
    private final Optional<IOException> failure;

    private LookupResult(List<LayerRecord> records, Optional<IOException> failure) {
        this.records = List.copyOf(records);
        this.failure = failure;
    }

    static LookupResult of(List<LayerRecord> records) {
        return new LookupResult(records, Optional.empty());
    }

    static LookupResult failed(IOException cause) {
        return new LookupResult(List.of(), Optional.of(cause));
    }

    /**
     * The records, the newest first; none where the layer has none.
     *
     * @throws IOException where a block that it needs could not be had
     */
    public List<LayerRecord> records() throws IOException {
        if (failure.isPresent()) {
            throw failure.get();
        }
        return records;
    }

    /** Why there are no records; empty where nothing failed. */
    public Optional<IOException> failure() {
        return failure;
    }
}
