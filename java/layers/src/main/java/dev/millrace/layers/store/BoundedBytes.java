// SPDX-License-Identifier: Apache-2.0
package dev.millrace.layers.store;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.WritableByteChannel;

/** What is written, in memory, up to a bound. One thread at a time. */
final class BoundedBytes implements WritableByteChannel {
    private static final int STEP = 64 << 10;

    private final int most;
    private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    private volatile boolean overfull;

    BoundedBytes(int most) {
        this.most = most;
    }

    @Override
    public int write(ByteBuffer from) throws IOException {
        if (from.remaining() > most - bytes.size()) {
            overfull = true;
            throw new IOException("more than " + most + " bytes came");
        }
        byte[] piece = new byte[Math.min(STEP, from.remaining())];
        from.get(piece);
        bytes.write(piece);
        return piece.length;
    }

    /** True where more came than may. */
    boolean isOverfull() {
        return overfull;
    }

    byte[] toByteArray() {
        return bytes.toByteArray();
    }

    @Override
    public boolean isOpen() {
        return true;
    }

    @Override
    public void close() {
        // memory
    }
}
