// SPDX-License-Identifier: Apache-2.0
package dev.millrace.server;

import com.fasterxml.jackson.jr.ob.JSON;
import dev.millrace.io.IoEngine;
import dev.millrace.io.IoEngineConfig;
import dev.millrace.layers.LayerName;
import dev.millrace.layers.format.BlockCache;
import dev.millrace.layers.format.LayerDump;
import dev.millrace.layers.format.LayerInspection;
import dev.millrace.layers.format.LayerReader;
import dev.millrace.layers.format.LayerReaders;
import dev.millrace.layers.format.LayerSummary;
import java.io.BufferedWriter;
import java.io.IOException;
import java.io.Writer;
import java.nio.channels.Channels;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code millrace layer}. */
@Command(
        name = "layer",
        mixinStandardHelpOptions = true,
        synopsisSubcommandLabel = "COMMAND",
        description = "Looks into layer files.",
        footer = {
            "",
            "Exit status: 0 the layer is sound, 1 it is not, or is none (said on standard error), 2 wrong usage."
        })
final class LayerCommand implements Runnable {
    private static final int BUFFERS = 8;
    private static final int BUFFER_BYTES = 256 << 10;
    private static final long CACHE_BYTES = 1 << 20;

    private final Surroundings around;

    @Spec
    private CommandSpec spec;

    LayerCommand(Surroundings around) {
        this.around = around;
    }

    /** Without a command there is nothing to do. */
    @Override
    public void run() {
        throw new ParameterException(
                spec.commandLine(),
                "A command is missing: " + Sentences.choice(spec.subcommands().keySet()));
    }

    private interface Use {
        void of(LayerReader reader) throws IOException, CommandFailure;
    }

    private static void with(Path file, Use use) throws IOException, CommandFailure {
        Logging.silent(); // all of it is said here
        try (IoEngine engine = IoEngine.open(IoEngineConfig.defaults().withPool(BUFFERS, BUFFER_BYTES));
                LayerReader reader = LayerReader.open(new LayerReaders(engine, new BlockCache(CACHE_BYTES)), file)) {
            use.of(reader);
        }
    }

    @Command(
            name = "inspect",
            mixinStandardHelpOptions = true,
            description = "Says what a layer is, and checks every block of it and its index.")
    int inspect(
            @Parameters(paramLabel = "FILE", description = "A layer file.") Path file,
            @Option(names = "--json", description = "The same facts as one JSON object.") boolean json)
            throws IOException, CommandFailure {
        with(file, reader -> {
            LayerInspection inspection = LayerInspection.of(reader);
            if (json) {
                around.out().println(JSON.std.asString(facts(file, inspection)));
            } else {
                around.out().print(text(file, inspection));
            }
            around.out().flush();
            int defects = inspection.defects().size();
            if (defects > 0) {
                throw CommandFailure.failed("the layer " + file + " is not sound: " + defects
                        + (defects == LayerInspection.MOST_DEFECTS ? " or more" : "")
                        + (defects == 1 ? " defect" : " defects"));
            }
        });
        return 0;
    }

    @Command(
            name = "dump",
            mixinStandardHelpOptions = true,
            description =
                    "Prints all entries of a layer, a line each: key, LSN, bytes, whether it needs no older one, how it"
                            + " is stored, first bytes.")
    int dump(@Parameters(paramLabel = "FILE", description = "A layer file.") Path file)
            throws IOException, CommandFailure {
        with(file, reader -> {
            around.out().flush();
            // Not closed: standard output is the process's.
            Writer out = new BufferedWriter(Channels.newWriter(around.data(), StandardCharsets.UTF_8));
            try {
                LayerDump.write(reader, out);
            } finally {
                out.flush(); // the lines before a damaged block, too
            }
        });
        return 0;
    }

    private static Map<String, Object> facts(Path file, LayerInspection inspection) {
        LayerSummary summary = inspection.summary();
        Map<String, Object> facts = new LinkedHashMap<>();
        facts.put("file", file.toString());
        facts.put("format_version", LayerSummary.VERSION);
        facts.put("kind", summary.name().kind().label());
        facts.put("name", summary.name().toString());
        facts.put("tenant", summary.tenant().text());
        facts.put("timeline", summary.timeline().text());
        facts.put("key_start", summary.keyRange().start().toString());
        facts.put("key_end", summary.keyRange().end().toString());
        if (summary.name() instanceof LayerName.Delta delta) {
            facts.put("lsn_start", delta.lsns().start().toString());
            facts.put("lsn_end", delta.lsns().end().toString());
        } else if (summary.name() instanceof LayerName.Image image) {
            facts.put("lsn", image.lsn().toString());
        }
        facts.put("file_size", summary.fileBytes());
        facts.put("blocks", summary.blocks());
        facts.put("entries", summary.entries());
        facts.put("keys", summary.keys());
        facts.put("value_bytes", summary.valueBytes());
        facts.put("stored_bytes", summary.storedBytes());
        facts.put("index_start", summary.indexStart());
        facts.put("index_root", summary.indexRoot());
        facts.put("index_height", summary.height());
        List<Map<String, Object>> levels = new ArrayList<>();
        for (LayerInspection.Level level : inspection.levels()) {
            Map<String, Object> one = new LinkedHashMap<>();
            one.put("level", level.level());
            one.put("blocks", level.blocks());
            one.put("entries", level.entries());
            one.put("fill", level.fill());
            levels.add(one);
        }
        facts.put("levels", levels);
        facts.put("sound", inspection.isSound());
        facts.put("defects", inspection.defects());
        return facts;
    }

    private static String text(Path file, LayerInspection inspection) {
        StringBuilder text = new StringBuilder();
        facts(file, inspection).forEach((name, value) -> {
            if (!name.equals("levels") && !name.equals("defects")) {
                String label = name.replace('_', ' ') + ":";
                text.append(String.format(Locale.ROOT, "%-16s%s%n", label, value));
            }
        });
        for (LayerInspection.Level level : inspection.levels()) {
            text.append(String.format(
                    Locale.ROOT,
                    "%-16s%d blocks, %d entries, %.0f %% full%n",
                    "level " + level.level() + ":",
                    level.blocks(),
                    level.entries(),
                    100 * level.fill()));
        }
        inspection
                .defects()
                .forEach(
                        defect -> text.append("defect:         ").append(defect).append('\n'));
        return text.toString();
    }
}
