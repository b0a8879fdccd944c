// SPDX-License-Identifier: Apache-2.0
package dev.millrace.benchmarks;

import dev.millrace.io.EngineKind;
import dev.millrace.testkit.FileTree;
import dev.millrace.transfer.ListedObject;
import dev.millrace.transfer.S3Source;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/**
 * Rounds of downloads in one process, ours or the AWS SDK's: the first is cold (classes are loaded, code is compiled,
 * connections are made) and says so; a line of JSON each. The files of a round are removed after it, outside the window.
 */
@Command(
        name = "download-rounds",
        mixinStandardHelpOptions = true,
        description = "Downloads the same objects again and again in one process; one JSON object a round.")
public final class DownloadRounds implements Callable<Integer> {
    /** Whose code downloads. */
    enum Who {
        /** This project's. */
        MILLRACE,
        /** This project's transformer in the AWS SDK's client. */
        DROP_IN,
        /** The AWS SDK's own toFile. */
        SDK,
        /** Amazon's client in C by itself, which writes the file with direct I/O. */
        CRT_DIRECT
    }

    @Mixin
    private final S3Options s3 = new S3Options();

    @Option(names = "--contender", required = true, description = "${COMPLETION-CANDIDATES}")
    private Who who = Who.MILLRACE;

    @Option(names = "--client", defaultValue = "netty", description = "the SDK's: ${COMPLETION-CANDIDATES}")
    private SdkDownloads.Client client = SdkDownloads.Client.NETTY;

    @Option(names = "--engine", defaultValue = "auto", description = "auto, io_uring, epoll, blocking")
    private String engine = "auto";

    @Option(names = "--binding", description = "ffm, jni, jna")
    private Optional<String> binding = Optional.empty();

    @Option(names = "--buffers", description = "buffers of the pool (as millrace get: 4 a download, 8 to 64)")
    private int buffers;

    @Option(names = "--buffer-kib", defaultValue = "1024", description = "size of each (${DEFAULT-VALUE})")
    private int bufferKib = 1024;

    @Option(names = "--concurrency", defaultValue = "1", description = "downloads at once (${DEFAULT-VALUE})")
    private int concurrency = 1;

    @Option(names = "--rounds", defaultValue = "9", description = "the cold one included (${DEFAULT-VALUE})")
    private int rounds = 9;

    @Option(names = "--bucket", defaultValue = "bench", description = "bucket of the objects (${DEFAULT-VALUE})")
    private String bucket = "";

    @Option(names = "--keys", split = ",", description = "keys, separated by commas; or --prefix")
    private List<String> keys = List.of();

    @Option(names = "--prefix", description = "instead of --keys: as many of the keys below it as --objects says")
    private Optional<String> prefix = Optional.empty();

    @Option(names = "--objects", description = "downloads a round; the keys are repeated (one of each)")
    private int objects;

    @Option(names = "--dir", required = true, description = "folder of the files")
    private Path folder = Path.of("");

    @Option(names = "--authority", description = "certificates that the client in C trusts, in PEM")
    private Optional<Path> authority = Optional.empty();

    @Option(names = "--part-mib", defaultValue = "16", description = "parts of the client in C (${DEFAULT-VALUE})")
    private int partMib = 16;

    @Option(
            names = "--on-request",
            description = "a round for each line of standard input, so that contenders can take turns round by round")
    private boolean onRequest;

    @Option(names = "--profile", description = "a file's name without its ending: where the warm rounds spent the CPU")
    private Optional<Path> profile = Optional.empty();

    @Option(names = "--tag", description = "name=value that each line shall carry")
    private Map<String, String> tags = new LinkedHashMap<>();

    @Override
    public Integer call() throws Exception {
        List<String> names = prefix.isPresent() ? listed(prefix.get()) : keys;
        if (names.isEmpty()) {
            throw new IOException("There is nothing to download: name objects by --keys, or by --prefix and --objects");
        }
        List<Item> items = new ArrayList<>();
        for (int i = 0; i < (objects == 0 ? names.size() : objects); i++) {
            items.add(new Item(bucket, names.get(i % names.size()), "object-" + i));
        }
        int failed = 0;
        try (Contender contender = contender()) {
            if (onRequest) {
                // What was spent until here is the start of the JVM and of the client.
                System.out.println(Figures.json(Map.of("ready", true, "start_cpu_seconds", ProcessCpu.nanos() / 1e9)));
                BufferedReader requests = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
                for (int round = 0; requests.readLine() != null; round++) {
                    failed += round(contender, items, round);
                }
            } else {
                failed += allRounds(contender, items);
            }
        }
        return failed == 0 ? 0 : 1;
    }

    /** The first page of a listing is enough. */
    private List<String> listed(String below) throws IOException {
        try (S3Source source = s3.source()) {
            return source.list(bucket, below, Optional.empty()).objects().stream()
                    .map(ListedObject::key)
                    .limit(objects)
                    .toList();
        }
    }

    private int allRounds(Contender contender, List<Item> items) throws IOException {
        int failed = round(contender, items, 0);
        Optional<CpuProfile> profiling = profile.isPresent() ? Optional.of(CpuProfile.start()) : Optional.empty();
        for (int round = 1; round < rounds; round++) {
            failed += round(contender, items, round);
        }
        if (profiling.isPresent()) {
            profiling.get().stop(profile.get(), profile.get().getFileName().toString());
        }
        return failed;
    }

    private int round(Contender contender, List<Item> items, int round) throws IOException {
        Path target = folder.resolve("round-" + round);
        Files.createDirectories(target);
        Figures figures = contender.run(items, target);
        FileTree.remove(target);
        System.out.println(Figures.json(line(round, figures)));
        return figures.failed();
    }

    private Contender contender() throws IOException {
        MillraceDownloads.Sizes sizes = new MillraceDownloads.Sizes(concurrency, pool(), bufferKib * 1024);
        return switch (who) {
            case SDK -> new SdkDownloads(client, s3, concurrency);
            case CRT_DIRECT -> new CrtDownloads(s3, concurrency, partMib, authority);
            case DROP_IN -> new DropInDownloads(EngineKind.parse(engine), binding, s3, sizes);
            case MILLRACE -> new MillraceDownloads(EngineKind.parse(engine), binding, s3, sizes);
        };
    }

    private int pool() {
        int usual = Math.max(2 * concurrency, Math.max(8, Math.min(4 * concurrency, 64)));
        return buffers == 0 ? usual : buffers;
    }

    private Map<String, Object> line(int round, Figures figures) {
        Map<String, Object> line = new LinkedHashMap<>();
        line.put("program", "download-rounds");
        line.putAll(tags);
        line.put("round", round);
        line.put("cold", round == 0);
        line.put("concurrency", concurrency);
        line.putAll(figures.toMap());
        return line;
    }

    /** Runs; see the class. */
    public static void main(String... args) {
        System.exit(Commands.run(new DownloadRounds(), args));
    }
}
