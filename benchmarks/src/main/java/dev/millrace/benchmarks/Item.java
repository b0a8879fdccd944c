// SPDX-License-Identifier: Apache-2.0
package dev.millrace.benchmarks;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/**
 * One line of a manifest: an object and where it goes, as {@code millrace get --manifest} reads it.
 *
 * @param bucket the object's bucket
 * @param key its key, literal
 * @param target its file, relative to the folder of the download
 */
record Item(String bucket, String key, String target) {
    private static final String SCHEME = "s3://";

    /** {@code s3://bucket/key<TAB>target}. */
    String line() {
        return SCHEME + bucket + "/" + key + "\t" + target;
    }

    static void write(List<Item> items, Path manifest) throws IOException {
        Files.writeString(manifest, items.stream().map(Item::line).collect(Collectors.joining("\n", "", "\n")));
    }

    /** Reads a manifest; a line without a target goes to the last part of its key. */
    static List<Item> read(Path manifest) throws IOException {
        List<Item> items = new ArrayList<>();
        List<String> lines = Files.readAllLines(manifest, StandardCharsets.UTF_8);
        for (int i = 0; i < lines.size(); i++) {
            if (!lines.get(i).isEmpty()) {
                items.add(parse(lines.get(i), manifest + ", line " + (i + 1)));
            }
        }
        return List.copyOf(items);
    }

    private static Item parse(String line, String where) {
        int tab = line.indexOf('\t');
        String source = tab < 0 ? line : line.substring(0, tab);
        int slash = source.indexOf('/', SCHEME.length());
        if (!source.startsWith(SCHEME) || slash < 0 || slash == source.length() - 1) {
            throw new IllegalArgumentException(where + " does not name an object as s3://bucket/key: " + source);
        }
        String key = source.substring(slash + 1);
        String target = tab < 0 ? key.substring(key.lastIndexOf('/') + 1) : line.substring(tab + 1);
        return new Item(source.substring(SCHEME.length(), slash), key, target);
    }
}
