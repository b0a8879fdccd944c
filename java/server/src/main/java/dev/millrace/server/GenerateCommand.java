// SPDX-License-Identifier: Apache-2.0
package dev.millrace.server;

import dev.millrace.io.EngineKind;
import dev.millrace.io.EngineUnavailableException;
import dev.millrace.io.IoEngine;
import dev.millrace.io.IoEngineConfig;
import dev.millrace.layers.Generation;
import dev.millrace.layers.TenantId;
import dev.millrace.layers.TimelineId;
import dev.millrace.layers.format.GeneratedTimeline;
import dev.millrace.layers.store.LayerStore;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code millrace generate}. */
@Command(
        name = "generate",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        customSynopsis = "millrace generate --remote URL --tenant T --timeline L --layers N --layer-size S [OPTIONS]",
        description =
                "Makes a timeline of layers in an object store: the same from the same options, so that every value that"
                        + " is read can be checked.",
        footer = {
            "",
            "The index comes last: until then nobody sees a layer of it. A timeline that is there is made anew where it has"
                    + " layers of the same names, and else left alone.",
            "Exit status: 0 all is there, 1 something failed (named on standard error), 2 wrong usage, 130 and 143 ended by"
                    + " SIGINT and SIGTERM.",
        })
final class GenerateCommand implements Callable<Integer> {
    private static final int MAX_CONCURRENCY = 64;

    private final Surroundings around;

    @Spec
    private CommandSpec spec;

    @Mixin
    private RemoteOptions remote = new RemoteOptions();

    @Option(names = "--tenant", required = true, paramLabel = "T", description = "32 lower-case hex digits.")
    private String tenant = "";

    @Option(names = "--timeline", required = true, paramLabel = "L", description = "32 lower-case hex digits.")
    private String timeline = "";

    @Option(names = "--layers", required = true, paramLabel = "N", description = "How many.")
    private int layers;

    @Option(
            names = "--layer-size",
            required = true,
            paramLabel = "S",
            description = "About so large is each, as 10MiB; blobs exactly.")
    private String layerSize = "";

    @Option(
            names = "--kind",
            paramLabel = "KIND",
            defaultValue = "mixed",
            description = "image, delta, mixed (default) or blob.")
    private String kind = "";

    @Option(
            names = "--seed",
            paramLabel = "X",
            defaultValue = "0",
            description = "Of the values (default ${DEFAULT-VALUE}).")
    private long seed;

    @Option(
            names = "--generation",
            paramLabel = "N",
            defaultValue = "1",
            description = "Whose layers and index they are (default ${DEFAULT-VALUE}).")
    private long generation;

    @Option(
            names = "--concurrency",
            paramLabel = "N",
            defaultValue = "4",
            description = "Layers that are made and uploaded at once, 1 to " + MAX_CONCURRENCY
                    + " (default ${DEFAULT-VALUE}).")
    private int concurrency;

    @Option(
            names = "--temp-dir",
            paramLabel = "DIR",
            description = "Where layers lie until they are uploaded, --concurrency at most (default: the system's).")
    private Optional<Path> temporary = Optional.empty();

    @Option(
            names = "--io-engine",
            paramLabel = "NAME",
            defaultValue = "auto",
            description = "auto (default), io_uring, epoll or blocking: by name that one or an error.")
    private String engine = "";

    GenerateCommand(Surroundings around) {
        this.around = around;
    }

    @Override
    public Integer call() throws CommandFailure {
        Logging.quiet();
        Generation of;
        TimelineMaker.Order order;
        IoEngineConfig config;
        try {
            if (concurrency < 1 || concurrency > MAX_CONCURRENCY) {
                throw new IllegalArgumentException(
                        "--concurrency is " + concurrency + " and must lie between 1 and " + MAX_CONCURRENCY);
            }
            if (generation < 0 || generation > 0xffff_ffffL) {
                throw new IllegalArgumentException(
                        "--generation is " + generation + " and must lie between 0 and " + 0xffff_ffffL);
            }
            of = new Generation((int) generation);
            GeneratedTimeline content =
                    new GeneratedTimeline(seed, GeneratedTimeline.Kind.parse(kind), layers, ByteSize.parse(layerSize));
            order = new TimelineMaker.Order(
                    new TenantId(tenant), new TimelineId(timeline), of, content, layers, concurrency);
            config = IoEngineConfig.defaults().withEngine(EngineKind.parse(engine));
            remote.address();
        } catch (IllegalArgumentException e) {
            throw new ParameterException(spec.commandLine(), e.getMessage(), e);
        }
        LayerStore.Remote store = remote.address().open(remote.store(2 * concurrency, around.environment()), true);
        try (AutoCloseableSource source = new AutoCloseableSource(store)) {
            return make(order, config, source.remote());
        }
    }

    private int make(TimelineMaker.Order order, IoEngineConfig config, LayerStore.Remote store) throws CommandFailure {
        Path folder;
        try {
            folder = temporary.isPresent()
                    ? Files.createTempDirectory(Files.createDirectories(temporary.get()), "millrace-generate-")
                    : Files.createTempDirectory("millrace-generate-");
        } catch (IOException e) {
            throw CommandFailure.failed(
                    "No folder can be made for layers until they are uploaded: " + Sentences.of(e), e);
        }
        try (IoEngine io = IoEngine.open(config);
                TimelineMaker maker = new TimelineMaker(io, store, folder, order, around.err());
                Interruption interruption = Interruption.watch(around.signals(), maker::cancel, () -> {})) {
            TimelineMaker.Made made = maker.make();
            around.out()
                    .println("millrace: " + made.layers() + " layers, " + made.bytes() + " bytes, in "
                            + remote.address() + " as " + order.tenant() + "/" + order.timeline());
            interruption.over();
            return 0;
        } catch (EngineUnavailableException e) {
            throw CommandFailure.failed(Sentences.of(e), e);
        } catch (IOException e) {
            throw CommandFailure.failed("The timeline was not made: " + Sentences.of(e), e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw CommandFailure.failed("Interrupted", e);
        } finally {
            removeEmpty(folder);
        }
    }

    private static void removeEmpty(Path folder) throws CommandFailure {
        try {
            Files.deleteIfExists(folder);
        } catch (IOException e) {
            throw CommandFailure.failed("The folder " + folder + " is left behind: " + Sentences.of(e), e);
        }
    }

    /** Closes what was opened for the store. */
    private record AutoCloseableSource(LayerStore.Remote remote) implements AutoCloseable {
        @Override
        public void close() {
            remote.source().close();
        }
    }
}
