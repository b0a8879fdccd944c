// SPDX-License-Identifier: Apache-2.0
package dev.millrace.server;

import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.InputStream;
import java.io.PrintStream;
import java.nio.channels.Channels;
import java.nio.channels.WritableByteChannel;
import java.nio.charset.StandardCharsets;
import java.util.Map;

/**
 * What a command has around it, so that tests can put others in its place.
 *
 * @param in standard input: a manifest
 * @param out standard output, for text
 * @param data standard output, for bytes; before it is written to, {@code out} is flushed
 * @param err standard error
 * @param environment the environment
 * @param columns width of the terminal behind {@code err}; 0 where there is none
 * @param signals the process is ours: SIGINT and SIGTERM clean up before it ends
 */
record Surroundings(
        InputStream in,
        PrintStream out,
        WritableByteChannel data,
        PrintStream err,
        Map<String, String> environment,
        int columns,
        boolean signals) {
    /** Set by the launcher where standard error is a terminal. */
    static final String COLUMNS_PROPERTY = "millrace.columns";

    Surroundings {
        environment = Map.copyOf(environment);
    }

    /** Those of this process. */
    @SuppressWarnings("resource") // the process's own streams stay open to its end
    static Surroundings ofProcess() {
        FileOutputStream out = new FileOutputStream(FileDescriptor.out);
        FileOutputStream err = new FileOutputStream(FileDescriptor.err);
        return new Surroundings(
                System.in,
                new PrintStream(out, true, StandardCharsets.UTF_8),
                out.getChannel(),
                new PrintStream(err, true, StandardCharsets.UTF_8),
                System.getenv(),
                Integer.getInteger(COLUMNS_PROPERTY, 0),
                true);
    }

    /** Those of a caller in the same JVM: no input, no terminal, no signals. */
    static Surroundings of(PrintStream out, PrintStream err) {
        return new Surroundings(
                InputStream.nullInputStream(), out, Channels.newChannel(out), err, System.getenv(), 0, false);
    }
}
