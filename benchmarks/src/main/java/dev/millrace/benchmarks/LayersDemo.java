// SPDX-License-Identifier: Apache-2.0
package dev.millrace.benchmarks;

import com.fasterxml.jackson.jr.ob.JSON;
import dev.millrace.io.EngineKind;
import dev.millrace.io.IoEngine;
import dev.millrace.io.IoEngineConfig;
import dev.millrace.layers.LayerKey;
import dev.millrace.layers.Lsn;
import dev.millrace.layers.ReadContext;
import dev.millrace.layers.TaskKind;
import dev.millrace.layers.TenantId;
import dev.millrace.layers.TimelineId;
import dev.millrace.layers.format.GeneratedData;
import dev.millrace.layers.format.GeneratedTimeline;
import dev.millrace.layers.format.LayerRecord;
import dev.millrace.layers.format.Reconstructed;
import dev.millrace.layers.store.EvictionReason;
import dev.millrace.layers.store.LayerStore;
import dev.millrace.layers.store.LayerStoreConfig;
import dev.millrace.layers.store.StoreMetrics;
import dev.millrace.layers.store.Timeline;
import dev.millrace.server.http.EngineControl;
import dev.millrace.server.http.LaunchTime;
import dev.millrace.server.http.ManagementServer;
import dev.millrace.server.http.ServerIdentity;
import dev.millrace.server.http.StoreService;
import dev.millrace.transfer.S3Source;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.stream.Collectors;

/**
 * The demo's second part. Layers are generated into the S3 server and served by a store embedded in this process: nothing is
 * resident at first, and there is room for half of them. Random keys are read at random versions, each value is checked
 * against the generator, and the management API is asked whom it was that all came for. Then engines take turns in the churn
 * benchmark.
 */
final class LayersDemo {
    /** What its parts need on disk at most: the churn's layers twice, with the store and resident. */
    static final long DISK_BYTES = 2L * LayersDemo.CHURN_LAYERS * (10 << 20);

    private static final int LAYERS = 200;
    private static final long LAYER_BYTES = 512 << 10;
    private static final int READS = 10_000;
    private static final int READERS = 16;
    private static final long SEED = 42;
    private static final int CHURN_LAYERS = 40;
    private static final TenantId TENANT = new TenantId("de300000000000000000000000000001");
    private static final TimelineId TIMELINE = new TimelineId("de300000000000000000000000000002");
    private static final String PREFIX = "layers/";
    private static final Duration PATIENCE = Duration.ofSeconds(30);
    /** Wrong values that are named. */
    private static final int SHOWN = 3;

    private final Children children;
    private final Path work;
    private final Path millrace;
    private final EmbeddedStore server;
    private final String bucket;
    private final GeneratedTimeline content =
            new GeneratedTimeline(SEED, GeneratedTimeline.Kind.MIXED, LAYERS, LAYER_BYTES);

    /** A key, by its number, at a version. */
    private record Read(long key, Lsn lsn) {}

    /** Works in a folder, with processes that end with the others of the run. */
    LayersDemo(Children children, Path work, Path millrace, EmbeddedStore server, String bucket) {
        this.children = children;
        this.work = work;
        this.millrace = millrace;
        this.server = server;
        this.bucket = bucket;
    }

    /** All of it on standard output; false where something was not as it must be. */
    boolean run(List<EngineKind> engines) throws IOException, InterruptedException {
        generate();
        boolean held = readAll();
        System.out.println();
        return churn(engines) && held;
    }

    private void generate() throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of(millrace.toString(), "generate"));
        command.addAll(List.of("--remote", "s3://" + bucket + "/" + PREFIX, "--kind", "mixed"));
        command.addAll(List.of("--tenant", TENANT.toString(), "--timeline", TIMELINE.toString()));
        command.addAll(List.of("--layers", Integer.toString(LAYERS), "--layer-size", Long.toString(LAYER_BYTES)));
        command.addAll(List.of(
                "--seed",
                Long.toString(SEED),
                "--temp-dir",
                work.resolve("generated").toString()));
        command.addAll(server.options());
        Children.Result result = children.run("generate", command, server.environment(work));
        if (result.status() != 0) {
            throw new IOException("millrace generate failed: " + result.complaint());
        }
        System.out.printf("Layers:     %s%n", result.lastLine().orElse("?"));
    }

    // ------------------------------------------------------------------ reading

    private boolean readAll() throws IOException, InterruptedException {
        long room = LAYERS * LAYER_BYTES / 2;
        try (IoEngine engine = IoEngine.open(IoEngineConfig.defaults());
                S3Source source = S3Source.builder()
                        .endpoint(server.endpoint())
                        .region(server.region())
                        .pathStyle(true)
                        .credentials(server.credentials())
                        .maxConnections(READERS)
                        .build();
                LayerStore store = LayerStore.open(
                        engine,
                        work.resolve("resident"),
                        new LayerStore.Remote(source, Optional.empty(), bucket, PREFIX),
                        LayerStoreConfig.defaults().withBounds(room, 100, 0));
                StoreService service = new StoreService(store, work.resolve("resident"));
                ManagementServer api = ManagementServer.open(
                        new ManagementServer.Config(
                                "127.0.0.1",
                                0,
                                Optional.empty(),
                                false,
                                LaunchTime.now(),
                                new ServerIdentity(1, "demo")),
                        service,
                        EngineControl.of(engine),
                        ManagementServer.figures(engine, store))) {
            Parallel.await(service.attachAll());
            Timeline timeline = store.timeline(TENANT, TIMELINE);
            StoreMetrics before = store.metrics();
            System.out.printf(
                    Locale.ROOT,
                    "Served:     %d layers through %s, %d of them resident, room for %d MiB; http://127.0.0.1:%d%n",
                    timeline.layers().size(),
                    engine.kind().label(),
                    before.residentLayers(),
                    room >> 20,
                    api.port());
            long start = System.nanoTime();
            List<String> wrong = read(timeline);
            double seconds = (System.nanoTime() - start) / 1e9;
            StoreMetrics after = store.metrics();
            wrong.stream().limit(SHOWN).forEach(line -> System.out.println("WRONG:      " + line));
            tell(after, wrong.size(), seconds);
            showBusiest(api.port());
            return wrong.isEmpty()
                    && before.residentLayers() == 0
                    && timeline.layers().size() == LAYERS
                    && after.residentBytes() <= room;
        }
    }

    private static void tell(StoreMetrics after, int wrong, double seconds) {
        System.out.printf(
                Locale.ROOT,
                "Read:       %d random keys at random versions by %d threads in %.1f s, %d of %d as generated%n",
                READS,
                READERS,
                seconds,
                READS - wrong,
                READS);
        System.out.printf(
                Locale.ROOT,
                "            %d layers, %d MiB came down, since they were read; %d layers, %d MiB went, %d for room; "
                        + "%d layers, %d MiB are resident%n",
                after.downloadsCompleted(),
                after.downloadedBytes() >> 20,
                after.evictionsCompleted(),
                after.evictedBytes() >> 20,
                after.evictions().getOrDefault(EvictionReason.DOWNLOAD_NEEDS_ROOM, 0L)
                        + after.evictions().getOrDefault(EvictionReason.BOUND_PASSED, 0L),
                after.residentLayers(),
                after.residentBytes() >> 20);
    }

    private List<String> read(Timeline timeline) throws IOException, InterruptedException {
        SplittableRandom random = new SplittableRandom(SEED);
        List<Read> reads = new ArrayList<>();
        for (int i = 0; i < READS; i++) {
            reads.add(new Read(
                    random.nextLong(content.keys()),
                    new Lsn(random.nextLong(1, content.lsn().value() + 1))));
        }
        return Parallel.run(READERS, reads, read -> defect(timeline, read.key, read.lsn)).stream()
                .flatMap(Optional::stream)
                .toList();
    }

    /** What is wrong with what a read of a key at a version yields. */
    private Optional<String> defect(Timeline timeline, long number, Lsn lsn) throws IOException {
        LayerKey key = GeneratedData.key(number);
        Reconstructed found = timeline.reads().get(key, lsn, ReadContext.of(TaskKind.PAGE_REQUEST_HANDLER));
        List<LayerRecord> records = new ArrayList<>(found.records());
        found.image().ifPresent(records::add);
        List<Lsn> versions = records.stream().map(LayerRecord::lsn).toList();
        List<Lsn> wanted = content.versions(number, lsn);
        if (!versions.equals(wanted)) {
            return Optional.of("key " + key + " at " + lsn + " yields " + versions + " and not " + wanted);
        }
        return records.stream()
                .flatMap(record -> content.data().defect(key, record.lsn(), record.value()).stream())
                .findFirst();
    }

    // ------------------------------------------------------------------ statistics

    private static void showBusiest(int port) throws IOException, InterruptedException {
        URI uri = URI.create("http://127.0.0.1:" + port + "/v1/tenant/" + TENANT + "/timeline/" + TIMELINE + "/layer");
        HttpResponse<String> response = HttpClient.newHttpClient()
                .send(HttpRequest.newBuilder(uri).timeout(PATIENCE).build(), HttpResponse.BodyHandlers.ofString());
        if (response.statusCode() != 200) {
            throw new IOException("GET " + uri + " was answered " + response.statusCode() + ": " + response.body());
        }
        List<?> layers = list(JSON.std.mapFrom(response.body()).get("historic_layers"));
        Map<?, ?> busiest = layers.stream()
                .map(LayersDemo::map)
                .max(Comparator.comparingLong(LayersDemo::accesses))
                .orElseThrow(() -> new IOException("GET " + uri + " names no layer"));
        System.out.printf(
                "Busiest:    %s, of %d layers that GET %s lists:%n",
                busiest.get("layer_file_name"), layers.size(), uri.getPath());
        System.out.println(JSON.std.with(JSON.Feature.PRETTY_PRINT_OUTPUT).asString(busiest.get("access_stats")));
    }

    private static long accesses(Map<?, ?> layer) {
        return map(map(layer.get("access_stats")).get("access_count_by_access_kind")).values().stream()
                .mapToLong(count -> ((Number) count).longValue())
                .sum();
    }

    private static Map<?, ?> map(Object json) {
        return (Map<?, ?>) json;
    }

    private static List<?> list(Object json) {
        return (List<?>) json;
    }

    // ------------------------------------------------------------------ churn

    private boolean churn(List<EngineKind> engines) throws IOException, InterruptedException {
        Path home = millrace.toAbsolutePath().getParent().getParent();
        List<String> arguments = new ArrayList<>(List.of("--home", home.toString(), "--dir", work.toString()));
        arguments.addAll(List.of("--lines", work.resolve("churn.jsonl").toString()));
        arguments.addAll(
                List.of("--engines", engines.stream().map(EngineKind::label).collect(Collectors.joining(","))));
        arguments.addAll(List.of("--layers", Integer.toString(CHURN_LAYERS), "--warm-up", "2s", "--bare-objects", "0"));
        arguments.addAll(List.of("--concurrency", "10", "--runtime", "10s"));
        System.out.printf(
                "Churn:      %d layers of 10 MiB on a server of their own, evicted when resident and downloaded when not, "
                        + "10 at once, 10 s by each engine%n%n",
                CHURN_LAYERS);
        Children.Result result = children.run("churn", Children.java(BenchChurn.class, arguments), Map.of());
        // Its table; of its goals `make bench-churn` is the judge, whose windows are longer.
        result.output().stream()
                .filter(line -> line.startsWith("|") || line.startsWith("Not in the table"))
                .forEach(System.out::println);
        if (result.status() != 0) {
            System.out.println("FAILED: churn ended with exit status " + result.status() + ": " + result.complaint());
        }
        return result.status() == 0;
    }
}
