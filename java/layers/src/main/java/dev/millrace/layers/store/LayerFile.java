// SPDX-License-Identifier: Apache-2.0
package dev.millrace.layers.store;

import dev.millrace.layers.Generation;
import dev.millrace.layers.LayerFileName;
import dev.millrace.layers.LayerName;
import java.util.Optional;

/**
 * What an index says of a layer's file.
 *
 * @param size bytes, 0 to {@link #MAX_SIZE}
 * @param generation that uploaded it; empty in old indexes, whose layers' files are named without one
 * @param checksum {@code crc32c:} and base64; empty where the index has none
 */
public record LayerFile(long size, Optional<Generation> generation, Optional<String> checksum) {
    /** The most bytes of a layer, 16 TiB: more fits no file system that is used for this, so an index that says so is wrong. */
    public static final long MAX_SIZE = 1L << 44;

    private static final String CRC32C = "crc32c:";

    /** Checks the size. */
    public LayerFile {
        if (size < 0 || size > MAX_SIZE) {
            throw new IllegalArgumentException(
                    "a layer of " + size + " bytes is not possible; 0 to " + MAX_SIZE + " are");
        }
    }

    /** A file without a checksum. */
    public static LayerFile of(long size, Generation generation) {
        return new LayerFile(size, Optional.of(generation), Optional.empty());
    }

    /** The file's name, locally and remotely. */
    public LayerFileName nameOf(LayerName layer) {
        return new LayerFileName(layer, generation);
    }

    /** Base64 of the CRC32C, where that is what the index has. */
    public Optional<String> crc32c() {
        return checksum.filter(text -> text.startsWith(CRC32C)).map(text -> text.substring(CRC32C.length()));
    }
}
