// SPDX-License-Identifier: Apache-2.0
package dev.millrace.layers.format;

import dev.millrace.layers.LayerKey;
import dev.millrace.layers.Lsn;
import java.nio.ByteBuffer;

/**
 * A value of a layer.
 *
 * @param key its key
 * @param lsn its version; of an image the image's
 * @param willInit true where it needs no older one; of an image always
 * @param value its bytes, read-only, from position 0 to the limit; nobody else's
 */
public record LayerRecord(LayerKey key, Lsn lsn, boolean willInit, ByteBuffer value) {}
