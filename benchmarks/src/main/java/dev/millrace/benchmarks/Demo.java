// SPDX-License-Identifier: Apache-2.0
package dev.millrace.benchmarks;

import com.fasterxml.jackson.jr.ob.JSON;
import dev.millrace.io.EngineKind;
import dev.millrace.io.EngineUnavailableException;
import dev.millrace.io.IoEngine;
import dev.millrace.io.IoEngineConfig;
import dev.millrace.testkit.EmbeddedS3Main;
import dev.millrace.testkit.FileTree;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import software.amazon.awssdk.core.sync.RequestBody;
import software.amazon.awssdk.core.sync.ResponseTransformer;
import software.amazon.awssdk.services.s3.S3Client;

/**
 * What {@code make demo} shows: real files come out of a real S3 API, through each engine, onto disk, equal to their
 * originals; and beside it the AWS SDK's own {@code toFile} on the same objects in the same run; then layers that come
 * when they are read ({@link LayersDemo}). The server and each contender are processes of their own, so that nobody's CPU time is another's. All that is written lies in one folder,
 * which goes at the end, however the run ends.
 */
@Command(
        name = "demo",
        mixinStandardHelpOptions = true,
        description =
                "Downloads real files from an embedded S3 server by each engine and by the AWS SDK, compares them with "
                        + "their originals and prints one table; then reads layers that come when they are read.")
public final class Demo implements Callable<Integer> {
    private static final String BUCKET = "demo";
    private static final long MIB = 1 << 20;
    /** Differences that are named; the others are counted. */
    private static final int SHOWN = 3;
    /** What a shell says of a command that Ctrl-C ended. */
    private static final int INTERRUPTED = 130;

    private static final int PROCESSORS = Math.max(2, Runtime.getRuntime().availableProcessors());

    private volatile boolean ending;

    @Option(names = "--millrace", required = true, description = "the command line, bin/millrace")
    private Path millrace = Path.of("");

    @Option(names = "--dir", required = true, description = "where the folder of the run is made")
    private Path parent = Path.of("");

    @Option(names = "--repository", description = "the local Maven repository (~/.m2/repository)")
    private Path repository = Path.of(System.getProperty("user.home"), ".m2", "repository");

    @Option(names = "--mib", defaultValue = "512", description = "how much at least (${DEFAULT-VALUE})")
    private long mib = 512;

    @Option(names = "--objects", defaultValue = "20", description = "how many objects at least (${DEFAULT-VALUE})")
    private int leastObjects = 20;

    @Option(names = "--concurrency", defaultValue = "8", description = "downloads at once (${DEFAULT-VALUE})")
    private int concurrency = 8;

    /** An object on the server, and what its file must be. */
    private record Stored(RealFiles.Sample sample, Item item, String sha256) {}

    @Override
    public Integer call() throws Exception {
        if (!Files.isExecutable(millrace)) {
            throw new IOException("There is no command " + millrace + ": build it with make.");
        }
        WorkFolder work = WorkFolder.create(parent, "demo-");
        Children children = new Children(work.path());
        Runtime.getRuntime().addShutdownHook(new Thread(() -> cleanUp(children, work), "demo-clean-up"));
        try {
            return run(children, work.path());
        } catch (IOException | RuntimeException e) {
            if (ending) {
                return INTERRUPTED;
            }
            throw e;
        }
    }

    /** Also when the run is interrupted: what then fails is no news. */
    private void cleanUp(Children children, WorkFolder work) {
        ending = true;
        children.endAll();
        try {
            work.remove();
        } catch (IOException e) {
            System.err.println("demo: " + work.path() + " could not be removed: " + Commands.sentence(e));
        }
    }

    private int run(Children children, Path work) throws Exception {
        List<RealFiles.Sample> samples =
                RealFiles.collect(Path.of(System.getProperty("java.home")), repository, mib * MIB, leastObjects);
        long bytes = samples.stream().mapToLong(RealFiles.Sample::size).sum();
        checkSpace(work, bytes);
        System.out.printf(
                Locale.ROOT,
                "Real files: %d objects, %d MiB, from %s and %s%n",
                samples.size(),
                bytes / MIB,
                System.getProperty("java.home"),
                repository);

        List<EngineKind> engines = new ArrayList<>();
        List<String> skipped = new ArrayList<>();
        for (EngineKind kind : EngineKind.values()) {
            missing(kind)
                    .ifPresentOrElse(
                            why -> skipped.add(kind.label() + " was left out: " + why), () -> engines.add(kind));
        }
        Path store = work.resolve("server");
        EmbeddedStore server = EmbeddedStore.parse(children.serve(
                "server", Children.java(EmbeddedS3Main.class, List.of("--bucket", BUCKET, store.toString()))));
        System.out.printf("S3 server:  %s, a process of its own%n", server.endpoint());
        List<Stored> stored;
        try (S3Client client = server.client()) {
            stored = upload(client, samples);
            sync(store);
            warmUp(client, stored);
        }
        Path manifest = work.resolve("manifest");
        Item.write(stored.stream().map(Stored::item).toList(), manifest);

        List<DemoTable.Row> rows = new ArrayList<>();
        boolean equal = true;
        for (EngineKind kind : engines) {
            List<String> command =
                    new ArrayList<>(List.of(millrace.toString(), "get", "--json", "--engine", kind.label()));
            equal &= contend("millrace " + kind.label(), command, server, manifest, stored, children, work, rows);
        }
        List<String> rival = Children.java(SdkToFile.class, List.of());
        equal &= contend("AWS SDK toFile", rival, server, manifest, stored, children, work, rows);
        System.out.println();
        System.out.print(DemoTable.of(rows));
        skipped.forEach(System.out::println);
        System.out.println();
        System.out.println(
                equal
                        ? DemoTable.sentence(rows, samples.size(), bytes)
                        : "FAILED: at least one file is missing or differs from its original; see above.");
        System.out.println();
        boolean held = new LayersDemo(children, work, millrace, server, BUCKET).run(engines);
        return equal && held ? 0 : 1;
    }

    /** The objects lie there twice: with the server, and as they come down; the first are there to the end. */
    private static void checkSpace(Path work, long bytes) throws IOException {
        long free = Files.getFileStore(work).getUsableSpace();
        long needed = bytes + Math.max(bytes, LayersDemo.DISK_BYTES) + 256 * MIB;
        if (free < needed) {
            throw new IOException(
                    "The demo needs " + needed / MIB + " MiB in " + work + "; " + free / MIB + " MiB are free.");
        }
    }

    private List<Stored> upload(S3Client client, List<RealFiles.Sample> samples) throws Exception {
        long start = System.nanoTime();
        List<Stored> stored = Parallel.run(PROCESSORS, samples, sample -> {
            // In a header, since the server keeps no checksum that comes as a trailer: so both sides can verify.
            String crc = RealFiles.crc32c(sample.file());
            client.putObject(
                    request -> request.bucket(BUCKET).key(sample.key()).checksumCRC32C(crc),
                    RequestBody.fromFile(sample.file()));
            return new Stored(sample, new Item(BUCKET, sample.key(), sample.key()), RealFiles.sha256(sample.file()));
        });
        System.out.printf(Locale.ROOT, "Uploaded:   in %.1f s%n", (System.nanoTime() - start) / 1e9);
        return stored;
    }

    /** Otherwise the first contender would share the disk with the upload's write-back. */
    private static void sync(Path folder) throws IOException {
        List<Path> files;
        try (Stream<Path> walk = Files.walk(folder)) {
            files = walk.filter(Files::isRegularFile).toList();
        }
        for (Path file : files) {
            try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
                channel.force(true);
            }
        }
    }

    /** Fetches all once and throws it away: the first contender shall not meet a server that nobody has used yet. */
    private void warmUp(S3Client client, List<Stored> stored) throws Exception {
        Parallel.run(
                PROCESSORS,
                stored,
                object -> client.getObject(
                        request -> request.bucket(BUCKET).key(object.item().key()),
                        ResponseTransformer.toOutputStream(OutputStream.nullOutputStream())));
    }

    private static Optional<String> missing(EngineKind kind) {
        try (IoEngine engine = IoEngine.open(IoEngineConfig.defaults().withEngine(kind))) {
            return engine.kind() == kind ? Optional.empty() : Optional.of("another engine came in its place.");
        } catch (EngineUnavailableException e) {
            return Optional.of(Commands.sentence(e));
        }
    }

    /** One contender's run; true where every file is there and equal. */
    private boolean contend(
            String name,
            List<String> program,
            EmbeddedStore server,
            Path manifest,
            List<Stored> stored,
            Children children,
            Path work,
            List<DemoTable.Row> rows)
            throws Exception {
        Path target = Files.createDirectories(work.resolve("files"));
        List<String> command = new ArrayList<>(program);
        command.addAll(server.options());
        command.addAll(List.of("--concurrency", Integer.toString(concurrency), "--manifest", manifest.toString()));
        command.add(target + "/");
        Children.Result result = children.run(name.replace(' ', '-'), command, server.environment(work));
        List<String> wrong = Parallel.run(PROCESSORS, stored, object -> difference(target, object)).stream()
                .flatMap(Optional::stream)
                .toList();
        FileTree.remove(target);
        if (result.status() != 0 || result.lastLine().isEmpty()) {
            System.out.printf("%s failed with exit status %d: %s%n", name, result.status(), result.complaint());
        } else {
            rows.add(DemoTable.Row.of(name, JSON.std.mapFrom(result.lastLine().get()), wrong.size()));
        }
        wrong.stream().limit(SHOWN).forEach(difference -> System.out.println(name + ": " + difference));
        if (wrong.size() > SHOWN) {
            System.out.printf("%s: ... and %d more%n", name, wrong.size() - SHOWN);
        }
        System.out.printf(
                "Downloaded: by %s; %d of %d files equal their originals by SHA-256%n",
                name, stored.size() - wrong.size(), stored.size());
        return result.status() == 0 && result.lastLine().isPresent() && wrong.isEmpty();
    }

    private static Optional<String> difference(Path folder, Stored object) throws IOException {
        Path file = folder.resolve(object.item().target());
        if (!Files.exists(file)) {
            return Optional.of(object.item().key() + " was not downloaded.");
        }
        return RealFiles.sha256(file).equals(object.sha256())
                ? Optional.empty()
                : Optional.of(
                        object.item().key() + " differs from " + object.sample().file() + ".");
    }

    /** Runs; see the class. */
    public static void main(String... args) {
        System.exit(Commands.run(new Demo(), args));
    }
}
