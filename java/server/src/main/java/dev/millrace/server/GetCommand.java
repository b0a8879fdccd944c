// SPDX-License-Identifier: Apache-2.0
package dev.millrace.server;

import com.fasterxml.jackson.jr.ob.JSON;
import dev.millrace.io.EngineKind;
import dev.millrace.io.EngineUnavailableException;
import dev.millrace.io.IoEngine;
import dev.millrace.io.IoEngineConfig;
import dev.millrace.transfer.BulkDownload;
import dev.millrace.transfer.BulkItem;
import dev.millrace.transfer.BulkResult;
import dev.millrace.transfer.Downloader;
import dev.millrace.transfer.DownloaderConfig;
import dev.millrace.transfer.ObjectSource;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintStream;
import java.nio.channels.FileChannel;
import java.nio.channels.WritableByteChannel;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code millrace get}. */
@Command(
        name = "get",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        customSynopsis = {"millrace get [OPTIONS] SOURCE... DEST", "millrace get [OPTIONS] --manifest FILE DEST"},
        description = "Downloads objects to files that are there only when they are complete.",
        footer = {
            "",
            "SOURCE is s3://bucket/key for one object, s3://bucket/prefix/ (or s3://bucket) for every object below. Keys"
                    + " are literal: there are no patterns.",
            "DEST is a file for one object; a folder where it ends in a slash, for a prefix, for several sources and for a"
                    + " manifest; - for standard output.",
            "Exit status: 0 every file is complete, 1 something failed (named on standard error), 2 wrong usage, 130 and"
                    + " 143 ended by SIGINT and SIGTERM.",
        })
final class GetCommand implements Callable<Integer> {
    private static final String STANDARD_OUTPUT = "-";

    private final Surroundings around;

    @Spec
    private CommandSpec spec;

    @Option(
            names = "--engine",
            paramLabel = "NAME",
            description = "auto (default), io_uring, epoll or blocking: by name that one or an error.")
    private Optional<String> engineName = Optional.empty();

    @Option(
            names = "--binding",
            paramLabel = "NAME",
            description = "auto (default), ffm, jni or jna, the way to native code: by name that one or an error.")
    private Optional<String> binding = Optional.empty();

    @Mixin
    private StoreOptions store = new StoreOptions();

    @Option(
            names = "--concurrency",
            paramLabel = "N",
            defaultValue = "16",
            description = "Objects at once, 1 to 1000 (default ${DEFAULT-VALUE}).")
    private int concurrency;

    @Option(
            names = "--manifest",
            paramLabel = "FILE",
            description =
                    "Sources from a file (- for standard input): a line a SOURCE, and after a tab where it goes below"
                            + " DEST, if elsewhere than by its name.")
    private Optional<String> manifestName = Optional.empty();

    @Option(names = "--json", description = "The last line as one JSON object.")
    private boolean json;

    @Option(names = "--verbose", description = "Retries and choices as they happen; stack traces.")
    private boolean verbose;

    @Parameters(
            arity = "1..*",
            paramLabel = "SOURCE... DEST",
            hideParamSyntax = true,
            description = "What to fetch, and where to.")
    private List<String> arguments = new ArrayList<>();

    GetCommand(Surroundings around) {
        this.around = around;
    }

    boolean isVerbose() {
        return verbose;
    }

    /** What the command line asks for, checked. */
    private record Order(
            List<Manifest.Line> lines,
            Optional<Manifest> manifest,
            String dest,
            boolean toStandardOutput,
            boolean toFolder,
            IoEngineConfig engine,
            StoreAddress store) {
        Iterator<Manifest.Line> iterator() {
            return manifest.map(Manifest::iterator).orElseGet(lines::iterator);
        }

        boolean isSeveral() {
            return manifest.map(Manifest::size).orElse((long) lines.size()) > 1;
        }
    }

    @Override
    public Integer call() throws Exception {
        if (verbose) {
            Logging.verbose();
        } else {
            Logging.quiet();
        }
        return carryOut(read());
    }

    // ------------------------------------------------------------------ the command line

    private Order read() throws CommandFailure, IOException {
        if (concurrency < 1 || concurrency > 1000) {
            throw usage("--concurrency is " + concurrency + " and must lie between 1 and 1000");
        }
        String dest = arguments.get(arguments.size() - 1);
        List<Manifest.Line> lines = new ArrayList<>();
        for (String argument : arguments.subList(0, arguments.size() - 1)) {
            try {
                lines.add(new Manifest.Line(SourceSpec.parse(argument), ""));
            } catch (IllegalArgumentException e) {
                throw usage(e.getMessage());
            }
        }
        if (manifestName.isPresent() && !lines.isEmpty()) {
            throw usage("Sources come from the command line or from --manifest, not from both");
        }
        if (manifestName.isEmpty() && lines.isEmpty()) {
            throw usage(dest.startsWith("s3://") ? "DEST is missing" : "A SOURCE is missing");
        }
        if (dest.startsWith("s3://")) {
            throw usage("DEST is a file or folder here, and " + dest + " is in a store");
        }
        if (dest.isEmpty()) {
            throw usage("DEST is empty");
        }
        IoEngineConfig engine = engineConfig();
        StoreAddress address;
        try {
            address = store.address(concurrency, around.environment());
        } catch (IllegalArgumentException e) {
            throw usage(e.getMessage());
        }
        Optional<Manifest> manifest = manifestName.isPresent() ? Optional.of(readManifest()) : Optional.empty();
        boolean toStandardOutput = dest.equals(STANDARD_OUTPUT);
        boolean toFolder = !toStandardOutput
                && (manifest.isPresent()
                        || lines.size() > 1
                        || lines.get(0).source().isPrefix()
                        || dest.endsWith("/"));
        return new Order(lines, manifest, dest, toStandardOutput, toFolder, engine, address);
    }

    private IoEngineConfig engineConfig() throws CommandFailure {
        try {
            IoEngineConfig defaults = IoEngineConfig.defaults();
            Sizing sizing = Sizing.of(concurrency);
            Optional<EngineKind> kind = engineName.isPresent() ? EngineKind.parse(engineName.get()) : defaults.engine();
            IoEngineConfig config = defaults.withEngine(kind).withPool(sizing.buffers(), sizing.bufferSize());
            return binding.isPresent() ? config.withBinding(BindingName.check(binding.get())) : config;
        } catch (IllegalArgumentException e) {
            throw usage(e.getMessage());
        }
    }

    private ParameterException usage(String sentence) {
        return new ParameterException(spec.commandLine(), sentence);
    }

    private Manifest readManifest() throws CommandFailure {
        String name = manifestName.orElseThrow();
        try {
            if (name.equals("-")) {
                return Manifest.read(around.in(), "from standard input");
            }
            try (InputStream in = Files.newInputStream(Path.of(name))) {
                return Manifest.read(in, name);
            }
        } catch (IOException | InvalidPathException e) {
            throw CommandFailure.failed("The manifest " + name + " cannot be read: " + Sentences.of(e), e);
        }
    }

    // ------------------------------------------------------------------ carrying it out

    private int carryOut(Order order) throws CommandFailure {
        Optional<FileChannel> straight = order.toFolder || order.toStandardOutput ? Optional.empty() : straight(order);
        if (order.toFolder) {
            checkFolder(path(order.dest));
        }
        try (IoEngine engine = open(order.engine)) {
            // Closed in the other order: the downloader lets go of engine and source.
            try (ObjectSource source = order.store.open();
                    Downloader downloader = Downloader.open(engine, source, downloaderConfig());
                    ProgressView view =
                            new ProgressView(around.err(), around.columns(), verbose, item -> hint(source, item))) {
                return order.toStandardOutput || straight.isPresent()
                        ? stream(order, engine, source, downloader, view, straight)
                        : download(order, engine, source, downloader, view);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw CommandFailure.failed("Interrupted", e);
        } finally {
            closeQuietly(straight);
        }
    }

    private static void closeQuietly(Optional<FileChannel> channel) {
        try {
            if (channel.isPresent()) {
                channel.get().close();
            }
        } catch (IOException e) {
            // Every byte was handed to the system already; close of a device or pipe has nothing to add.
            return;
        }
    }

    private static IoEngine open(IoEngineConfig config) throws CommandFailure {
        try {
            return IoEngine.open(config);
        } catch (EngineUnavailableException e) {
            throw CommandFailure.failed(upper(e.getMessage()), e);
        }
    }

    private static String upper(String sentence) {
        return sentence.isEmpty() ? sentence : Character.toUpperCase(sentence.charAt(0)) + sentence.substring(1);
    }

    private DownloaderConfig downloaderConfig() {
        return DownloaderConfig.defaults()
                .withPermits(concurrency, 1)
                .withBuffersPerDownload(Sizing.of(concurrency).perDownload());
    }

    private static String hint(ObjectSource source, BulkItem item) {
        return item instanceof BulkItem.Broken ? "" : Plan.spelling(source, SourceSpec.parse(item.name()));
    }

    private static Path path(String text) throws CommandFailure {
        try {
            return Path.of(text);
        } catch (InvalidPathException e) {
            throw CommandFailure.failed("'" + Sentences.oneLine(text) + "' is no path here: " + e.getReason(), e);
        }
    }

    private static void checkFolder(Path folder) throws CommandFailure {
        if (Files.exists(folder) && !Files.isDirectory(folder)) {
            throw CommandFailure.failed(
                    folder + " is " + (Files.isRegularFile(folder) ? "a file" : "a device, FIFO or socket")
                            + ", and this download needs a folder");
        }
    }

    /** The target of one object, opened, where it is no regular file and so is written straight; else empty. */
    private static Optional<FileChannel> straight(Order order) throws CommandFailure {
        Path target = path(order.dest);
        if (Files.isDirectory(target)) {
            throw CommandFailure.failed(
                    target + " is a folder: write " + target + "/ to have the object in it under its own name");
        }
        if (!Files.exists(target) || Files.isRegularFile(target)) {
            return Optional.empty();
        }
        try {
            return Optional.of(FileChannel.open(target, StandardOpenOption.WRITE));
        } catch (IOException e) {
            throw CommandFailure.failed(
                    "The device, FIFO or socket " + target + " cannot be written: " + Sentences.of(e), e);
        }
    }

    private int download(Order order, IoEngine engine, ObjectSource source, Downloader downloader, ProgressView view)
            throws CommandFailure, InterruptedException {
        Path target = path(order.dest);
        BulkDownload bulk = new BulkDownload(
                downloader, source, order.toFolder ? target : Path.of(""), concurrency, order.isSeveral(), view);
        Iterator<? extends BulkItem> items = order.toFolder
                ? new Plan(source, order.iterator(), bulk::isCancelled)
                : List.of(new BulkItem.Exact(order.lines.get(0).source().object(), target))
                        .iterator();
        try (Interruption interruption = Interruption.watch(around.signals(), bulk::cancel, source::close)) {
            Stopwatch watch = Stopwatch.start();
            BulkResult result = bulk.run(items);
            Summary summary = watch.stop(result, engine);
            view.close();
            if (bulk.isCancelled()) {
                downloader.close();
                around.err()
                        .println("millrace: Interrupted: " + result.objects()
                                + (result.objects() == 1 ? " object is" : " objects are")
                                + " complete, of others nothing is left behind");
            }
            print(around.out(), summary);
            interruption.over();
            return result.isComplete() ? 0 : CommandFailure.FAILED;
        }
    }

    private int stream(
            Order order,
            IoEngine engine,
            ObjectSource source,
            Downloader downloader,
            ProgressView view,
            Optional<FileChannel> straight)
            throws InterruptedException {
        around.out().flush();
        WritableByteChannel channel = straight.isPresent() ? straight.get() : around.data();
        SequentialStream stream = new SequentialStream(downloader, channel, view);
        try (Interruption interruption = Interruption.watch(around.signals(), stream::cancel, source::close)) {
            Stopwatch watch = Stopwatch.start();
            BulkResult result = stream.run(new Plan(source, order.iterator(), stream::isCancelled));
            Summary summary = watch.stop(result, engine);
            view.close();
            print(order.toStandardOutput ? around.err() : around.out(), summary);
            interruption.over();
            return result.isComplete() ? 0 : CommandFailure.FAILED;
        }
    }

    private void print(PrintStream to, Summary summary) {
        String line;
        try {
            line = json ? JSON.std.asString(summary.json()) : summary.line();
        } catch (IOException e) {
            throw new IllegalStateException("a map of numbers and texts cannot be written as JSON", e);
        }
        to.println(line);
        to.flush();
    }
}
