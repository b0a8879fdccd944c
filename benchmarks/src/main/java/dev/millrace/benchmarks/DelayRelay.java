// SPDX-License-Identifier: Apache-2.0
package dev.millrace.benchmarks;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Optional;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;

/**
 * Puts a delay between clients and a server on loopback, for where the kernel's netem cannot be had: each byte goes on so
 * long after it came, in both directions, as over a wire with that latency and {@value #WINDOW_BYTES} bytes in flight.
 * Its CPU time is that of its own process, never a contender's.
 */
final class DelayRelay implements AutoCloseable {
    private static final int CHUNK = 256 << 10;
    private static final int WINDOW_BYTES = 16 << 20;
    private static final int STACK = 256 << 10;

    private final ServerSocket listening;
    private final int target;
    private final long delayNanos;

    private DelayRelay(ServerSocket listening, int target, long delayNanos) {
        this.listening = listening;
        this.target = target;
        this.delayNanos = delayNanos;
    }

    /** What came at a moment; without bytes it is the end. */
    private record Piece(ByteBuffer bytes, long due) {}

    /** Relays from a free port of loopback to another one. */
    static DelayRelay open(int target, long delayNanos) throws IOException {
        DelayRelay relay =
                new DelayRelay(new ServerSocket(0, 1024, InetAddress.getLoopbackAddress()), target, delayNanos);
        start("relay", relay::accept);
        return relay;
    }

    int port() {
        return listening.getLocalPort();
    }

    private static void start(String name, Runnable body) {
        Thread thread = new Thread(null, body, name, STACK);
        thread.setDaemon(true);
        thread.start();
    }

    private void accept() {
        while (!listening.isClosed()) {
            try {
                Socket client = listening.accept();
                Socket server = new Socket(InetAddress.getLoopbackAddress(), target);
                client.setTcpNoDelay(true);
                server.setTcpNoDelay(true);
                pump(client, server);
                pump(server, client);
            } catch (IOException e) {
                if (!listening.isClosed()) {
                    System.err.println("The relay could not take a connection: " + Commands.sentence(e));
                }
            }
        }
    }

    private void pump(Socket from, Socket to) {
        LinkedBlockingQueue<Piece> queue = new LinkedBlockingQueue<>();
        Semaphore window = new Semaphore(WINDOW_BYTES / CHUNK);
        start("relay-in", () -> read(from, queue, window));
        start("relay-out", () -> write(to, queue, window));
    }

    private void read(Socket from, LinkedBlockingQueue<Piece> queue, Semaphore window) {
        byte[] buffer = new byte[CHUNK];
        try {
            InputStream in = from.getInputStream();
            while (true) {
                window.acquireUninterruptibly();
                int count = in.read(buffer);
                if (count < 0) {
                    break;
                }
                queue.add(new Piece(ByteBuffer.wrap(Arrays.copyOf(buffer, count)), System.nanoTime() + delayNanos));
            }
        } catch (IOException e) {
            // The client went away, which is its right.
            close(Optional.of(from));
        }
        queue.add(new Piece(ByteBuffer.allocate(0), System.nanoTime() + delayNanos));
    }

    private static void write(Socket to, LinkedBlockingQueue<Piece> queue, Semaphore window) {
        try {
            OutputStream out = to.getOutputStream();
            for (Piece piece = queue.take(); piece.bytes().hasRemaining(); piece = queue.take()) {
                TimeUnit.NANOSECONDS.sleep(piece.due() - System.nanoTime());
                out.write(piece.bytes().array());
                window.release();
            }
            to.shutdownOutput();
        } catch (IOException e) {
            // The other side went away: whoever still sends shall see it.
            close(Optional.of(to));
            window.release(WINDOW_BYTES / CHUNK);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private static void close(Optional<Socket> socket) {
        try {
            if (socket.isPresent()) {
                socket.get().close();
            }
        } catch (IOException e) {
            return;
        }
    }

    @Override
    public void close() throws IOException {
        listening.close();
    }
}
