// SPDX-License-Identifier: Apache-2.0
package dev.millrace.testkit;

import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.net.ProtocolException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/** HTTP/1.1 as it lies on the wire: heads and the three ways in which a body ends. */
final class HttpWire {
    /** The most that a head may have, in bytes. */
    static final int MAX_HEAD = 128 << 10;

    private HttpWire() {}

    /** A start line and what follows it. */
    record Head(String startLine, Headers headers) {
        /** The blank-separated word of that number in the start line. */
        String word(int index) throws ProtocolException {
            String[] words = startLine.split(" ", 3);
            if (index >= words.length) {
                throw new ProtocolException("A start line is too short: " + startLine);
            }
            return words[index];
        }

        byte[] toBytes() {
            StringBuilder text = new StringBuilder(512).append(startLine).append("\r\n");
            for (Headers.Header header : headers.entries()) {
                text.append(header.name()).append(": ").append(header.value()).append("\r\n");
            }
            return text.append("\r\n").toString().getBytes(StandardCharsets.ISO_8859_1);
        }
    }

    /** Reads a head; nothing if the other side closed before its first byte. */
    static Optional<Head> readHead(InputStream in) throws IOException {
        Optional<String> start = readLine(in, MAX_HEAD);
        if (start.isEmpty()) {
            return Optional.empty();
        }
        int left = MAX_HEAD - start.get().length();
        List<Headers.Header> headers = new ArrayList<>();
        while (true) {
            String line = readLine(in, left).orElseThrow(() -> new EOFException("A head was cut off."));
            if (line.isEmpty()) {
                return Optional.of(new Head(start.get(), new Headers(headers)));
            }
            left -= line.length() + 2;
            int colon = line.indexOf(':');
            if (colon <= 0) {
                throw new ProtocolException("A header line has no colon: " + line);
            }
            headers.add(new Headers.Header(
                    line.substring(0, colon).strip(), line.substring(colon + 1).strip()));
        }
    }

    private static Optional<String> readLine(InputStream in, int limit) throws IOException {
        ByteArrayOutputStream line = new ByteArrayOutputStream(80);
        while (true) {
            int b = in.read();
            if (b == '\n') {
                String text = line.toString(StandardCharsets.ISO_8859_1);
                return Optional.of(text.endsWith("\r") ? text.substring(0, text.length() - 1) : text);
            }
            if (b < 0) {
                if (line.size() == 0) {
                    return Optional.empty();
                }
                throw new EOFException("A line was cut off.");
            }
            if (line.size() >= limit) {
                throw new ProtocolException("A head has more than " + MAX_HEAD + " bytes.");
            }
            line.write(b);
        }
    }

    static boolean isChunked(Headers headers) {
        return headers.lists("Transfer-Encoding", "chunked");
    }

    static OptionalLong contentLength(Headers headers) throws ProtocolException {
        Optional<String> text = headers.first("Content-Length");
        if (text.isEmpty()) {
            return OptionalLong.empty();
        }
        try {
            long length = Long.parseLong(text.get());
            if (length >= 0) {
                return OptionalLong.of(length);
            }
        } catch (NumberFormatException e) {
            throw (ProtocolException) new ProtocolException("Content-Length is no number: " + text.get()).initCause(e);
        }
        throw new ProtocolException("Content-Length is negative: " + text.get());
    }

    /** A body of known length, and how much of it is still to come. */
    static final class FixedBody extends InputStream {
        private final InputStream in;
        private long left;

        FixedBody(InputStream in, long length) {
            this.in = in;
            this.left = length;
        }

        @Override
        public int read() throws IOException {
            byte[] one = new byte[1];
            return read(one, 0, 1) < 0 ? -1 : one[0] & 0xFF;
        }

        @Override
        public int read(byte[] into, int from, int count) throws IOException {
            if (left == 0) {
                return -1;
            }
            int read = in.read(into, from, (int) Math.min(count, left));
            if (read < 0) {
                throw new EOFException("A body ended " + left + " bytes early.");
            }
            left -= read;
            return read;
        }

        @Override
        public int available() throws IOException {
            return (int) Math.min(left, in.available());
        }
    }

    /** The payload of a chunked body; reads its trailers, too, and drops them. */
    static final class ChunkedBody extends InputStream {
        private final InputStream in;
        private long left;
        private boolean first = true;
        private boolean ended;

        ChunkedBody(InputStream in) {
            this.in = in;
        }

        @Override
        public int read() throws IOException {
            byte[] one = new byte[1];
            return read(one, 0, 1) < 0 ? -1 : one[0] & 0xFF;
        }

        @Override
        public int read(byte[] into, int from, int count) throws IOException {
            if (count == 0) {
                return 0;
            }
            if (left == 0 && !ended) {
                nextChunk();
            }
            if (ended) {
                return -1;
            }
            int read = in.read(into, from, (int) Math.min(count, left));
            if (read < 0) {
                throw new EOFException("A chunk was cut off.");
            }
            left -= read;
            return read;
        }

        private void nextChunk() throws IOException {
            if (!first && !line().isEmpty()) {
                throw new ProtocolException("A chunk does not end with a line break.");
            }
            first = false;
            String size = line().split(";", 2)[0].strip();
            try {
                left = Long.parseLong(size, 16);
            } catch (NumberFormatException e) {
                throw (ProtocolException) new ProtocolException("A chunk's size is no number: " + size).initCause(e);
            }
            if (left == 0) {
                while (!line().isEmpty()) {
                    // a trailer
                }
                ended = true;
            }
        }

        private String line() throws IOException {
            return readLine(in, MAX_HEAD).orElseThrow(() -> new EOFException("A chunked body was cut off."));
        }

        @Override
        public int available() throws IOException {
            return (int) Math.min(left, in.available());
        }
    }

    static String reason(int status) {
        return switch (status) {
            case 200 -> "OK";
            case 206 -> "Partial Content";
            case 301 -> "Moved Permanently";
            case 304 -> "Not Modified";
            case 307 -> "Temporary Redirect";
            case 400 -> "Bad Request";
            case 403 -> "Forbidden";
            case 404 -> "Not Found";
            case 405 -> "Method Not Allowed";
            case 412 -> "Precondition Failed";
            case 416 -> "Requested Range Not Satisfiable";
            case 429 -> "Too Many Requests";
            case 500 -> "Internal Server Error";
            case 501 -> "Not Implemented";
            case 502 -> "Bad Gateway";
            case 503 -> "Slow Down";
            default -> "Status " + status;
        };
    }
}
