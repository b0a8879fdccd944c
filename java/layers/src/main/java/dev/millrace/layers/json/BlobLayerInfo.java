// SPDX-License-Identifier: Apache-2.0
package dev.millrace.layers.json;

import dev.millrace.layers.LayerName;
import dev.millrace.layers.stats.LayerAccessStats;

/**
 * A file of somebody else's format.
 *
 * @param name what it is called
 * @param fileSize in bytes
 * @param remote whether it is not resident
 * @param accessStats who read it
 */
public record BlobLayerInfo(LayerName.Blob name, long fileSize, boolean remote, LayerAccessStats accessStats) {}
