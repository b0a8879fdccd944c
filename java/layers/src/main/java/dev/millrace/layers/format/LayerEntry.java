// SPDX-License-Identifier: Apache-2.0
package dev.millrace.layers.format;

import dev.millrace.layers.LayerKey;
import dev.millrace.layers.Lsn;

/**
 * What the index knows of a value.
 *
 * @param key its key
 * @param lsn its version; of an image the image's
 * @param willInit true where it needs no older one; of an image always
 * @param compressed true where it is stored compressed
 * @param offset where it is stored, in bytes of the blocks' content from the beginning of the file
 * @param storedLength bytes that are stored
 * @param length bytes of the value
 */
public record LayerEntry(
        LayerKey key, Lsn lsn, boolean willInit, boolean compressed, long offset, int storedLength, int length) {
    /** The block that it begins in. */
    public long block() {
        return Blocks.blockOf(offset);
    }

    /** The block that its last byte lies in. */
    long lastBlock() {
        return Blocks.blockOf(offset + Math.max(0, storedLength - 1));
    }
}
