// SPDX-License-Identifier: Apache-2.0
package dev.millrace.testkit;

import java.nio.ByteBuffer;

/** Content of zero bytes; made by {@link Content#zeros(long)}. */
record ZeroContent(long length) implements Content {
    private static final byte[] ZEROS = new byte[BLOCK];

    ZeroContent {
        if (length < 0) {
            throw new IllegalArgumentException("A content cannot have " + length + " bytes.");
        }
    }

    @Override
    public void fill(long offset, ByteBuffer into) {
        Content.checkRange(offset, into.remaining(), length);
        while (into.hasRemaining()) {
            into.put(ZEROS, 0, Math.min(ZEROS.length, into.remaining()));
        }
    }
}
