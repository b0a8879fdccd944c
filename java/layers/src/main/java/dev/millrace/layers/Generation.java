// SPDX-License-Identifier: Apache-2.0
package dev.millrace.layers;

import java.util.HexFormat;

/**
 * The number of a server's reign over its tenants. What one generation uploads carries it in its name, so that none
 * overwrites another's. In names 8 lower-case hex digits.
 *
 * @param number 32 bits, unsigned
 */
public record Generation(int number) implements Comparable<Generation> {
    /** The generation of a server that was not told one. */
    public static final Generation FIRST = new Generation(1);

    private static final int DIGITS = 8;

    /**
     * Parses 8 lower-case hex digits.
     *
     * @throws IllegalArgumentException where the text is anything else
     */
    public static Generation parse(String text) {
        if (!isSuffix(text)) {
            throw new IllegalArgumentException("'" + text + "' is not a generation, which is 8 lower-case hex digits");
        }
        return new Generation(Integer.parseUnsignedInt(text, 16));
    }

    /** True where a text has the form of a generation. */
    static boolean isSuffix(String text) {
        return text.length() == DIGITS && Hex.isLower(text);
    }

    /** The one before; the least is its own. */
    public Generation previous() {
        return number == 0 ? this : new Generation(number - 1);
    }

    @Override
    public int compareTo(Generation other) {
        return Integer.compareUnsigned(number, other.number);
    }

    /** 8 lower-case hex digits. */
    @Override
    public String toString() {
        return HexFormat.of().toHexDigits(number);
    }
}
