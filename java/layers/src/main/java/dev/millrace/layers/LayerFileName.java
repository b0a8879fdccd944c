// SPDX-License-Identifier: Apache-2.0
package dev.millrace.layers;

import java.util.Optional;

/**
 * The name of a layer's file, locally and remotely: the layer's name and the generation that made it.
 *
 * @param layer the layer
 * @param generation of the file; empty where a name came without one
 */
public record LayerFileName(LayerName layer, Optional<Generation> generation) {
    private static final int SUFFIX = 9;
    private static final String OLD_MARK = "-v1";

    /** A file of a generation. */
    public static LayerFileName of(LayerName layer, Generation generation) {
        return new LayerFileName(layer, Optional.of(generation));
    }

    /**
     * Parses a name with no suffix, {@code -xxxxxxxx} or {@code -v1-xxxxxxxx}.
     *
     * @throws IllegalArgumentException with the name and the reason
     */
    public static LayerFileName parse(String text) {
        int at = generationAt(text);
        if (at < 0) {
            return new LayerFileName(LayerName.parseBare(text), Optional.empty());
        }
        String bare = text.substring(0, at);
        if (bare.endsWith(OLD_MARK)) {
            bare = bare.substring(0, bare.length() - OLD_MARK.length());
        }
        return of(LayerName.parseBare(bare), Generation.parse(text.substring(at + 1)));
    }

    /**
     * Where the generation's dash is, or -1. Digits of keys and versions are upper-case and never 8 behind a dash, so a
     * suffix cannot be taken for them, nor they for one.
     */
    static int generationAt(String text) {
        int at = text.length() - SUFFIX;
        return at > 0 && text.charAt(at) == '-' && Generation.isSuffix(text.substring(at + 1)) ? at : -1;
    }

    /** As files are called. */
    @Override
    public String toString() {
        return generation.map(number -> layer + "-" + number).orElseGet(layer::toString);
    }
}
