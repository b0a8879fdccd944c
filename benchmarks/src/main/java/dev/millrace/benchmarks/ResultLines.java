// SPDX-License-Identifier: Apache-2.0
package dev.millrace.benchmarks;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The lines of a run, JSON each. They go to {@code NAME.partial.jsonl} as they come; only a run that comes to its end
 * gives that the name {@code NAME.jsonl}. Where the folder cannot be written any more, the lines are kept in memory, and
 * at the end in the folder for temporary files.
 */
final class ResultLines {
    private final Path folder;
    private final String name;
    private final List<String> lines = new ArrayList<>();
    private boolean broken;

    private ResultLines(Path folder, String name) {
        this.folder = folder;
        this.name = name;
    }

    /**
     * Begins a file of lines.
     *
     * @throws IOException a sentence, where the folder cannot be written
     */
    static ResultLines create(Path folder, String name) throws IOException {
        ResultLines result = new ResultLines(folder, name);
        try {
            Files.createDirectories(folder);
            Files.writeString(result.partial(), "", StandardOpenOption.CREATE_NEW);
        } catch (IOException e) {
            throw new IOException(
                    "Results cannot be written to " + folder + " ("
                            + e.getClass().getSimpleName() + "); name another folder with RESULTS_DIR.",
                    e);
        }
        return result;
    }

    private Path partial() {
        return folder.resolve(name + ".partial.jsonl");
    }

    void add(Map<String, Object> line) {
        String text = Figures.json(line);
        lines.add(text);
        if (!broken) {
            try {
                Files.writeString(partial(), text + "\n", StandardOpenOption.APPEND);
            } catch (IOException e) {
                broken = true;
                System.err.println("bench-peers: " + partial() + " cannot be written any more (" + e.getMessage()
                        + "); the run goes on and its lines are kept in memory.");
            }
        }
    }

    List<String> lines() {
        return List.copyOf(lines);
    }

    /** Ends the run: where its lines are now, without the extension. */
    Path end(boolean complete, String reason) throws IOException {
        Map<String, Object> last = new LinkedHashMap<>();
        last.put("end", complete ? "complete" : "partial");
        if (!complete) {
            last.put("reason", reason);
        }
        add(last);
        if (broken) {
            Path kept = Path.of(System.getProperty("java.io.tmpdir"), name + (complete ? "" : ".partial"));
            Files.write(Path.of(kept + ".jsonl"), lines);
            return kept;
        }
        if (!complete) {
            return folder.resolve(name + ".partial");
        }
        Files.move(partial(), folder.resolve(name + ".jsonl"));
        return folder.resolve(name);
    }
}
