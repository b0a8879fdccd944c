// SPDX-License-Identifier: Apache-2.0
package dev.millrace.layers.format;

import dev.millrace.layers.LayerKey;
import dev.millrace.layers.LsnRange;

/**
 * What is wanted of a layer: of a delta the records of a key in a range of versions, the newest first, up to and with the
 * first that needs no older one; of an image the key's value, whatever the versions.
 *
 * @param reader the layer
 * @param key the key
 * @param lsns the versions; of an image they do not matter
 */
public record Lookup(LayerReader reader, LayerKey key, LsnRange lsns) {}
