// SPDX-License-Identifier: Apache-2.0
package dev.millrace.server;

import java.util.Locale;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Numbers of bytes as command lines say them. */
final class ByteSize {
    private static final Pattern FORM = Pattern.compile("([0-9]{1,18}) ?([A-Za-z]*)");
    private static final Map<String, Integer> SHIFTS =
            Map.of("", 0, "b", 0, "k", 10, "kib", 10, "m", 20, "mib", 20, "g", 30, "gib", 30, "t", 40, "tib", 40);

    private ByteSize() {}

    /**
     * Parses {@code 4096}, {@code 64KiB}, {@code 10MiB}, {@code 2GiB}, {@code 1TiB}, also without {@code iB}.
     *
     * @throws IllegalArgumentException with a sentence
     */
    static long parse(String text) {
        Matcher matcher = FORM.matcher(text);
        Integer shift = matcher.matches() ? SHIFTS.get(matcher.group(2).toLowerCase(Locale.ROOT)) : null;
        if (shift == null) {
            throw new IllegalArgumentException(
                    "'" + Sentences.oneLine(text) + "' is no number of bytes: write 4096, 64KiB, 10MiB, 2GiB or 1TiB");
        }
        try {
            return Math.multiplyExact(Long.parseLong(matcher.group(1)), 1L << shift);
        } catch (ArithmeticException e) {
            throw new IllegalArgumentException("'" + text + "' is more bytes than can be counted", e);
        }
    }
}
