// SPDX-License-Identifier: Apache-2.0
package dev.millrace.testkit;

import java.io.BufferedInputStream;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * A reverse proxy in front of an S3 endpoint that does to each request what a script says. Clients are given
 * {@link #endpoint()}; what they signed for this address is forwarded as it is, Host included, so that signatures stay
 * valid before a server that takes the Host of the request for its own (the embedded one does).
 *
 * <p>Faults that change the request break its signature where it covers what they change. A proxy that knows the keys
 * signs such a request again ({@link #before(EmbeddedS3)}, {@link #before(URI, String, String)}); one that does not
 * ({@link #before(URI)}) forwards it with the old signature.
 *
 * <p>Each client connection has one connection to the endpoint, kept alive as long as both sides wish.
 */
public final class FaultProxy extends FaultyServer {
    private static final int CONNECT_MILLIS = 10_000;

    private final InetSocketAddress upstream;
    private final Optional<SigV4> signer;

    private FaultProxy(URI upstream, Optional<SigV4> signer) throws IOException {
        super("fault-proxy");
        this.upstream = new InetSocketAddress(upstream.getHost(), upstream.getPort() < 0 ? 80 : upstream.getPort());
        this.signer = signer;
    }

    /** A proxy before an embedded server, whose keys it knows. */
    public static FaultProxy before(EmbeddedS3 s3) throws IOException {
        return before(s3.endpoint(), s3.accessKey(), s3.secretKey());
    }

    /** A proxy before a plain http endpoint that never signs. */
    public static FaultProxy before(URI endpoint) throws IOException {
        return begin(endpoint, Optional.empty());
    }

    /** A proxy before a plain http endpoint that signs again, with these keys, the requests that faults change. */
    public static FaultProxy before(URI endpoint, String accessKey, String secretKey) throws IOException {
        return begin(endpoint, Optional.of(new SigV4(accessKey, secretKey)));
    }

    private static FaultProxy begin(URI endpoint, Optional<SigV4> signer) throws IOException {
        if (!"http".equals(endpoint.getScheme())) {
            throw new IllegalArgumentException(
                    "A fault proxy stands before http endpoints only, not " + endpoint + ".");
        }
        FaultProxy proxy = new FaultProxy(endpoint, signer);
        proxy.begin();
        return proxy;
    }

    @Override
    Backend newBackend() {
        return new Upstream();
    }

    /** The connection to the endpoint. */
    private final class Upstream implements Backend {
        private final Object lock = new Object();
        private Optional<Socket> socket = Optional.empty();
        private boolean closed;
        // of the connection's thread
        private InputStream in = InputStream.nullInputStream();
        private OutputStream out = OutputStream.nullOutputStream();
        private InputStream lastBody = InputStream.nullInputStream();
        private boolean reusable;

        @Override
        public Answer answer(Request edited, Request original, InputStream body) throws IOException {
            boolean changed = !edited.target().equals(original.target())
                    || !edited.headers().equals(original.headers());
            Request request = changed && signer.isPresent() ? signer.get().sign(edited) : edited;
            boolean bodiless =
                    HttpWire.contentLength(request.headers()).orElse(0) == 0 && !HttpWire.isChunked(request.headers());
            boolean kept = reusable && lastBody.read() < 0;
            reusable = false;
            try {
                if (!kept) {
                    connect();
                }
                return forward(request, body);
            } catch (IOException e) {
                if (!kept || !bodiless || isClosed()) {
                    return unreachable(e);
                }
            }
            // the endpoint had closed the connection while it was idle
            try {
                connect();
                return forward(request, body);
            } catch (IOException e) {
                return unreachable(e);
            }
        }

        private Answer unreachable(IOException e) {
            return Answer.of(
                    502,
                    Headers.of("Content-Type", "text/plain", "Connection", "close"),
                    "The endpoint " + upstream + " does not answer: " + e + "\n");
        }

        private boolean isClosed() {
            synchronized (lock) {
                return closed;
            }
        }

        private void connect() throws IOException {
            Socket fresh = new Socket();
            synchronized (lock) {
                socket.ifPresent(FaultyServer::closeQuietly);
                socket = Optional.of(fresh);
                if (closed) {
                    fresh.close();
                }
            }
            fresh.connect(upstream, CONNECT_MILLIS);
            fresh.setTcpNoDelay(true);
            in = new BufferedInputStream(fresh.getInputStream(), 64 << 10);
            out = new BufferedOutputStream(fresh.getOutputStream(), 64 << 10);
        }

        private Answer forward(Request request, InputStream body) throws IOException {
            // the client has been told to go on already
            Headers sent = request.headers().without("Expect");
            out.write(new HttpWire.Head(request.method() + " " + request.target() + " HTTP/1.1", sent).toBytes());
            boolean chunked = HttpWire.isChunked(sent);
            byte[] block = new byte[32 << 10];
            for (int count = body.read(block); count >= 0; count = body.read(block)) {
                if (chunked) {
                    out.write((Integer.toHexString(count) + "\r\n").getBytes(StandardCharsets.ISO_8859_1));
                }
                out.write(block, 0, count);
                if (chunked) {
                    out.write('\r');
                    out.write('\n');
                }
            }
            if (chunked) {
                out.write("0\r\n\r\n".getBytes(StandardCharsets.ISO_8859_1));
            }
            out.flush();
            HttpWire.Head head;
            int status;
            do {
                head = HttpWire.readHead(in)
                        .orElseThrow(() -> new IOException("The endpoint closed the connection without an answer."));
                status = Integer.parseInt(head.word(1));
            } while (status < 200);
            return receive(request, head, status);
        }

        private Answer receive(Request request, HttpWire.Head head, int status) throws IOException {
            OptionalLong length = HttpWire.contentLength(head.headers());
            reusable = !head.headers().lists("Connection", "close");
            if (request.isHead() || status == 204 || status == 304) {
                lastBody = InputStream.nullInputStream();
                length = OptionalLong.of(length.orElse(0));
            } else if (HttpWire.isChunked(head.headers())) {
                lastBody = new HttpWire.ChunkedBody(in);
                length = OptionalLong.empty();
            } else if (length.isPresent()) {
                lastBody = new HttpWire.FixedBody(in, length.getAsLong());
            } else {
                lastBody = in;
                reusable = false;
            }
            return new Answer(status, head.headers(), length, lastBody);
        }

        @Override
        public void close() {
            synchronized (lock) {
                closed = true;
                socket.ifPresent(FaultyServer::closeQuietly);
            }
        }
    }
}
