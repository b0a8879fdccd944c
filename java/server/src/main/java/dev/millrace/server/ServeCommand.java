// SPDX-License-Identifier: Apache-2.0
package dev.millrace.server;

import dev.millrace.io.EngineKind;
import dev.millrace.io.IoEngineConfig;
import dev.millrace.layers.Generation;
import dev.millrace.layers.store.LayerStore;
import dev.millrace.layers.store.LayerStoreConfig;
import dev.millrace.server.http.Tokens;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code millrace serve}. */
@Command(
        name = "serve",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        customSynopsis = "millrace serve --data DIR --remote URL [OPTIONS]",
        description =
                "Serves the layers of an object store: resident on local disk when they are read, evicted when room is"
                        + " needed, managed over HTTP.",
        footer = {
            "",
            "Every timeline that the store has an index of is attached at the start. Sizes are written 4096, 64KiB, 10MiB,"
                    + " 2GiB. GET /openapi.json of the server describes its API.",
            "Exit status: 1 something failed (named on standard error), 2 wrong usage, 130 and 143 ended by SIGINT and"
                    + " SIGTERM, within 5 seconds.",
        })
final class ServeCommand implements Callable<Integer> {
    /** A process that can no longer trust its disk ends with it, at once. */
    private static final int UNTRUSTED_DISK = 70;

    private static final int CONNECTIONS = 256;
    private static final long FIRST_MILLIS = 3000;
    private static final long THEN_MILLIS = 1500;

    private final Surroundings around;

    @Spec
    private CommandSpec spec;

    @Option(
            names = "--data",
            required = true,
            paramLabel = "DIR",
            description = "Where resident layers lie; made where it is missing, and this server's alone.")
    private Path data = Path.of("");

    @Mixin
    private RemoteOptions remote = new RemoteOptions();

    @Option(
            names = "--listen",
            paramLabel = "HOST:PORT",
            defaultValue = "127.0.0.1:9898",
            description = "Where the API is (default ${DEFAULT-VALUE}); others than this machine need --token-file.")
    private String listen = "";

    @Option(
            names = "--generation",
            paramLabel = "N",
            defaultValue = "1",
            description =
                    "Number of this server's reign (default ${DEFAULT-VALUE}): indexes of later ones are ignored.")
    private long generation;

    @Option(
            names = "--token-file",
            paramLabel = "FILE",
            description =
                    "Who may call: a line a token, and behind it manage (default) or observe. Read again when it changes.")
    private Optional<Path> tokenFile = Optional.empty();

    @Option(names = "--open-probes", description = "/v1/status and /metrics need no token.")
    private boolean openProbes;

    @Option(
            names = "--io-engine",
            paramLabel = "NAME",
            defaultValue = "auto",
            description = "auto (default), io_uring, epoll or blocking: by name that one or an error.")
    private String engine = "";

    @Option(
            names = "--max-resident-bytes",
            paramLabel = "N",
            description = "Layers on disk take so much at most (default: no bound).")
    private Optional<String> maxResidentBytes = Optional.empty();

    @Option(
            names = "--max-usage-pct",
            paramLabel = "P",
            defaultValue = "100",
            description = "Percent of the file system that may be used, by whoever (default ${DEFAULT-VALUE}).")
    private int maxUsagePercent;

    @Option(
            names = "--min-avail-bytes",
            paramLabel = "N",
            defaultValue = "0",
            description = "So much of the file system stays free (default ${DEFAULT-VALUE}).")
    private String minAvailableBytes = "";

    @Option(
            names = "--id",
            paramLabel = "N",
            defaultValue = "1",
            description = "A number by which clients tell servers apart (default ${DEFAULT-VALUE}).")
    private long id;

    @Option(names = "--verbose", description = "Choices and downloads as they happen; stack traces.")
    private boolean verbose;

    ServeCommand(Surroundings around) {
        this.around = around;
    }

    @Override
    public Integer call() throws CommandFailure, InterruptedException {
        if (verbose) {
            Logging.verbose();
        } else {
            Logging.quiet();
        }
        RunningServer.Settings settings = settings();
        CompletableFuture<Void> stop = new CompletableFuture<>();
        RunningServer server = open(settings);
        // A signal ends the waiting below, and then the process, which is held up until all is closed.
        try (server;
                Interruption interruption = Interruption.watch(
                        around.signals(), () -> stop.complete(null), () -> {}, FIRST_MILLIS, THEN_MILLIS)) {
            around.out()
                    .println("millrace: listening on http://"
                            + new ListenAddress(settings.listen().host(), server.port()));
            around.out().flush();
            CompletableFuture.anyOf(server.attached(), stop).get();
            if (!stop.isDone()) {
                around.out()
                        .println(
                                "millrace: ready, " + server.store().timelines().size() + " timelines attached");
                around.out().flush();
            }
            stop.get();
            server.close();
            interruption.over();
            return 0;
        } catch (ExecutionException e) {
            throw CommandFailure.failed(Sentences.of(e), e);
        }
    }

    private RunningServer open(RunningServer.Settings settings) throws CommandFailure {
        try {
            return RunningServer.open(settings, Main.VERSION);
        } catch (IOException e) {
            throw CommandFailure.failed(Sentences.of(e), e);
        }
    }

    private RunningServer.Settings settings() throws CommandFailure {
        try {
            ListenAddress address = ListenAddress.parse(listen);
            if (generation < 0 || generation > 0xffff_ffffL) {
                throw new IllegalArgumentException(
                        "--generation is " + generation + " and must lie between 0 and " + 0xffff_ffffL);
            }
            if (tokenFile.isEmpty() && !address.isLoopback()) {
                throw new IllegalArgumentException("--listen " + address
                        + " can be reached from other machines: say by --token-file who may call");
            }
            LayerStoreConfig store = LayerStoreConfig.defaults()
                    .withGeneration(new Generation((int) generation))
                    .withBounds(
                            maxResidentBytes.map(ByteSize::parse).orElse(Long.MAX_VALUE),
                            maxUsagePercent,
                            ByteSize.parse(minAvailableBytes))
                    .withFatalHandler(this::fatal);
            IoEngineConfig engineConfig = IoEngineConfig.defaults()
                    .withEngine(EngineKind.parse(engine))
                    .withSwitching();
            Optional<Tokens> tokens = tokens();
            LayerStore.Remote opened = remote.address().open(remote.store(CONNECTIONS, around.environment()), false);
            return new RunningServer.Settings(engineConfig, data, opened, store, address, tokens, openProbes, id);
        } catch (IllegalArgumentException e) {
            throw new ParameterException(spec.commandLine(), e.getMessage(), e);
        }
    }

    private Optional<Tokens> tokens() throws CommandFailure {
        try {
            return tokenFile.isPresent() ? Optional.of(Tokens.open(tokenFile.get())) : Optional.empty();
        } catch (IOException e) {
            throw CommandFailure.failed(Sentences.of(e), e);
        }
    }

    private void fatal(IOException failure) {
        around.err()
                .println("millrace: The local disk can no longer be trusted, and the server ends at once: "
                        + Sentences.of(failure));
        around.err().flush();
        if (around.signals()) {
            Runtime.getRuntime().halt(UNTRUSTED_DISK);
        }
    }
}
