// SPDX-License-Identifier: Apache-2.0
package dev.millrace.layers.format;

import java.util.List;
import java.util.Optional;

/**
 * What a value is made of: a base image and the records above it, or the records from an initialising one on.
 *
 * @param image the value that the records apply to; empty where the oldest record initialises, or there is none
 * @param records the newest first
 */
public record Reconstructed(Optional<LayerRecord> image, List<LayerRecord> records) {
    /** Copies. */
    public Reconstructed {
        records = List.copyOf(records);
    }

    /** True where there is no such key at that version. */
    public boolean isAbsent() {
        return image.isEmpty() && records.isEmpty();
    }

    /** True where the records lead back to an image or an initialising record: not so where layers are missing. */
    public boolean isComplete() {
        return image.isPresent()
                || (!records.isEmpty() && records.get(records.size() - 1).willInit());
    }
}
