// SPDX-License-Identifier: Apache-2.0
package dev.millrace.server.churn;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;

/**
 * The few calls of the management API that the benchmark makes, over layers that are only names, sizes and residence; counts what
 * it does, and misbehaves where it is told to.
 */
public final class FakeManagementServer implements AutoCloseable {
    /** Every layer's. */
    public static final long LAYER_BYTES = 1000;

    private static final Answer STALLED = new Answer(-1, "");

    private final HttpServer server;
    private final ExecutorService threads = Executors.newCachedThreadPool();
    private final Map<String, Map<String, Boolean>> residence = new TreeMap<>();
    private final Map<String, AtomicInteger> failing = new ConcurrentHashMap<>();
    private final Map<String, String> refusedEngines = new ConcurrentHashMap<>();
    private final AtomicInteger underWay = new AtomicInteger();
    private final AtomicInteger attaching = new AtomicInteger();

    /** What was done: by {@code evicted}, {@code downloaded}, {@code late} (someone else was first), {@code maps}. */
    private final Map<String, AtomicLong> done = new ConcurrentHashMap<>();

    private volatile int mostUnderWay;
    private volatile Optional<String> token = Optional.empty();
    private volatile String engine = "io_uring";
    private volatile String launched = "2026-11-24 15:46:26.123456789 UTC";
    private volatile Optional<String> metrics = Optional.of("");
    private volatile OnLayer onLayer = (server, count) -> Optional.empty();
    private final AtomicLong layerRequests = new AtomicLong();

    /** An answer; no status: the headers come, and of the body nothing. */
    record Answer(int status, String body) {
        static Answer stalled() {
            return STALLED;
        }
    }

    /** Called before a request for a layer is carried out; may answer in its stead. */
    interface OnLayer {
        Optional<Answer> before(FakeManagementServer server, long count) throws Exception;
    }

    private FakeManagementServer() throws IOException {
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 1024);
        server.setExecutor(threads);
        server.createContext("/", this::handle);
        server.start();
    }

    /** Without tenants. */
    public static FakeManagementServer start() throws IOException {
        return new FakeManagementServer();
    }

    /** The id of a tenant or timeline. */
    public static String id(int number) {
        return String.format("%032x", number);
    }

    /** Adds a timeline whose layers with even numbers are resident. */
    public FakeManagementServer with(int tenant, int timeline, int layers) {
        Map<String, Boolean> map = new LinkedHashMap<>();
        for (int i = 0; i < layers; i++) {
            map.put("layer-" + i + (i % 3 == 0 ? " +ä" : ""), i % 2 == 0);
        }
        synchronized (this) {
            residence.put(id(tenant) + "/" + id(timeline), map);
        }
        return this;
    }

    FakeManagementServer onLayer(OnLayer action) {
        onLayer = action;
        return this;
    }

    /** Dies of the next request for a layer. */
    public void onNextLayerDie() {
        onLayer((at, count) -> {
            at.die();
            return Optional.empty();
        });
    }

    /** Waits until so many layers were downloaded; false where it took longer. */
    public synchronized boolean awaitDownloads(long downloads, long time, TimeUnit unit) throws InterruptedException {
        long end = System.nanoTime() + unit.toNanos(time);
        while (count("downloaded") < downloads) {
            long left = end - System.nanoTime();
            if (left <= 0) {
                return false;
            }
            TimeUnit.NANOSECONDS.timedWait(this, left);
        }
        return true;
    }

    /** Lets a path answer 503 so many times first. */
    FakeManagementServer notReady(String path, int times) {
        failing.put(path, new AtomicInteger(times));
        return this;
    }

    /** Says so many times that it attaches, and names one timeline of each tenant meanwhile. */
    FakeManagementServer attaching(int times) {
        attaching.set(times);
        return this;
    }

    /** Wants this token from now on. */
    public FakeManagementServer wantsToken(String wanted) {
        token = Optional.of(wanted);
        return this;
    }

    /** Refuses to run on an engine. */
    FakeManagementServer refusesEngine(String name, String reason) {
        refusedEngines.put(name, reason);
        return this;
    }

    /** What {@code /metrics} tells; empty: there is no such call. */
    FakeManagementServer tells(Optional<String> text) {
        metrics = text;
        return this;
    }

    void changeEngine(String other) {
        engine = other;
    }

    void launchAnew() {
        launched = "2026-11-24 16:00:00 UTC";
    }

    /** Its address. */
    public URI endpoint() {
        return URI.create("http://127.0.0.1:" + server.getAddress().getPort());
    }

    /** How often something was done. */
    public long count(String what) {
        return done.computeIfAbsent(what, key -> new AtomicLong()).get();
    }

    int mostUnderWay() {
        return mostUnderWay;
    }

    int underWay() {
        return underWay.get();
    }

    String engine() {
        return engine;
    }

    /** Breaks every connection, and takes none any more. */
    public void die() {
        server.stop(0);
    }

    @Override
    public void close() {
        threads.shutdownNow();
        server.stop(0);
    }

    // ------------------------------------------------------------------ calls

    private synchronized void did(String what) {
        done.computeIfAbsent(what, key -> new AtomicLong()).incrementAndGet();
        notifyAll();
    }

    private void handle(HttpExchange exchange) throws IOException {
        String body = new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8);
        Answer answer;
        try {
            answer = answer(exchange, body);
        } catch (RuntimeException e) {
            answer = new Answer(500, "{\"msg\":\"" + e + "\"}");
        }
        send(exchange, answer);
    }

    private void send(HttpExchange exchange, Answer answer) throws IOException {
        exchange.getResponseHeaders().set("PAGESERVER_LAUNCH_TIMESTAMP", launched);
        exchange.getResponseHeaders().set("Retry-After", "0");
        if (answer.status == STALLED.status) {
            exchange.sendResponseHeaders(200, LAYER_BYTES); // and then nothing
            return;
        }
        byte[] body = answer.body.getBytes(StandardCharsets.UTF_8);
        boolean bare = answer.status == 304 || body.length == 0;
        exchange.sendResponseHeaders(answer.status, bare ? -1 : body.length);
        if (!bare) {
            exchange.getResponseBody().write(body);
        }
        exchange.close();
    }

    private Answer answer(HttpExchange exchange, String body) {
        String path = exchange.getRequestURI().getPath();
        String method = exchange.getRequestMethod();
        AtomicInteger left = failing.get(path);
        if (left != null && left.getAndDecrement() > 0) {
            return new Answer(503, "{\"msg\":\"not yet\"}");
        }
        String given = exchange.getRequestHeaders().getFirst("Authorization");
        if (token.isPresent() && given == null) {
            return new Answer(401, "{\"msg\":\"no token was sent\"}");
        }
        if (token.isPresent() && !("Bearer " + token.get()).equals(given)) {
            return new Answer(403, "{\"msg\":\"that token is not known\"}");
        }
        String[] parts = path.split("/", -1);
        return switch (path) {
            case "/v1/status" -> status();
            case "/v1/io_engine" ->
                method.equals("PUT")
                        ? setEngine(body)
                        : new Answer(200, "{\"engine\":\"" + engine + "\",\"binding\":\"ffm\"}");
            case "/metrics" -> metrics.map(text -> new Answer(200, text)).orElse(new Answer(404, ""));
            case "/v1/tenant" -> tenants();
            default -> parts.length == 4 ? timelines(parts[3]) : layers(method, parts);
        };
    }

    private Answer status() {
        boolean ready = attaching.getAndUpdate(left -> Math.max(0, left - 1)) == 0;
        return new Answer(
                200,
                "{\"id\":1,\"phase\":\"" + (ready ? "ready" : "attaching") + "\",\"engine\":\"" + engine
                        + "\",\"binding\":\"ffm\"}");
    }

    private Answer setEngine(String body) {
        String name = body.substring(1, body.length() - 1);
        String refused = refusedEngines.get(name);
        if (refused != null) {
            return new Answer(409, "{\"msg\":\"" + refused + "\"}");
        }
        engine = name;
        return new Answer(200, "null");
    }

    private synchronized Answer tenants() {
        return new Answer(
                200,
                residence.keySet().stream()
                        .map(target -> target.substring(0, target.indexOf('/')))
                        .distinct()
                        .map(tenant -> "{\"id\":\"" + tenant + "\",\"state\":{\"slug\":\"Active\"}}")
                        .toList()
                        .toString());
    }

    private synchronized Answer timelines(String tenant) {
        List<String> timelines = new ArrayList<>();
        for (String target : residence.keySet()) {
            if (target.startsWith(tenant + "/")) {
                timelines.add(0, "\"" + target.substring(target.indexOf('/') + 1) + "\"");
            }
        }
        List<String> named = attaching.get() > 0 ? timelines.subList(0, Math.min(1, timelines.size())) : timelines;
        return new Answer(200, "{\"id\":\"" + tenant + "\",\"walredo\":null,\"timelines\":" + named + "}");
    }

    private Answer layers(String method, String... parts) {
        String target = parts[3] + "/" + parts[5];
        synchronized (this) {
            if (!residence.containsKey(target)) {
                return new Answer(404, "{\"msg\":\"there is no timeline " + target + "\"}");
            }
        }
        return parts.length == 7 ? map(target) : layer(target, method, parts[7]);
    }

    private synchronized Answer map(String target) {
        did("maps");
        List<String> layers = new ArrayList<>();
        residence
                .get(target)
                .forEach(
                        (name, resident) -> layers.add(
                                "{\"kind\":\"Image\",\"layer_file_name\":\"" + name
                                        + "\",\"layer_file_size\":" + LAYER_BYTES + ",\"remote\":" + !resident
                                        + ",\"access_stats\":{\"first\":null,\"layer_file_name\":\"x\",\"buffer\":[{\"remote\":true}]}}"));
        int half = layers.size() / 2;
        return new Answer(
                200,
                "{\"in_memory_layers\":[{\"kind\":\"Open\",\"lsn_start\":\"0/1\"}],\"historic_layers\":"
                        + layers.subList(0, half) + ",\"blob_layers\":" + layers.subList(half, layers.size()) + "}");
    }

    private Answer layer(String target, String method, String name) {
        int now = underWay.incrementAndGet();
        synchronized (this) {
            mostUnderWay = Math.max(mostUnderWay, now);
        }
        try {
            Optional<Answer> instead = onLayer.before(this, layerRequests.incrementAndGet());
            return instead.isPresent() ? instead.get() : carryOut(target, method, name);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (Exception e) {
            throw new IllegalStateException(e);
        } finally {
            underWay.decrementAndGet();
        }
    }

    private synchronized Answer carryOut(String target, String method, String name) {
        Map<String, Boolean> map = residence.get(target);
        Boolean resident = map.get(name);
        if (resident == null) {
            return new Answer(404, "{\"msg\":\"there is no layer " + name + "\"}");
        }
        boolean download = method.equals("GET");
        boolean late = resident == download;
        map.put(name, download);
        if (late) {
            did("late");
            return download
                    ? new Answer(200, "{\"downloaded\":false,\"bytes\":" + LAYER_BYTES + "}")
                    : new Answer(304, "");
        }
        did(download ? "downloaded" : "evicted");
        return new Answer(200, download ? "{\"downloaded\":true,\"bytes\":" + LAYER_BYTES + "}" : "");
    }
}
