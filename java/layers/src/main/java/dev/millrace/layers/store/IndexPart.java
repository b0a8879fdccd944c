// SPDX-License-Identifier: Apache-2.0
package dev.millrace.layers.store;

import dev.millrace.layers.Generation;
import dev.millrace.layers.LayerName;
import dev.millrace.layers.Lsn;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/**
 * The truth about which layers of a timeline exist. Replaced as a whole, after the layers it names are uploaded.
 *
 * @param layers by name, in the order of the document
 * @param diskConsistentLsn up to which all is in layers
 */
public record IndexPart(Map<LayerName, LayerFile> layers, Lsn diskConsistentLsn) {
    /** The version that is written. Older ones are read. */
    public static final int VERSION = 1;
    /** The most layers of a timeline. */
    public static final int MAX_LAYERS = 1_000_000;

    private static final String NAME = "index_part.json-";

    /** An index of no layers. */
    public static final IndexPart EMPTY = new IndexPart(Map.of(), Lsn.ZERO);

    /** Copies the map and keeps its order. */
    public IndexPart {
        layers = Collections.unmodifiableMap(new LinkedHashMap<>(layers));
        if (layers.size() > MAX_LAYERS) {
            throw new IllegalArgumentException(
                    "an index of " + layers.size() + " layers is not possible; at most " + MAX_LAYERS + " are");
        }
    }

    /** What the object of a generation is called. */
    public static String fileName(Generation generation) {
        return NAME + generation;
    }

    /** What the names of all generations begin with. */
    static String prefix() {
        return NAME;
    }

    /** The generation of an object of that name; empty for all other names, such as those of uploads under way. */
    static Optional<Generation> generationOf(String name) {
        if (!name.startsWith(NAME)) {
            return Optional.empty();
        }
        try {
            return Optional.of(Generation.parse(name.substring(NAME.length())));
        } catch (IllegalArgumentException notOne) {
            return Optional.empty();
        }
    }

    /** The same with one more layer, or another file of it. */
    public IndexPart with(LayerName layer, LayerFile file) {
        return with(Map.of(layer, file));
    }

    /** The same with more layers, or other files of them. */
    public IndexPart with(Map<LayerName, LayerFile> others) {
        Map<LayerName, LayerFile> more = new LinkedHashMap<>(layers);
        more.putAll(others);
        return new IndexPart(more, diskConsistentLsn);
    }

    /** The same without a layer. */
    public IndexPart without(LayerName layer) {
        Map<LayerName, LayerFile> fewer = new LinkedHashMap<>(layers);
        fewer.remove(layer);
        return new IndexPart(fewer, diskConsistentLsn);
    }

    /** The same, consistent up to another version. */
    public IndexPart withDiskConsistentLsn(Lsn lsn) {
        return new IndexPart(layers, lsn);
    }
}
