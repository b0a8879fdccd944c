// SPDX-License-Identifier: Apache-2.0
package dev.millrace.server.http;

import java.io.BufferedOutputStream;
import java.io.OutputStream;

/** Gathers small writes, so that each turn to the network carries some; the most memory that a long answer takes. */
final class StreamedBody extends BufferedOutputStream {
    private static final int BYTES = 64 << 10;

    StreamedBody(OutputStream to) {
        super(to, BYTES);
    }

    /** Writers flush out of habit; only the end and a full buffer count here. */
    @Override
    public void flush() {}

    @Override
    public void close() throws java.io.IOException {
        super.flush();
        out.close();
    }
}
