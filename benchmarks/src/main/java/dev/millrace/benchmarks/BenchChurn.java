// SPDX-License-Identifier: Apache-2.0
package dev.millrace.benchmarks;

import com.fasterxml.jackson.jr.ob.JSON;
import dev.millrace.server.churn.ChurnFailure;
import dev.millrace.server.churn.SpawnedServer;
import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/**
 * The churn benchmark on each engine and at each concurrency: one server and one store for all, whose engine is set before each
 * run, so that all meet the same warm JVM, objects and disk; the benchmark is a process of its own each time, so that its CPU is
 * its own. Beside each run the download path alone fetches the same objects. The order of engines is reversed from round to round.
 */
@Command(
        name = "bench-churn",
        mixinStandardHelpOptions = true,
        description = "Engines and concurrencies of the churn benchmark in turns on one spawned server.")
public final class BenchChurn implements Callable<Integer> {
    private static final int WARM_UP_CONCURRENCY = 10;

    @Option(names = "--home", required = true, description = "the clone, built")
    private Path home = Path.of("");

    @Option(names = "--dir", required = true, description = "where data and objects go")
    private Path folder = Path.of("");

    @Option(names = "--lines", required = true, description = "the file that gets a line of JSON a run")
    private Path lines = Path.of("");

    @Option(names = "--engines", split = ",", defaultValue = "io_uring,epoll,blocking")
    private List<String> engines = List.of();

    @Option(names = "--concurrency", split = ",", defaultValue = "1,10,100")
    private List<Integer> concurrencies = List.of();

    @Option(names = "--rounds", defaultValue = "1")
    private int rounds = 1;

    @Option(names = "--runtime", defaultValue = "30s")
    private String runtime = "30s";

    @Option(
            names = "--warm-up",
            defaultValue = "5s",
            description = "each engine runs so long before, which is in no table")
    private String warmUp = "5s";

    @Option(names = "--layers", defaultValue = "" + SpawnedServer.LAYERS)
    private int layers = SpawnedServer.LAYERS;

    @Option(names = "--layer-size", defaultValue = SpawnedServer.LAYER_SIZE)
    private String layerSize = SpawnedServer.LAYER_SIZE;

    @Option(
            names = "--bare-objects",
            defaultValue = "100",
            description = "beside each run so many of the layers by the download path alone (${DEFAULT-VALUE}); 0: not")
    private int bareObjects = 100;

    @Option(names = "--s3-endpoint", description = "a real store instead of the embedded one")
    private Optional<String> s3Endpoint = Optional.empty();

    @Override
    public Integer call() throws ChurnFailure, IOException, InterruptedException {
        SpawnedServer.Order order =
                new SpawnedServer.Order(home, folder, layers, layerSize, s3Endpoint, SpawnedServer.BUCKET);
        Children children = new Children(folder);
        int failed = 0;
        try (SpawnedServer server = new SpawnedServer(order, BenchChurn::say)) {
            Runtime.getRuntime()
                    .addShutdownHook(new Thread(
                            () -> {
                                server.kill();
                                children.endAll();
                            },
                            "bench-churn-end"));
            URI endpoint = server.start();
            for (String engine : engines) {
                run(endpoint, engine, WARM_UP_CONCURRENCY, warmUp, Map.of("warm_up", true));
            }
            for (int round = 1; round <= rounds; round++) {
                List<String> turn = new ArrayList<>(engines);
                if (round % 2 == 0) {
                    Collections.reverse(turn);
                }
                for (int concurrency : concurrencies) {
                    for (String engine : turn) {
                        failed += run(endpoint, engine, concurrency, runtime, Map.of("round", round)) ? 0 : 1;
                        if (bareObjects > 0) {
                            failed += bare(children, server.objects(), engine, concurrency, round) ? 0 : 1;
                        }
                    }
                }
            }
        }
        System.out.print(ChurnTable.of(Files.readAllLines(lines)));
        return failed == 0 ? 0 : 1;
    }

    /** A run, and its line; false where it was no whole one. */
    private boolean run(URI endpoint, String engine, int concurrency, String time, Map<String, Object> facts)
            throws IOException, InterruptedException {
        say(engine + ", " + concurrency + " at once, " + time + " " + facts);
        Process process = new ProcessBuilder(
                        home.resolve("bin/millrace").toString(),
                        "bench",
                        "ondemand-download-churn",
                        "--mgmt-api-endpoint",
                        endpoint.toString(),
                        "--runtime",
                        time,
                        "--concurrency-per-target",
                        Integer.toString(concurrency),
                        "--set-io-engine",
                        engine)
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        process.getOutputStream().close();
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
        int status = process.waitFor();
        Map<String, Object> line = new LinkedHashMap<>(facts);
        line.put("asked_engine", engine);
        line.put("concurrency", concurrency);
        if (said.isEmpty()) {
            line.put("error", "exit status " + status + ", see its words on standard error");
        } else {
            line.putAll(JSON.std.mapFrom(said));
        }
        write(line);
        return status == 0;
    }

    /** The same objects by the download path alone, warm and in a process of its own: what the churn can be at most. */
    private boolean bare(Children children, SpawnedServer.Objects objects, String engine, int concurrency, int round)
            throws IOException, InterruptedException {
        List<String> arguments = new ArrayList<>(List.of("--contender", "millrace", "--engine", engine));
        arguments.addAll(List.of("--endpoint-url", objects.endpoint(), "--path-style"));
        Optional.ofNullable(objects.environment().get("AWS_REGION"))
                .ifPresent(region -> arguments.addAll(List.of("--region", region)));
        arguments.addAll(List.of("--bucket", objects.bucket(), "--prefix", objects.prefix()));
        arguments.addAll(List.of("--objects", Integer.toString(Math.min(layers, bareObjects))));
        arguments.addAll(List.of("--concurrency", Integer.toString(concurrency), "--rounds", "3"));
        arguments.addAll(List.of("--dir", folder.resolve("bare").toString()));
        Children.Result result =
                children.run("bare", Children.java(DownloadRounds.class, arguments), objects.environment());
        Map<String, Object> line = new LinkedHashMap<>(Map.of("bare", true, "round", round));
        line.put("asked_engine", engine);
        line.put("concurrency", concurrency);
        boolean whole = result.status() == 0 && result.lastLine().isPresent();
        if (whole) {
            Map<String, Object> last = JSON.std.mapFrom(result.lastLine().get());
            line.put("mib_per_s", ((Number) last.get("mb_per_s")).doubleValue() * 1e6 / (1 << 20));
            line.put("cpu_seconds_per_gib", last.get("cpu_seconds_per_gib"));
            line.put("engine", last.get("engine"));
            line.put("binding", last.get("binding"));
        } else {
            line.put("error", "exit status " + result.status() + ": " + result.complaint());
        }
        write(line);
        return whole;
    }

    private void write(Map<String, Object> line) throws IOException {
        String text = JSON.std.with(JSON.Feature.WRITE_NULL_PROPERTIES).asString(line);
        Files.writeString(lines, text + "\n", StandardOpenOption.CREATE, StandardOpenOption.APPEND);
        say(text);
    }

    private static void say(String line) {
        System.err.println("bench-churn: " + line);
    }

    /** Runs; see the class. */
    public static void main(String... args) {
        System.exit(Commands.run(new BenchChurn(), args));
    }
}
