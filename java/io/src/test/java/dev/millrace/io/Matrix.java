// SPDX-License-Identifier: Apache-2.0
package dev.millrace.io;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.TestWatcher;

/**
 * Notes what became of the contract on each engine, binding and JDK, a line each in {@code target/matrix}: passed,
 * skipped, failed, and why the last skipped one was.
 */
final class Matrix implements TestWatcher {
    private static final Path FOLDER = Path.of("target", "matrix");

    private static final class Cell {
        private int passed;
        private int skipped;
        private int failed;
        private String reason = "";
    }

    private static final Map<String, Cell> CELLS = new TreeMap<>();

    @Override
    public void testSuccessful(ExtensionContext context) {
        note(context, cell -> cell.passed++);
    }

    @Override
    public void testFailed(ExtensionContext context, Throwable cause) {
        note(context, cell -> cell.failed++);
    }

    @Override
    public void testAborted(ExtensionContext context, Throwable cause) {
        note(context, cell -> skip(cell, String.valueOf(cause.getMessage())));
    }

    @Override
    public void testDisabled(ExtensionContext context, Optional<String> reason) {
        note(context, cell -> skip(cell, reason.orElse("")));
    }

    private static void skip(Cell cell, String reason) {
        cell.skipped++;
        cell.reason = reason.replaceFirst("^Assumption failed: ", "").replaceAll("\\s+", " ");
    }

    private static void note(ExtensionContext context, java.util.function.Consumer<Cell> change) {
        EngineKind kind = ((EngineContract) context.getRequiredTestInstance()).kind;
        String binding = kind == EngineKind.BLOCKING ? "none" : TestEngines.binding();
        String jdk = String.valueOf(Runtime.version().feature());
        String test = context.getRequiredTestClass().getSimpleName();
        synchronized (CELLS) {
            Cell cell = CELLS.computeIfAbsent(String.join("\t", test, kind.label(), binding, jdk), key -> new Cell());
            change.accept(cell);
            List<String> lines = new ArrayList<>();
            CELLS.forEach((key, value) -> {
                if (key.startsWith(test + "\t")) {
                    lines.add(String.join(
                            "\t",
                            key,
                            String.valueOf(value.passed),
                            String.valueOf(value.skipped),
                            String.valueOf(value.failed),
                            value.reason));
                }
            });
            try {
                Files.createDirectories(FOLDER);
                Files.write(FOLDER.resolve(test + "-" + TestEngines.binding() + "-" + jdk + ".tsv"), lines);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }
}
