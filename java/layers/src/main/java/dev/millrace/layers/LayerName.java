// SPDX-License-Identifier: Apache-2.0
package dev.millrace.layers;

/**
 * What a layer is called: of images and deltas the name says what they hold. Its text is the name without a
 * generation, the same as text for all that {@link #parse} takes for one layer.
 *
 * <p>Images are {@code <start>-<end>__<lsn>}, deltas {@code <start>-<end>__<start lsn>-<end lsn>}; what has no {@code __}
 * is a blob.
 */
public sealed interface LayerName {
    /** The longest name of a blob; with a generation and the store's folders it fits every file system. */
    int MAX_BLOB_NAME = 200;

    /** What it holds. */
    LayerKind kind();

    /**
     * An image.
     *
     * @param keys of each of which it has the value, or knows that there is none
     * @param lsn it holds everything at or below
     */
    record Image(KeyRange keys, Lsn lsn) implements LayerName {
        @Override
        public LayerKind kind() {
            return LayerKind.IMAGE;
        }

        @Override
        public String toString() {
            return keys + SEPARATOR + lsn.toName();
        }
    }

    /**
     * A delta.
     *
     * @param keys whose changes it holds
     * @param lsns of which versions
     */
    record Delta(KeyRange keys, LsnRange lsns) implements LayerName {
        @Override
        public LayerKind kind() {
            return LayerKind.DELTA;
        }

        @Override
        public String toString() {
            return keys + SEPARATOR + lsns;
        }
    }

    /**
     * A file of somebody else's format.
     *
     * @param name letters, digits, {@code -} and {@code _}, but no {@code __}; at most {@link #MAX_BLOB_NAME}, and not
     *     ending as a name with a generation does
     */
    record Blob(String name) implements LayerName {
        /** Checks the name. */
        public Blob {
            checkCharacters(name);
            if (name.length() > MAX_BLOB_NAME) {
                throw refused(
                        name, "it has " + name.length() + " characters, at most " + MAX_BLOB_NAME + " are allowed");
            }
            if (name.contains(SEPARATOR)) {
                throw refused(name, "it has __, as the names of images and deltas have");
            }
            if (LayerFileName.generationAt(name) >= 0) {
                throw refused(name, "it ends as a name with a generation does");
            }
        }

        @Override
        public LayerKind kind() {
            return LayerKind.BLOB;
        }

        @Override
        public String toString() {
            return name;
        }
    }

    /** Between keys and versions. */
    String SEPARATOR = "__";

    /**
     * Parses a name, with no suffix, {@code -xxxxxxxx} or {@code -v1-xxxxxxxx}, which all mean the same layer.
     *
     * @throws IllegalArgumentException with the name and the reason
     */
    static LayerName parse(String text) {
        return LayerFileName.parse(text).layer();
    }

    /** The layer of a name without a generation. */
    static LayerName parseBare(String text) {
        checkCharacters(text);
        int separator = text.indexOf(SEPARATOR);
        if (separator < 0) {
            return new Blob(text);
        }
        try {
            String[] keys = halves(text.substring(0, separator), LayerKey.DIGITS, "keys");
            KeyRange range = new KeyRange(LayerKey.parse(keys[0]), LayerKey.parse(keys[1]));
            String versions = text.substring(separator + SEPARATOR.length());
            if (versions.indexOf('-') < 0) {
                return new Image(range, Lsn.parseName(versions));
            }
            String[] lsns = halves(versions, 16, "LSNs");
            return new Delta(range, new LsnRange(Lsn.parseName(lsns[0]), Lsn.parseName(lsns[1])));
        } catch (IllegalArgumentException e) {
            throw refused(text, e.getMessage());
        }
    }

    private static String[] halves(String text, int digits, String what) {
        if (text.length() != 2 * digits + 1 || text.charAt(digits) != '-') {
            throw new IllegalArgumentException("'" + text + "' is not a range of " + what);
        }
        return new String[] {text.substring(0, digits), text.substring(digits + 1)};
    }

    private static void checkCharacters(String text) {
        if (text.isEmpty()) {
            throw refused(text, "it is empty");
        }
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            boolean allowed =
                    c == '-' || c == '_' || (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
            if (!allowed) {
                throw refused(text, "of punctuation only - and _ are allowed, no separators and no dots");
            }
        }
    }

    private static IllegalArgumentException refused(String text, String reason) {
        String shown = text.length() > MAX_BLOB_NAME ? text.substring(0, MAX_BLOB_NAME) + "..." : text;
        return new IllegalArgumentException("'" + shown + "' is not the name of a layer: " + reason);
    }
}
