// SPDX-License-Identifier: Apache-2.0
package dev.millrace.testkit;

import java.io.InputStream;
import java.nio.ByteBuffer;

/** Reads a part of a content from front to back. Not thread-safe. */
final class ContentStream extends InputStream {
    private final Content content;
    private final long end;
    private long at;
    private long mark;

    ContentStream(Content content, long offset, long count) {
        Content.checkRange(offset, count, content.length());
        this.content = content;
        this.at = offset;
        this.mark = offset;
        this.end = offset + count;
    }

    @Override
    public int read() {
        byte[] one = new byte[1];
        return read(one, 0, 1) < 0 ? -1 : one[0] & 0xFF;
    }

    @Override
    public int read(byte[] into, int from, int count) {
        if (count == 0) {
            return 0;
        }
        int read = (int) Math.min(count, end - at);
        if (read <= 0) {
            return -1;
        }
        content.fill(at, ByteBuffer.wrap(into, from, read));
        at += read;
        return read;
    }

    @Override
    public long skip(long count) {
        long skipped = Math.max(0, Math.min(count, end - at));
        at += skipped;
        return skipped;
    }

    @Override
    public int available() {
        return (int) Math.min(Integer.MAX_VALUE, end - at);
    }

    @Override
    public boolean markSupported() {
        return true;
    }

    @Override
    public void mark(int readLimit) {
        mark = at;
    }

    @Override
    public void reset() {
        at = mark;
    }
}
