// SPDX-License-Identifier: Apache-2.0
package dev.millrace.benchmarks;

import java.util.concurrent.Callable;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import picocli.CommandLine;

/** Runs the programs of this package: a failure is one sentence on standard error, not a stack trace. */
public final class Commands {
    private Commands() {}

    /** A command's exit status: 0, 1 where it failed, 2 for wrong usage. */
    public static int run(Callable<Integer> command, String... args) {
        CommandLine line = new CommandLine(command).setCaseInsensitiveEnumValuesAllowed(true);
        line.setExecutionExceptionHandler((failure, ignored, parsed) -> {
            System.err.println(line.getCommandName() + ": " + sentence(failure));
            if (System.getenv("VERBOSE") != null) {
                failure.printStackTrace();
            }
            return 1;
        });
        return line.execute(args);
    }

    /** What went wrong; the class's name, too, where the message alone would not be understood. */
    static String sentence(Throwable failure) {
        Throwable cause = failure;
        while (cause.getCause() != null
                && (cause instanceof CompletionException || cause instanceof ExecutionException)) {
            cause = cause.getCause();
        }
        String message = cause.getMessage();
        return message == null || !message.contains(" ") ? cause.toString() : message;
    }
}
