// SPDX-License-Identifier: Apache-2.0
package dev.millrace.layers.format;

import dev.millrace.layers.LayerKey;
import dev.millrace.layers.Lsn;
import java.nio.ByteBuffer;

/** Keys as the index has them: a key's 18 bytes, and of a delta the LSN's 8 behind them; they compare as bytes, unsigned. */
final class IndexKeys {
    static final int IMAGE_BYTES = LayerKey.BYTES;
    static final int DELTA_BYTES = LayerKey.BYTES + Long.BYTES;

    private IndexKeys() {}

    static int bytes(boolean image) {
        return image ? IMAGE_BYTES : DELTA_BYTES;
    }

    static byte[] of(LayerKey key) {
        ByteBuffer bytes = ByteBuffer.allocate(IMAGE_BYTES);
        key.put(bytes, 0);
        return bytes.array();
    }

    static byte[] of(LayerKey key, Lsn lsn) {
        ByteBuffer bytes = ByteBuffer.allocate(DELTA_BYTES);
        key.put(bytes, 0);
        bytes.putLong(LayerKey.BYTES, lsn.value());
        return bytes.array();
    }

    static LayerKey key(byte[] bytes) {
        return LayerKey.get(ByteBuffer.wrap(bytes), 0);
    }

    /** The LSN behind the key. */
    static Lsn lsn(byte[] bytes) {
        return new Lsn(ByteBuffer.wrap(bytes).getLong(LayerKey.BYTES));
    }
}
