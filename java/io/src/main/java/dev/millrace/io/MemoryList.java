// SPDX-License-Identifier: Apache-2.0
package dev.millrace.io;

import java.nio.ByteBuffer;
import java.util.List;

/** Several pieces of a user's memory as one, filled or emptied from the front; moves their positions. */
final class MemoryList {
    private final List<ByteBuffer> pieces;
    private int current;
    private long remaining;

    private MemoryList(List<ByteBuffer> pieces) {
        this.pieces = pieces;
        for (ByteBuffer piece : pieces) {
            remaining += piece.remaining();
        }
    }

    static MemoryList of(ByteBuffer piece) {
        return new MemoryList(List.of(piece));
    }

    static MemoryList of(List<ByteBuffer> pieces) {
        return new MemoryList(List.copyOf(pieces));
    }

    /** The same, to be read into. */
    static MemoryList targets(List<ByteBuffer> pieces, String path) {
        for (ByteBuffer piece : pieces) {
            if (piece.isReadOnly()) {
                throw new IllegalArgumentException(
                        "read of " + path + " is not possible: the buffer that is to be filled is read-only");
            }
        }
        return of(pieces);
    }

    long remaining() {
        return remaining;
    }

    boolean hasRemaining() {
        return remaining > 0;
    }

    /** Fills the next {@code length} bytes from a buffer. */
    void fillFrom(OwnedBuffer buffer, int at, int length) {
        int done = 0;
        while (done < length) {
            ByteBuffer piece = pieces.get(current);
            int count = Math.min(length - done, piece.remaining());
            ByteBuffer part = piece.slice();
            part.limit(count);
            buffer.get(at + done, part);
            piece.position(piece.position() + count);
            done += count;
            skipWhole();
        }
        remaining -= length;
    }

    /** Copies the next {@code length} bytes to the start of a buffer, and stays where it is. */
    void copyTo(OwnedBuffer buffer, int length) {
        int done = 0;
        for (int i = current; done < length; i++) {
            ByteBuffer part = pieces.get(i).slice();
            part.limit(Math.min(length - done, part.limit()));
            int count = part.limit();
            buffer.put(done, part);
            done += count;
        }
    }

    /** Moves on over {@code length} bytes. */
    void advance(long length) {
        long left = length;
        while (left > 0) {
            ByteBuffer piece = pieces.get(current);
            int count = (int) Math.min(left, piece.remaining());
            piece.position(piece.position() + count);
            left -= count;
            skipWhole();
        }
        remaining -= length;
    }

    private void skipWhole() {
        while (current < pieces.size() && !pieces.get(current).hasRemaining()) {
            current++;
        }
    }
}
