// SPDX-License-Identifier: Apache-2.0
package dev.millrace.testkit;

import java.io.BufferedInputStream;
import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.BooleanSupplier;
import java.util.function.Predicate;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * An HTTP/1.1 server on a free port of 127.0.0.1 that does to each request what a script says. What is common to
 * {@link FaultProxy} and {@link ScriptedServer}: connections, script, record of requests, stopping.
 *
 * <p>All methods may be called from any thread. Each connection has a daemon thread of its own; at most
 * {@value #MAX_CONNECTIONS} are served at once, more wait to be accepted. {@link #close} ends all of them, wakes every
 * pause and frees the port.
 */
public abstract sealed class FaultyServer implements AutoCloseable permits FaultProxy, ScriptedServer {
    /** The most connections at once. */
    public static final int MAX_CONNECTIONS = 1024;

    /** The most requests that are remembered; older ones are forgotten first. */
    public static final int MAX_REQUESTS = 50_000;

    private static final Logger log = LoggerFactory.getLogger(FaultyServer.class);

    /** What answers the requests of one connection; on the connection's thread, but for close. */
    interface Backend extends Closeable {
        /** The request is the edited one; its body must be read to its end, or the connection is not used again. */
        Answer answer(Request request, Request original, InputStream body) throws IOException;

        /** Ends what is under way; from any thread, more than once. */
        @Override
        void close();
    }

    private final ServerSocket listener;
    private final String name;
    private final FaultInjector script = new FaultInjector();
    private final Set<Connection> connections = ConcurrentHashMap.newKeySet();
    private final Semaphore places = new Semaphore(MAX_CONNECTIONS);
    private final AtomicLong connectionCount = new AtomicLong();
    private final Thread acceptor;

    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();
    private final Deque<Request> seen = new ArrayDeque<>();
    private long seenCount;
    private boolean stopped;
    private int releases;
    private boolean closed;

    FaultyServer(String name) throws IOException {
        this.name = name;
        listener = new ServerSocket();
        listener.bind(new InetSocketAddress(InetAddress.getByAddress(new byte[] {127, 0, 0, 1}), 0), 1024);
        acceptor = new Thread(this::accept, name + "-accept");
        acceptor.setDaemon(true);
    }

    /** Called once by the factories, when the object is whole. */
    final void begin() {
        acceptor.start();
    }

    abstract Backend newBackend();

    /** The address for clients, such as {@code http://127.0.0.1:40001}; without a slash at the end. */
    public final URI endpoint() {
        return URI.create("http://127.0.0.1:" + listener.getLocalPort());
    }

    /** The URL of an object in path style; each byte of the key that needs it is percent-encoded once. */
    public final URI url(String bucket, String key) {
        return URI.create(endpoint() + Percent.path(bucket, key));
    }

    /** Begins a rule for the requests that match; it is alive once it is told what to do with them. */
    public final FaultInjector.Rule on(Predicate<? super Request> which) {
        return script.on(which);
    }

    /** Begins a rule for every request. */
    public final FaultInjector.Rule onAny() {
        return script.on(request -> true);
    }

    /** Drops all rules; exchanges under way keep theirs. */
    public final void clearRules() {
        script.clear();
    }

    /** The requests seen so far, in order; the newest {@value #MAX_REQUESTS} of them. */
    public final List<Request> requests() {
        lock.lock();
        try {
            return List.copyOf(seen);
        } finally {
            lock.unlock();
        }
    }

    /** Those of the requests seen so far that match. */
    public final List<Request> requests(Predicate<? super Request> which) {
        return requests().stream().filter(which).toList();
    }

    /** How many requests were seen since the start, forgotten ones included. */
    public final long requestCount() {
        lock.lock();
        try {
            return seenCount;
        } finally {
            lock.unlock();
        }
    }

    /** Waits until so many requests have been seen since the start; false if they were not in that time. */
    public final boolean awaitRequests(long count, Duration atMost) throws InterruptedException {
        lock.lock();
        try {
            long left = atMost.toNanos();
            while (seenCount < count) {
                if (left <= 0) {
                    return false;
                }
                left = changed.awaitNanos(left);
            }
            return true;
        } finally {
            lock.unlock();
        }
    }

    /** Connections that clients opened since the start. */
    public final long connectionCount() {
        return connectionCount.get();
    }

    /** Connections open now. */
    public final int openConnections() {
        return connections.size();
    }

    /** Stops all transfers where they are, as a stopped process would: connections open, and nothing moves. */
    public final void stop() {
        setStopped(true);
    }

    /** Goes on after {@link #stop}. */
    public final void resume() {
        setStopped(false);
    }

    /** Lets one exchange go on that a {@link Fault.HoldAfter} holds, or the next one that it will hold. */
    public final void release() {
        lock.lock();
        try {
            releases++;
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    private void setStopped(boolean value) {
        lock.lock();
        try {
            stopped = value;
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    /** Closes the connections on which no exchange is under way; how many they were. */
    public final int dropIdleConnections() {
        int dropped = 0;
        for (Connection connection : connections) {
            if (connection.dropIfIdle()) {
                dropped++;
            }
        }
        return dropped;
    }

    /** Ends all connections and frees the port. More calls do nothing. */
    @Override
    public void close() {
        lock.lock();
        try {
            closed = true;
            changed.signalAll();
        } finally {
            lock.unlock();
        }
        closeQuietly(listener);
        connections.forEach(Connection::abort);
        boolean interrupted = false;
        List<Thread> threads = new ArrayList<>();
        threads.add(acceptor);
        connections.forEach(connection -> threads.add(connection.thread));
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(5);
        for (Thread thread : threads) {
            try {
                thread.join(Math.max(1, TimeUnit.NANOSECONDS.toMillis(deadline - System.nanoTime())));
            } catch (InterruptedException e) {
                interrupted = true;
                break;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    private void accept() {
        try {
            while (true) {
                places.acquire();
                Socket socket = listener.accept();
                new Connection(socket, connectionCount.incrementAndGet()).begin();
            }
        } catch (IOException e) {
            if (!isClosed()) {
                log.warn("{} accepts no more connections.", name, e);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private boolean isClosed() {
        lock.lock();
        try {
            return closed;
        } finally {
            lock.unlock();
        }
    }

    private Request record(long connection, String method, String target, Headers headers) {
        String path = target;
        if (!path.startsWith("/")) {
            // absolute form, as a client sends it to a proxy
            int authority = path.indexOf("://");
            int slash = authority < 0 ? -1 : path.indexOf('/', authority + 3);
            path = slash < 0 ? "/" : path.substring(slash);
        }
        int mark = path.indexOf('?');
        String query = mark < 0 ? "" : path.substring(mark + 1);
        path = mark < 0 ? path : path.substring(0, mark);
        lock.lock();
        try {
            Request request = new Request(++seenCount, connection, Instant.now(), method, path, query, headers);
            seen.addLast(request);
            if (seen.size() > MAX_REQUESTS) {
                seen.removeFirst();
            }
            changed.signalAll();
            return request;
        } finally {
            lock.unlock();
        }
    }

    private final class PausesOfServer implements AnswerWriter.Pauses {
        @Override
        public void pause(Duration time) throws IOException {
            lock.lock();
            try {
                for (long left = time.toNanos(); left > 0; ) {
                    requireOpen();
                    left = changed.awaitNanos(left);
                }
                requireOpen();
            } catch (InterruptedException e) {
                throw interrupted(e);
            } finally {
                lock.unlock();
            }
        }

        @Override
        public void whileStopped() throws IOException {
            waitWhile(() -> stopped);
        }

        @Override
        public void untilReleased() throws IOException {
            lock.lock();
            try {
                waitWhile(() -> releases == 0);
                releases--;
            } finally {
                lock.unlock();
            }
        }

        private void waitWhile(BooleanSupplier held) throws IOException {
            lock.lock();
            try {
                requireOpen();
                while (held.getAsBoolean()) {
                    changed.await();
                    requireOpen();
                }
            } catch (InterruptedException e) {
                throw interrupted(e);
            } finally {
                lock.unlock();
            }
        }

        private void requireOpen() throws IOException {
            if (closed) {
                throw new IOException("The test server was closed.");
            }
        }

        private IOException interrupted(InterruptedException e) {
            Thread.currentThread().interrupt();
            return new IOException("A connection's thread was interrupted.", e);
        }
    }

    private final class Connection {
        private final Socket socket;
        private final long number;
        private final Backend backend;
        private final Thread thread;
        private final AtomicReference<State> state = new AtomicReference<>(State.IDLE);
        private final PausesOfServer pauses = new PausesOfServer();

        Connection(Socket socket, long number) {
            this.socket = socket;
            this.number = number;
            this.backend = newBackend();
            this.thread = new Thread(this::run, name + "-" + number);
            this.thread.setDaemon(true);
        }

        void begin() {
            connections.add(this);
            thread.start();
            if (isClosed()) {
                abort();
            }
        }

        boolean dropIfIdle() {
            if (state.compareAndSet(State.IDLE, State.DROPPED)) {
                closeQuietly(socket);
                return true;
            }
            return false;
        }

        void abort() {
            closeQuietly(socket);
            backend.close();
        }

        private void run() {
            try {
                socket.setTcpNoDelay(true);
                serve();
            } catch (IOException e) {
                log.debug("Connection {} of {} ended.", number, name, e);
            } catch (RuntimeException e) {
                if (!isClosed()) {
                    log.warn("Connection {} of {} ended by a fault of the test server itself.", number, name, e);
                }
            } finally {
                abort();
                connections.remove(this);
                places.release();
            }
        }

        private void serve() throws IOException {
            InputStream in = new BufferedInputStream(socket.getInputStream(), 32 << 10);
            AnswerWriter out = new AnswerWriter(socket, pauses);
            while (true) {
                Optional<HttpWire.Head> head = HttpWire.readHead(in);
                if (head.isEmpty() || !state.compareAndSet(State.IDLE, State.BUSY)) {
                    return;
                }
                pauses.whileStopped();
                if (!exchange(head.get(), in, out)) {
                    return;
                }
                state.set(State.IDLE);
            }
        }

        private boolean exchange(HttpWire.Head head, InputStream in, AnswerWriter out) throws IOException {
            Request request = record(number, head.word(0), head.word(1), head.headers());
            FaultPlan plan = new FaultPlan(script.decide(request));
            if (!plan.pauseBeforeHead.isZero()) {
                pauses.pause(plan.pauseBeforeHead);
            }
            if (plan.endBeforeHead.isPresent()) {
                out.end(plan.endBeforeHead.get());
                return false;
            }
            InputStream body;
            OptionalLong length = HttpWire.contentLength(request.headers());
            if (HttpWire.isChunked(request.headers())) {
                body = new HttpWire.ChunkedBody(in);
            } else {
                body = new HttpWire.FixedBody(in, length.orElse(0));
            }
            if (request.headers().lists("Expect", "100-continue")) {
                out.writeContinue();
            }
            Answer answer;
            if (plan.respond.isPresent()) {
                Fault.Respond canned = plan.respond.get();
                answer = Answer.of(canned.status(), canned.headers(), canned.body());
            } else {
                Request edited = plan.edit(request);
                answer = backend.answer(edited, request, body);
            }
            // a body that nobody read would be taken for the next request
            while (body.read(DRAIN) >= 0) {
                // to its end
            }
            return out.write(request, answer, plan);
        }
    }

    private enum State {
        IDLE,
        BUSY,
        DROPPED
    }

    /** Where bodies that nobody wants are read to; written by many threads and read by none. */
    private static final byte[] DRAIN = new byte[16 << 10];

    static void closeQuietly(Closeable closeable) {
        try {
            closeable.close();
        } catch (IOException e) {
            log.debug("Closing failed.", e);
        }
    }
}
