// SPDX-License-Identifier: Apache-2.0
package dev.millrace.transfer;

import java.text.Normalizer;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Locale;
import java.util.Optional;

/**
 * Remembers as few names as it takes to say of the next one that it cannot be: because an earlier key is a file where this
 * one needs a folder, or because another source has the name already.
 *
 * <p>Keys of a listing come in the order of their bytes, in which everything between {@code a} and {@code a/b} begins with
 * {@code a}: a chain of names that are beginnings of each other is all the memory the first question needs. The second is
 * asked only where there are several sources, or names fold; it takes 16 bytes a name, up to a bound. Not thread-safe.
 */
final class NameLedger {
    private static final int MAX_REMEMBERED = 1_000_000;
    private static final int FIRST_CAPACITY = 1 << 10;

    private final Deque<String> beginnings = new ArrayDeque<>();
    private boolean remembers;
    private boolean folds;
    /** Open addressing: name and source, one after the other; a name of 0 is an empty place. */
    private long[] table = new long[0];

    private int remembered;

    /** Remembers each name and its source from now on. */
    void remember() {
        remembers = true;
    }

    /** Names that differ only in case or composition count as one from now on. */
    void fold() {
        folds = true;
        remembers = true;
    }

    boolean isFolding() {
        return folds;
    }

    /** The earlier name that is a file where {@code name} needs a folder. Then {@code name} is the last one given. */
    Optional<String> fileAbove(String name) {
        while (!beginnings.isEmpty() && !name.startsWith(beginnings.peekLast())) {
            beginnings.removeLast();
        }
        Optional<String> above = Optional.empty();
        for (String earlier : beginnings) {
            if (name.length() > earlier.length() && name.charAt(earlier.length()) == '/') {
                above = Optional.of(earlier);
                break;
            }
        }
        if (!name.endsWith("/") && !name.equals(beginnings.peekLast())) {
            beginnings.addLast(name);
        }
        return above;
    }

    /** What is known of a name. */
    enum Known {
        /** Nothing. */
        NEW,
        /** It came before, from the same source. */
        SAME_SOURCE,
        /** It came before, from another source. */
        OTHER_SOURCE
    }

    /** Whether a name came before, and from where; from now on it has. */
    Known claim(String name, String source) {
        if (!remembers) {
            return Known.NEW;
        }
        String text = folds
                ? Normalizer.normalize(name, Normalizer.Form.NFC)
                        .toUpperCase(Locale.ROOT)
                        .toLowerCase(Locale.ROOT)
                : name;
        long nameHash = hash(text);
        long sourceHash = hash(source);
        if (2 * (remembered + 1) > table.length / 2) {
            grow();
        }
        int at = place(table, nameHash);
        if (table[at] == nameHash) {
            return table[at + 1] == sourceHash ? Known.SAME_SOURCE : Known.OTHER_SOURCE;
        }
        if (remembered < MAX_REMEMBERED) {
            table[at] = nameHash;
            table[at + 1] = sourceHash;
            remembered++;
        }
        return Known.NEW;
    }

    private void grow() {
        if (remembered >= MAX_REMEMBERED) {
            return;
        }
        long[] old = table;
        table = new long[old.length == 0 ? FIRST_CAPACITY : 2 * old.length];
        for (int i = 0; i < old.length; i += 2) {
            if (old[i] != 0) {
                int at = place(table, old[i]);
                table[at] = old[i];
                table[at + 1] = old[i + 1];
            }
        }
    }

    private static int place(long[] table, long nameHash) {
        int mask = table.length / 2 - 1;
        int index = (int) (nameHash >>> 20) & mask;
        while (table[2 * index] != 0 && table[2 * index] != nameHash) {
            index = (index + 1) & mask;
        }
        return 2 * index;
    }

    /** 64 bits of a text, never 0. */
    private static long hash(String text) {
        long hash = 0x9E3779B97F4A7C15L ^ text.length();
        for (int i = 0; i < text.length(); i++) {
            hash = (hash ^ text.charAt(i)) * 0x9FB21C651E98DF25L;
            hash ^= hash >>> 28;
        }
        hash = (hash ^ (hash >>> 32)) * 0xD6E8FEB86659FD93L;
        hash ^= hash >>> 32;
        return hash == 0 ? 1 : hash;
    }
}
