// SPDX-License-Identifier: Apache-2.0
package dev.millrace.testkit;

import java.nio.ByteBuffer;

/** Content that is an array; made by {@link Content#of(byte[])}. */
final class BytesContent implements Content {
    private final byte[] bytes;

    BytesContent(byte[] bytes) {
        this.bytes = bytes.clone();
    }

    @Override
    public long length() {
        return bytes.length;
    }

    @Override
    public void fill(long offset, ByteBuffer into) {
        Content.checkRange(offset, into.remaining(), bytes.length);
        into.put(bytes, (int) offset, into.remaining());
    }

    @Override
    public String toString() {
        return "Content of " + bytes.length + " bytes";
    }
}
