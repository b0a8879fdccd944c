// SPDX-License-Identifier: Apache-2.0
package dev.millrace.server.churn;

import dev.millrace.server.HumanTime;
import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.stream.Stream;

/**
 * A server of this project and a store, each a process of its own on a free port of 127.0.0.1, with a data set made on the spot.
 * What they write lies in one folder, which goes at the end. The embedded store is no part of this jar: it is that of the test
 * kit, which lies beside the benchmarks of a clone that is built.
 */
public final class SpawnedServer implements AutoCloseable {
    /** Layers of the standard data set. */
    public static final int LAYERS = 300;
    /** Size of each. */
    public static final String LAYER_SIZE = "10MiB";
    /** The bucket. */
    public static final String BUCKET = "millrace-churn";

    private static final String TENANT = "c0ffee00000000000000000000000001";
    private static final String TIMELINE = "c0ffee00000000000000000000000002";
    /** The same data in each run. */
    private static final String SEED = "1";

    private static final String STORE = "s3";
    /** What {@code millrace serve} says, and the address behind it. */
    private static final String LISTENING = "millrace: listening on ";

    private static final String READY = "millrace: ready, ";

    private static final Duration START = Duration.ofSeconds(60);
    private static final Duration GENERATE = Duration.ofHours(1);
    private static final Duration END = Duration.ofSeconds(10);
    private static final long PAUSE_MILLIS = 50;
    private static final String INTERRUPTED = "Interrupted";

    private final Order order;
    private final Consumer<String> say;
    /** Ended in the other order. */
    private final Deque<Process> running = new ArrayDeque<>();

    private Optional<Path> folder = Optional.empty();
    private volatile Optional<Store> used = Optional.empty();
    private boolean killed;

    /**
     * What is spawned.
     *
     * @param home the folder of a clone that is built
     * @param parent where the folder for data, objects and logs is made
     * @param layers of the data set
     * @param layerSize of each, as {@code generate} understands it
     * @param s3Endpoint a store that runs; empty: an embedded one
     * @param bucket in it
     */
    public record Order(
            Path home, Path parent, int layers, String layerSize, Optional<String> s3Endpoint, String bucket) {}

    private record Store(String endpoint, Map<String, String> environment) {}

    /**
     * The data set in its store.
     *
     * @param endpoint the store's address
     * @param bucket in it
     * @param prefix of all keys
     * @param environment of a process that is to be let in
     */
    public record Objects(String endpoint, String bucket, String prefix, Map<String, String> environment) {
        /** Copies. */
        public Objects {
            environment = Map.copyOf(environment);
        }
    }

    /** Starts nothing yet. */
    public SpawnedServer(Order order, Consumer<String> say) {
        this.order = order;
        this.say = say;
    }

    /**
     * Starts the store, makes the data set and starts the server: the address of its management API, once it answers.
     *
     * @throws ChurnFailure with the last words of the process that failed; what was started is ended by {@link #close}
     */
    public URI start() throws ChurnFailure, InterruptedException {
        Path made = makeFolder();
        Store store = store(made);
        used = Optional.of(store);
        String remote = "s3://" + order.bucket + "/" + prefix();
        say.accept(
                "making " + order.layers + " layers of " + order.layerSize + " in " + remote + " at " + store.endpoint);
        generate(made, store, remote);
        Process server = start(
                "serve",
                millrace(
                        "serve",
                        "--data",
                        made.resolve("data").toString(),
                        "--remote",
                        remote,
                        "--endpoint-url",
                        store.endpoint,
                        "--path-style",
                        "--listen",
                        "127.0.0.1:0"),
                store.environment);
        URI endpoint = URI.create(awaitLine(made, "serve", server, LISTENING).substring(LISTENING.length()));
        awaitLine(made, "serve", server, READY);
        say.accept("the server is ready at " + endpoint);
        return endpoint;
    }

    /** Named for what is in it, so that a second run on the same store makes nothing else of it. */
    private String prefix() {
        return "ondemand-download-churn/" + order.layers + "x" + order.layerSize;
    }

    /** The data set; only after {@link #start}. */
    public Objects objects() {
        Store store = used.orElseThrow();
        return new Objects(store.endpoint, order.bucket, prefix() + "/", store.environment);
    }

    private synchronized Path makeFolder() throws ChurnFailure {
        try {
            Path made = Files.createTempDirectory(Files.createDirectories(order.parent), "millrace-churn-");
            folder = Optional.of(made);
            return made;
        } catch (IOException e) {
            throw new ChurnFailure("A folder for the spawned server cannot be made in " + order.parent + ": " + e, e);
        }
    }

    // ------------------------------------------------------------------ the store

    private Store store(Path made) throws ChurnFailure, InterruptedException {
        if (order.s3Endpoint.isPresent()) {
            return new Store(order.s3Endpoint.get(), System.getenv());
        }
        Path jar = order.home.resolve("benchmarks/target/millrace-benchmarks.jar");
        if (!Files.isReadable(jar)) {
            throw new ChurnFailure("The embedded S3 lies in " + jar
                    + ", which is not built: run make first, or name a store by --s3-endpoint");
        }
        Process process = start(
                STORE,
                List.of(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-Xmx512m",
                        "-cp",
                        jar.toString(),
                        "dev.millrace.testkit.EmbeddedS3Main",
                        "--bucket",
                        order.bucket,
                        made.resolve("objects").toString()),
                withoutCloud());
        Map<String, String> fields = new HashMap<>();
        for (String field : awaitLine(made, STORE, process, "endpoint=").split(" ", -1)) {
            int equals = field.indexOf('=');
            if (equals > 0) {
                fields.put(field.substring(0, equals), field.substring(equals + 1));
            }
        }
        Map<String, String> environment = withoutCloud();
        environment.put("AWS_ACCESS_KEY_ID", fields.getOrDefault("access_key", ""));
        environment.put("AWS_SECRET_ACCESS_KEY", fields.getOrDefault("secret_key", ""));
        environment.put("AWS_REGION", fields.getOrDefault("region", ""));
        environment.put("AWS_EC2_METADATA_DISABLED", "true");
        return new Store(fields.getOrDefault("endpoint", ""), environment);
    }

    /** Nothing of the user's settings for the cloud. */
    private static Map<String, String> withoutCloud() {
        Map<String, String> environment = new HashMap<>(System.getenv());
        environment.keySet().removeIf(name -> name.startsWith("AWS_"));
        return environment;
    }

    // ------------------------------------------------------------------ data and server

    private void generate(Path made, Store store, String remote) throws ChurnFailure, InterruptedException {
        Process process = start(
                "generate",
                millrace(
                        "generate",
                        "--remote",
                        remote,
                        "--endpoint-url",
                        store.endpoint,
                        "--path-style",
                        "--tenant",
                        TENANT,
                        "--timeline",
                        TIMELINE,
                        "--layers",
                        Integer.toString(order.layers),
                        "--layer-size",
                        order.layerSize,
                        "--seed",
                        SEED,
                        "--temp-dir",
                        made.resolve("made").toString()),
                store.environment);
        if (!process.waitFor(GENERATE.toMillis(), TimeUnit.MILLISECONDS)) {
            throw new ChurnFailure("The data set was not made within " + HumanTime.text(GENERATE));
        }
        if (isKilled()) {
            throw new ChurnFailure(INTERRUPTED);
        }
        if (process.exitValue() != 0) {
            throw new ChurnFailure("The data set could not be made: " + lastWords(made, "generate"));
        }
    }

    private List<String> millrace(String... arguments) {
        List<String> command = new ArrayList<>();
        command.add(order.home.resolve("bin/millrace").toString());
        command.addAll(List.of(arguments));
        return command;
    }

    // ------------------------------------------------------------------ processes

    private synchronized Process start(String name, List<String> command, Map<String, String> environment)
            throws ChurnFailure {
        if (killed) {
            throw new ChurnFailure(INTERRUPTED);
        }
        Path made = folder.orElseThrow();
        ProcessBuilder builder = new ProcessBuilder(command);
        builder.environment().clear();
        builder.environment().putAll(environment);
        builder.redirectError(made.resolve(name + ".err").toFile());
        builder.redirectOutput(made.resolve(name + ".out").toFile());
        try {
            Process process = builder.start();
            running.addFirst(process); // before anything can fail, so that it is ended whatever comes
            if (!name.equals(STORE)) { // which ends when its input does, so that it never outlives this process
                process.getOutputStream().close();
            }
            return process;
        } catch (IOException e) {
            throw new ChurnFailure(command.get(0) + " cannot be started: " + e.getMessage(), e);
        }
    }

    /** Waits for the first line of a process that begins so. */
    private String awaitLine(Path made, String name, Process process, String prefix)
            throws ChurnFailure, InterruptedException {
        Path out = made.resolve(name + ".out");
        long end = System.nanoTime() + START.toNanos();
        boolean alive = process.isAlive(); // asked before what it said is read: its last words are then among it
        while (true) {
            Optional<String> line = firstLine(out, prefix);
            if (line.isPresent()) {
                return line.get();
            }
            if (isKilled()) {
                throw new ChurnFailure(INTERRUPTED);
            }
            if (!alive) {
                throw new ChurnFailure(what(name) + " did not start: " + lastWords(made, name));
            }
            if (System.nanoTime() - end > 0) {
                throw new ChurnFailure(what(name) + " is not ready after " + HumanTime.text(START));
            }
            alive = !process.waitFor(PAUSE_MILLIS, TimeUnit.MILLISECONDS);
        }
    }

    private static String what(String name) {
        return name.equals(STORE) ? "The embedded S3" : "The server";
    }

    /** Only lines that are there to their end. */
    private static Optional<String> firstLine(Path out, String prefix) throws ChurnFailure {
        try {
            String said = Files.readString(out, StandardCharsets.UTF_8);
            return said.substring(0, said.lastIndexOf('\n') + 1)
                    .lines()
                    .filter(line -> line.startsWith(prefix))
                    .findFirst();
        } catch (IOException e) {
            throw new ChurnFailure("What the spawned processes say cannot be read: " + e, e);
        }
    }

    /** The last line that is not part of a stack trace. */
    private static String lastWords(Path made, String name) {
        try (Stream<String> lines = Files.lines(made.resolve(name + ".err"), StandardCharsets.UTF_8)) {
            return lines.filter(line -> !line.isBlank() && !Character.isWhitespace(line.charAt(0)))
                    .reduce((earlier, later) -> later)
                    .orElse("it said nothing on standard error");
        } catch (IOException | RuntimeException e) {
            return "its standard error cannot be read";
        }
    }

    private synchronized boolean isKilled() {
        return killed;
    }

    /** Ends all at once, not gracefully; any thread may call it, and what is being started fails. */
    public synchronized void kill() {
        killed = true;
        running.forEach(Process::destroyForcibly);
    }

    /** Ends server and store, waits until they are gone, and removes what they wrote. May be called again. */
    @Override
    public void close() {
        boolean interrupted = false;
        List<Process> processes;
        synchronized (this) {
            killed = true;
            processes = List.copyOf(running);
            running.clear();
        }
        for (Process process : processes) {
            interrupted |= end(process);
        }
        Optional<Path> made;
        synchronized (this) {
            made = folder;
            folder = Optional.empty();
        }
        made.ifPresent(this::remove);
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    /** Returns whether this thread was interrupted meanwhile. */
    private static boolean end(Process process) {
        process.destroy();
        try {
            if (!process.waitFor(END.toMillis(), TimeUnit.MILLISECONDS)) {
                process.destroyForcibly().waitFor(END.toMillis(), TimeUnit.MILLISECONDS);
            }
            return false;
        } catch (InterruptedException e) {
            process.destroyForcibly();
            return true;
        }
    }

    private void remove(Path made) {
        try (Stream<Path> all = Files.walk(made)) {
            for (Path path : all.sorted(Comparator.reverseOrder()).toList()) {
                Files.deleteIfExists(path);
            }
        } catch (IOException e) {
            say.accept("what the spawned server wrote cannot be removed: " + e);
        }
    }
}
