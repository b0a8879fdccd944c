// SPDX-License-Identifier: Apache-2.0
package dev.millrace.testkit;

import java.util.Optional;
import java.util.OptionalLong;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** One range of a Range header: first and last byte, or a suffix's length where there is no first. */
record ByteRange(OptionalLong first, OptionalLong last) {
    private static final Pattern FORM = Pattern.compile("bytes=(\\d{0,18})-(\\d{0,18})");

    /** Nothing where the header is no single range of bytes, and so is to be ignored. */
    static Optional<ByteRange> parse(String header) {
        Matcher form = FORM.matcher(header.strip());
        if (!form.matches() || (form.group(1).isEmpty() && form.group(2).isEmpty())) {
            return Optional.empty();
        }
        return Optional.of(new ByteRange(number(form.group(1)), number(form.group(2))));
    }

    private static OptionalLong number(String digits) {
        return digits.isEmpty() ? OptionalLong.empty() : OptionalLong.of(Long.parseLong(digits));
    }

    /** First byte and count within an object; nothing if the object has none of these bytes. */
    Optional<long[]> within(long size) {
        if (first.isEmpty()) {
            long count = Math.min(size, last.orElse(0));
            return count == 0 ? Optional.empty() : Optional.of(new long[] {size - count, count});
        }
        long from = first.getAsLong();
        long to = Math.min(last.orElse(Long.MAX_VALUE), size - 1);
        return from >= size || to < from ? Optional.empty() : Optional.of(new long[] {from, to - from + 1});
    }

    ByteRange shift(long by) {
        if (first.isEmpty()) {
            return this;
        }
        long from = Math.max(0, first.getAsLong() + by);
        return new ByteRange(
                OptionalLong.of(from), last.isEmpty() ? last : OptionalLong.of(Math.max(from, last.getAsLong() + by)));
    }

    @Override
    public String toString() {
        return "bytes=" + (first.isPresent() ? first.getAsLong() : "") + "-"
                + (last.isPresent() ? last.getAsLong() : "");
    }
}
