// SPDX-License-Identifier: Apache-2.0
package dev.millrace.transfer;

import java.util.Optional;
import java.util.OptionalLong;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What a 206 says it holds.
 *
 * @param first offset of the first byte
 * @param last offset of the last, inclusive
 * @param total bytes of the whole object, where said
 */
record ContentRange(long first, long last, OptionalLong total) {
    private static final Pattern FORM = Pattern.compile("bytes (\\d{1,18})-(\\d{1,18})/(?:(\\d{1,18})|\\*)");
    private static final Pattern UNSATISFIED = Pattern.compile("bytes \\*/(\\d{1,18})");

    /** Nothing where the text is no range, or an impossible one. */
    static Optional<ContentRange> parse(String text) {
        Matcher matcher = FORM.matcher(text.trim());
        if (!matcher.matches()) {
            return Optional.empty();
        }
        long first = Long.parseLong(matcher.group(1));
        long last = Long.parseLong(matcher.group(2));
        OptionalLong total =
                matcher.group(3) == null ? OptionalLong.empty() : OptionalLong.of(Long.parseLong(matcher.group(3)));
        return first > last || (total.isPresent() && last >= total.getAsLong())
                ? Optional.empty()
                : Optional.of(new ContentRange(first, last, total));
    }

    /** The object's length in the answer to a range outside it: {@code bytes *}{@code /1234}. */
    static OptionalLong totalOfUnsatisfied(String text) {
        Matcher matcher = UNSATISFIED.matcher(text.trim());
        return matcher.matches() ? OptionalLong.of(Long.parseLong(matcher.group(1))) : OptionalLong.empty();
    }
}
