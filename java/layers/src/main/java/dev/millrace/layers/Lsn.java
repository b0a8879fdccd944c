// SPDX-License-Identifier: Apache-2.0
package dev.millrace.layers;

import java.util.HexFormat;
import java.util.Locale;

/**
 * A version: a log sequence number, unsigned. In names 16 upper-case hex digits, in JSON {@code HI/LO}, upper-case hex
 * without padding.
 *
 * @param value 64 bits, unsigned
 */
public record Lsn(long value) implements Comparable<Lsn> {
    /** Before everything. */
    public static final Lsn ZERO = new Lsn(0);
    /** After everything. */
    public static final Lsn MAX = new Lsn(-1);

    private static final HexFormat HEX = HexFormat.of().withUpperCase();
    private static final int DIGITS = 16;

    /**
     * Parses the form of names: 16 upper-case hex digits.
     *
     * @throws IllegalArgumentException with the reason where the text is anything else
     */
    public static Lsn parseName(String text) {
        if (text.length() != DIGITS || !Hex.isUpper(text)) {
            throw new IllegalArgumentException("'" + text + "' is not an LSN, which is 16 upper-case hex digits");
        }
        return new Lsn(Long.parseUnsignedLong(text, 16));
    }

    /**
     * Parses the form of JSON: {@code HI/LO}, either case of digits.
     *
     * @throws IllegalArgumentException with the reason where the text is anything else
     */
    public static Lsn parse(String text) {
        int slash = text.indexOf('/');
        String high = slash < 0 ? "" : text.substring(0, slash).toUpperCase(Locale.ROOT);
        String low = text.substring(slash + 1).toUpperCase(Locale.ROOT);
        if (high.length() > 8 || low.length() > 8 || !Hex.isUpper(high) || !Hex.isUpper(low)) {
            throw new IllegalArgumentException(
                    "'" + text + "' is not an LSN, which is two hex numbers of 32 bits as in 0/16B9188");
        }
        return new Lsn(Long.parseLong(high, 16) << 32 | Long.parseLong(low, 16));
    }

    /** The version right after this one; {@link #MAX} has none and is its own. */
    public Lsn next() {
        return value == -1 ? this : new Lsn(value + 1);
    }

    @Override
    public int compareTo(Lsn other) {
        return Long.compareUnsigned(value, other.value);
    }

    /** 16 upper-case hex digits, as in names. */
    public String toName() {
        return HEX.toHexDigits(value);
    }

    /** {@code HI/LO}, as in JSON. */
    @Override
    public String toString() {
        return (Long.toHexString(value >>> 32) + '/' + Long.toHexString(value & 0xffffffffL)).toUpperCase(Locale.ROOT);
    }
}
