// SPDX-License-Identifier: Apache-2.0
package dev.millrace.server;

import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code millrace bench}: measurements of a server that runs. */
@Command(
        name = "bench",
        mixinStandardHelpOptions = true,
        synopsisSubcommandLabel = "BENCHMARK",
        description = "Measures a server through its management API.",
        subcommands = {ChurnCommand.class})
final class BenchCommand implements Runnable {
    @Spec
    private CommandSpec spec;

    /** Without a benchmark there is nothing to do. */
    @Override
    public void run() {
        throw new ParameterException(
                spec.commandLine(),
                "A benchmark is missing: " + Sentences.choice(spec.subcommands().keySet()));
    }
}
