// SPDX-License-Identifier: Apache-2.0
package dev.millrace.server;

import java.io.PrintStream;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** The command {@code millrace}. */
@Command(
        name = "millrace",
        description = "Objects from S3 to complete files on disk, through io_uring.",
        version = "millrace " + Main.VERSION,
        mixinStandardHelpOptions = true,
        synopsisSubcommandLabel = "COMMAND",
        subcommands = {
            GetCommand.class,
            LayerCommand.class,
            DoctorCommand.class,
            ServeCommand.class,
            GenerateCommand.class,
            BenchCommand.class
        })
public final class Main implements Runnable {
    /** Of the program. */
    static final String VERSION = "0.1.0-SNAPSHOT";

    @Spec
    private CommandSpec spec;

    private Main() {}

    /** Runs a command of this process and ends it with its exit status. */
    public static void main(String... args) {
        System.exit(run(Surroundings.ofProcess(), args));
    }

    /**
     * Runs a command in this process.
     *
     * @return 0 when all was done, 1 when something failed, 2 when the command was used wrongly
     */
    public static int run(String[] args, PrintStream out, PrintStream err) {
        return run(Surroundings.of(out, err), args);
    }

    static int run(Surroundings around, String... args) {
        PrintWriter out = new PrintWriter(around.out(), true, StandardCharsets.UTF_8);
        PrintWriter err = new PrintWriter(around.err(), true, StandardCharsets.UTF_8);
        CommandLine line = new CommandLine(new Main(), new WithSurroundings(around))
                .setOut(out)
                .setErr(err)
                .setExpandAtFiles(false)
                .setParameterExceptionHandler((e, ignored) -> usage(err, e))
                .setExecutionExceptionHandler((e, command, ignored) -> failure(around, e, command));
        int status = line.execute(args);
        out.flush();
        err.flush();
        return status;
    }

    /** Without a command there is nothing to do. */
    @Override
    public void run() {
        throw new ParameterException(
                spec.commandLine(),
                "A command is missing: " + Sentences.choice(spec.subcommands().keySet()));
    }

    private static int usage(PrintWriter err, ParameterException e) {
        err.println("millrace: " + Sentences.oneLine(e.getMessage()) + ". See "
                + e.getCommandLine().getCommandSpec().qualifiedName() + " --help");
        return CommandFailure.USAGE;
    }

    private static int failure(Surroundings around, Exception e, CommandLine command) {
        around.err().println("millrace: " + Sentences.of(e));
        boolean verbose = command.getCommand() instanceof GetCommand get && get.isVerbose();
        if (verbose) {
            e.printStackTrace(around.err());
        }
        return e instanceof CommandFailure failure ? failure.status() : CommandFailure.FAILED;
    }

    /** Makes commands with their surroundings. */
    private record WithSurroundings(Surroundings around) implements CommandLine.IFactory {
        @Override
        public <K> K create(Class<K> type) throws Exception {
            if (type == GetCommand.class) {
                return type.cast(new GetCommand(around));
            }
            if (type == LayerCommand.class) {
                return type.cast(new LayerCommand(around));
            }
            if (type == DoctorCommand.class) {
                return type.cast(new DoctorCommand(around));
            }
            if (type == ServeCommand.class) {
                return type.cast(new ServeCommand(around));
            }
            if (type == GenerateCommand.class) {
                return type.cast(new GenerateCommand(around));
            }
            if (type == ChurnCommand.class) {
                return type.cast(new ChurnCommand(around));
            }
            return CommandLine.defaultFactory().create(type);
        }
    }
}
