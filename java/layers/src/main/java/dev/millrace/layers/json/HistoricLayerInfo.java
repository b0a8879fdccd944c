// SPDX-License-Identifier: Apache-2.0
package dev.millrace.layers.json;

import dev.millrace.layers.LayerName;
import dev.millrace.layers.stats.LayerAccessStats;

/** A layer of keys and versions. */
public sealed interface HistoricLayerInfo {
    /** What it is called. */
    LayerName name();

    /** How long its file is, in bytes. */
    long fileSize();

    /** Whether it is not resident. */
    boolean remote();

    /** Who read it. */
    LayerAccessStats accessStats();

    /**
     * Changes.
     *
     * @param name of which keys and versions
     * @param fileSize in bytes
     * @param remote whether it is not resident
     * @param l0 whether it is of all keys, as they are before the first compaction
     * @param accessStats who read it
     */
    record Delta(LayerName.Delta name, long fileSize, boolean remote, boolean l0, LayerAccessStats accessStats)
            implements HistoricLayerInfo {}

    /**
     * Values as of one version.
     *
     * @param name of which keys and version
     * @param fileSize in bytes
     * @param remote whether it is not resident
     * @param accessStats who read it
     */
    record Image(LayerName.Image name, long fileSize, boolean remote, LayerAccessStats accessStats)
            implements HistoricLayerInfo {}
}
