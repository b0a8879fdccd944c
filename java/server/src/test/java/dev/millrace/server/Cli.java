// SPDX-License-Identifier: Apache-2.0
package dev.millrace.server;

import com.fasterxml.jackson.jr.ob.JSON;
import dev.millrace.io.EngineKind;
import dev.millrace.io.EngineUnavailableException;
import dev.millrace.io.IoEngine;
import dev.millrace.io.IoEngineConfig;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.nio.channels.Channels;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.stream.Stream;

/** A command run in this process, and what it said. */
final class Cli {
    private final int status;
    private final byte[] out;
    private final String err;

    private Cli(int status, byte[] out, String err) {
        this.status = status;
        this.out = out;
        this.err = err;
    }

    /** Exit status. */
    int status() {
        return status;
    }

    /** Standard error. */
    String err() {
        return err;
    }

    /** Standard output, for bytes. */
    byte[] outBytes() {
        return out.clone();
    }

    static Cli run(String... args) {
        return runWithInput("", args);
    }

    static Cli runWithInput(String input, String... args) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        ByteArrayOutputStream err = new ByteArrayOutputStream();
        PrintStream outText = new PrintStream(out, true, StandardCharsets.UTF_8);
        PrintStream errText = new PrintStream(err, true, StandardCharsets.UTF_8);
        int status = Main.run(
                new Surroundings(
                        new ByteArrayInputStream(input.getBytes(StandardCharsets.UTF_8)),
                        outText,
                        Channels.newChannel(out),
                        errText,
                        Map.of(),
                        0,
                        false),
                args);
        return new Cli(status, out.toByteArray(), err.toString(StandardCharsets.UTF_8));
    }

    String out() {
        return new String(out, StandardCharsets.UTF_8);
    }

    Map<String, Object> json() {
        try {
            return JSON.std.mapFrom(out());
        } catch (IOException e) {
            throw new UncheckedIOException(out(), e);
        }
    }

    /** The engines that can be had here. */
    static Stream<String> engines() {
        return Stream.of(EngineKind.values()).filter(Cli::canBeHad).map(EngineKind::label);
    }

    private static boolean canBeHad(EngineKind kind) {
        try (IoEngine engine =
                IoEngine.open(IoEngineConfig.defaults().withEngine(kind).withPool(1, 4096))) {
            return engine.kind() == kind;
        } catch (EngineUnavailableException e) {
            return false;
        }
    }
}
