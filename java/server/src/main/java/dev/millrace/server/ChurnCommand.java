// SPDX-License-Identifier: Apache-2.0
package dev.millrace.server;

import com.fasterxml.jackson.jr.ob.JSON;
import dev.millrace.server.churn.Churn;
import dev.millrace.server.churn.ChurnConfig;
import dev.millrace.server.churn.ChurnFailure;
import dev.millrace.server.churn.ChurnResult;
import dev.millrace.server.churn.ChurnTarget;
import dev.millrace.server.churn.SpawnedServer;
import java.io.IOException;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code millrace bench ondemand-download-churn}. */
@Command(
        name = "ondemand-download-churn",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description =
                "Evicts random layers that are resident and downloads random layers that are not, as fast as the allowed"
                        + " concurrency lets it, through the management API of a server.",
        footer = {
            "",
            "A line a second on standard error, and at the end one JSON object on standard output. Where something goes wrong once"
                    + " the run has begun, the object has what was measured until then, \"partial\": true and the reason.",
            "The server's CPU seconds and memory are process_cpu_seconds_total and process_resident_memory_bytes of its"
                    + " /metrics; null where it has none.",
            "Exit status: 0 a whole run, 1 no run or a partial one (the reason is on standard error), 2 wrong usage, 130 and 143"
                    + " ended by SIGINT and SIGTERM.",
        })
final class ChurnCommand implements Callable<Integer> {
    /** Set by the launcher: the folder of the clone. */
    private static final String HOME_PROPERTY = "millrace.home";

    /** Answers that are under way are waited for so long, and then so long for what was spawned to be gone. */
    private static final long FIRST_MILLIS = 3000;

    private static final long THEN_MILLIS = 1500;
    private static final int MAX_TOKEN_FILE = 64 << 10;
    private static final String LOCAL = "http://127.0.0.1:9898";

    private final Surroundings around;

    @Spec
    private CommandSpec spec;

    @Option(
            names = "--mgmt-api-endpoint",
            paramLabel = "URL",
            description = "The server's management API (default " + LOCAL + ").")
    private Optional<String> endpoint = Optional.empty();

    @Option(
            names = "--token-file",
            paramLabel = "FILE",
            description =
                    "The bearer token: the first word of the first line that is not empty and does not begin with #.")
    private Optional<String> tokenFile = Optional.empty();

    @Option(
            names = "--runtime",
            paramLabel = "TIME",
            defaultValue = "30s",
            description = "How long, as 30s, 5m or 1m 30s (default ${DEFAULT-VALUE}).")
    private String runtime;

    @Option(
            names = "--tasks-per-target",
            paramLabel = "N",
            defaultValue = "1",
            description = "Tasks that fight over the layers of one target (default ${DEFAULT-VALUE}).")
    private int tasks;

    @Option(
            names = "--concurrency-per-target",
            paramLabel = "N",
            defaultValue = "1",
            description = "Requests that one task has under way at most (default ${DEFAULT-VALUE}).")
    private int concurrency;

    @Option(
            names = "--limit-to-first-n-targets",
            paramLabel = "N",
            description = "Only so many targets, the first when sorted; an error if there are fewer.")
    private Optional<Integer> first = Optional.empty();

    @Option(
            names = "--set-io-engine",
            paramLabel = "NAME",
            description = "Sets the server's engine before the run: io_uring, epoll or blocking.")
    private Optional<String> engine = Optional.empty();

    @Option(
            names = "--spawn",
            description =
                    "Starts a server and an embedded S3, each a process of its own on a free port, with a data set made on the"
                            + " spot, and ends them.")
    private boolean spawn;

    @Option(
            names = "--layers",
            paramLabel = "N",
            description = "With --spawn: layers of the data set (default " + SpawnedServer.LAYERS + ").")
    private Optional<Integer> layers = Optional.empty();

    @Option(
            names = "--layer-size",
            paramLabel = "SIZE",
            description = "With --spawn: size of each (default " + SpawnedServer.LAYER_SIZE + ").")
    private Optional<String> layerSize = Optional.empty();

    @Option(
            names = "--spawn-dir",
            paramLabel = "FOLDER",
            description =
                    "With --spawn: where a folder for data, objects and logs is made, which goes at the end (default:"
                            + " the current folder).")
    private Optional<String> spawnFolder = Optional.empty();

    @Option(
            names = "--s3-endpoint",
            paramLabel = "URL",
            description = "With --spawn: a real store instead of the embedded one, by the credentials and region of the"
                    + " environment.")
    private Optional<String> s3Endpoint = Optional.empty();

    @Option(
            names = "--s3-bucket",
            paramLabel = "NAME",
            description = "With --s3-endpoint: the bucket, which must exist (default " + SpawnedServer.BUCKET
                    + "). The data set stays in it.")
    private Optional<String> s3Bucket = Optional.empty();

    @Parameters(
            arity = "0..*",
            paramLabel = "TENANT/TIMELINE",
            description = "The targets (default: all timelines of the server).")
    private List<String> targets = new ArrayList<>();

    ChurnCommand(Surroundings around) {
        this.around = around;
    }

    @Override
    public Integer call() throws Exception {
        Logging.quiet();
        ChurnConfig config = read();
        Ending ending = new Ending();
        // Closed in the other order: a signal gives what was spawned the time to end and be removed.
        try (Interruption interruption =
                Interruption.watch(around.signals(), ending::end, ending::kill, FIRST_MILLIS, THEN_MILLIS)) {
            int status = spawn ? runOnSpawned(config, ending) : run(config, ending);
            interruption.over();
            return status;
        } catch (ChurnFailure e) {
            throw CommandFailure.failed(e.getMessage(), e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw CommandFailure.failed("Interrupted", e);
        }
    }

    // ------------------------------------------------------------------ the command line

    private ChurnConfig read() throws CommandFailure {
        refuse(
                spawn && endpoint.isPresent(),
                "--spawn starts a server, and --mgmt-api-endpoint names one that runs: take one");
        refuse(
                spawn && tokenFile.isPresent(),
                "--token-file is for a server that runs; one that is spawned needs none");
        refuse(spawn && !targets.isEmpty(), "A server that is spawned has one target, and it is taken: name none");
        refuse(!spawn && layers.isPresent(), "--layers needs --spawn");
        refuse(!spawn && layerSize.isPresent(), "--layer-size needs --spawn");
        refuse(!spawn && spawnFolder.isPresent(), "--spawn-dir needs --spawn");
        refuse(!spawn && s3Endpoint.isPresent(), "--s3-endpoint needs --spawn");
        refuse(s3Endpoint.isEmpty() && s3Bucket.isPresent(), "--s3-bucket needs --s3-endpoint");
        refuse(layers.isPresent() && layers.get() < 1, "--layers must be at least 1");
        try {
            return ChurnConfig.of(uri(endpoint.orElse(LOCAL)), HumanTime.parse(runtime))
                    .withLoad(tasks, concurrency)
                    .withTargets(
                            targets.stream().map(ChurnTarget::parse).toList(),
                            first.map(OptionalInt::of).orElse(OptionalInt.empty()))
                    .withEngine(engine)
                    .withToken(token());
        } catch (IllegalArgumentException e) {
            throw new ParameterException(spec.commandLine(), e.getMessage());
        }
    }

    private void refuse(boolean wrong, String sentence) {
        if (wrong) {
            throw new ParameterException(spec.commandLine(), sentence);
        }
    }

    private static URI uri(String text) {
        try {
            return new URI(text.endsWith("/") ? text.substring(0, text.length() - 1) : text);
        } catch (URISyntaxException e) {
            throw new IllegalArgumentException("The endpoint '" + text + "' is no URL: " + e.getReason(), e);
        }
    }

    private Optional<String> token() throws CommandFailure {
        if (tokenFile.isEmpty()) {
            return Optional.empty();
        }
        String name = tokenFile.get();
        try {
            Path file = Path.of(name);
            if (Files.size(file) > MAX_TOKEN_FILE) {
                throw CommandFailure.failed("The token file " + name + " has more than " + MAX_TOKEN_FILE + " bytes");
            }
            Optional<String> token = Files.readString(file, StandardCharsets.UTF_8)
                    .lines()
                    .map(String::strip)
                    .filter(line -> !line.isEmpty() && !line.startsWith("#"))
                    .map(line -> line.split("\\s+", 2)[0])
                    .findFirst();
            if (token.isEmpty() || !token.get().chars().allMatch(c -> c > ' ' && c < 0x7f)) {
                throw CommandFailure.failed("The token file " + name + " has no token: write one on a line, in ASCII");
            }
            return token;
        } catch (IOException | InvalidPathException e) {
            throw CommandFailure.failed("The token file " + name + " cannot be read: " + Sentences.of(e), e);
        }
    }

    private SpawnedServer.Order order() throws CommandFailure {
        String home = System.getProperty(HOME_PROPERTY, "");
        if (home.isEmpty()) {
            throw CommandFailure.failed("--spawn starts bin/millrace of a clone, so start the benchmark by it too");
        }
        try {
            return new SpawnedServer.Order(
                    Path.of(home),
                    Path.of(spawnFolder.orElse("")).toAbsolutePath(),
                    layers.orElse(SpawnedServer.LAYERS),
                    layerSize.orElse(SpawnedServer.LAYER_SIZE),
                    s3Endpoint,
                    s3Bucket.orElse(SpawnedServer.BUCKET));
        } catch (InvalidPathException e) {
            throw CommandFailure.failed(
                    "'" + Sentences.oneLine(spawnFolder.orElse("")) + "' is no path here: " + e.getReason(), e);
        }
    }

    // ------------------------------------------------------------------ carrying it out

    private int runOnSpawned(ChurnConfig config, Ending ending)
            throws CommandFailure, ChurnFailure, InterruptedException {
        try (SpawnedServer server =
                new SpawnedServer(order(), line -> around.err().println("millrace: " + line))) {
            ending.spawned(server);
            int status = run(config.on(server.start()), ending);
            ending.killIfOver();
            return status;
        }
    }

    private int run(ChurnConfig config, Ending ending) throws ChurnFailure, InterruptedException {
        Churn churn = new Churn(config, line -> around.err().println(line));
        ending.begun(churn);
        ChurnResult result = churn.run();
        around.out().println(text(result));
        around.out().flush();
        result.partial()
                .ifPresent(reason ->
                        around.err().println("millrace: " + Sentences.oneLine(reason) + ". The results are partial"));
        return result.partial().isEmpty() ? 0 : CommandFailure.FAILED;
    }

    private static String text(ChurnResult result) {
        try {
            return JSON.std.with(JSON.Feature.WRITE_NULL_PROPERTIES).asString(result.json());
        } catch (IOException e) {
            throw new IllegalStateException("a map of numbers and texts cannot be written as JSON", e);
        }
    }

    /** What a signal ends: the run where it has begun, else what is being spawned for it. Thread-safe. */
    private static final class Ending {
        private Optional<SpawnedServer> server = Optional.empty();
        private Optional<Churn> churn = Optional.empty();
        private boolean over;

        synchronized void spawned(SpawnedServer spawned) {
            server = Optional.of(spawned);
            killIfOver();
        }

        synchronized void begun(Churn begun) {
            churn = Optional.of(begun);
            if (over) {
                begun.end("Interrupted");
            }
        }

        synchronized void end() {
            over = true;
            churn.ifPresentOrElse(begun -> begun.end("Interrupted"), this::kill);
        }

        synchronized void killIfOver() {
            if (over) {
                kill();
            }
        }

        synchronized void kill() {
            server.ifPresent(SpawnedServer::kill);
        }
    }
}
