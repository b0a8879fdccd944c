// SPDX-License-Identifier: Apache-2.0
package dev.millrace.testkit;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.OptionalLong;

/** A client that hides nothing: one connection, heads and bodies as they come. Its timeout is 10 s a read. */
final class RawHttp implements AutoCloseable {
    private final Socket socket;
    final InputStream in;

    RawHttp(URI endpoint) throws IOException {
        socket = new Socket(endpoint.getHost(), endpoint.getPort());
        socket.setSoTimeout(10_000);
        in = new BufferedInputStream(socket.getInputStream());
    }

    RawHttp send(String requestLine, String... headers) throws IOException {
        StringBuilder text = new StringBuilder(requestLine).append(" HTTP/1.1\r\nHost: test\r\n");
        for (String header : headers) {
            text.append(header).append("\r\n");
        }
        socket.getOutputStream().write(text.append("\r\n").toString().getBytes(StandardCharsets.ISO_8859_1));
        return this;
    }

    HttpWire.Head head() throws IOException {
        return HttpWire.readHead(in).orElseThrow(() -> new IOException("closed before a head"));
    }

    /** The body that belongs to a head. */
    byte[] body(HttpWire.Head head) throws IOException {
        OptionalLong length = HttpWire.contentLength(head.headers());
        if (HttpWire.isChunked(head.headers())) {
            return new HttpWire.ChunkedBody(in).readAllBytes();
        }
        return length.isPresent() ? new HttpWire.FixedBody(in, length.getAsLong()).readAllBytes() : in.readAllBytes();
    }

    /** Fails where a byte, or the end, comes within a time. */
    void expectSilence(Duration time) throws IOException {
        int before = socket.getSoTimeout();
        socket.setSoTimeout((int) time.toMillis());
        try {
            throw new AssertionError("there came " + in.read());
        } catch (SocketTimeoutException silent) {
            socket.setSoTimeout(before);
        }
    }

    /** How many bytes come before the connection ends, and how it does: "closed" or "reset". */
    String untilEnd() {
        int count = 0;
        try {
            while (in.read() >= 0) {
                count++;
            }
            return count + " closed";
        } catch (IOException e) {
            return count + (String.valueOf(e.getMessage()).contains("reset") ? " reset" : " " + e);
        }
    }

    @Override
    public void close() throws IOException {
        socket.close();
    }
}
