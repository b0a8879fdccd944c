// SPDX-License-Identifier: Apache-2.0
package dev.millrace.layers;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.HexFormat;
import java.util.Optional;

/**
 * A key of 18 bytes, ordered as its bytes are, unsigned. As text 36 upper-case hex digits.
 *
 * @param high bytes 0 to 7, big-endian
 * @param middle bytes 8 to 15, big-endian
 * @param low bytes 16 and 17, big-endian: 0 to 65535
 */
public record LayerKey(long high, long middle, int low) implements Comparable<LayerKey> {
    /** Bytes of a key. */
    public static final int BYTES = 18;
    /** Digits of a key's text. */
    public static final int DIGITS = 2 * BYTES;
    /** The least key. */
    public static final LayerKey MIN = new LayerKey(0, 0, 0);
    /** The greatest key, which as the end of a half-open range no range holds. */
    public static final LayerKey MAX = new LayerKey(-1, -1, 0xffff);

    private static final HexFormat HEX = HexFormat.of().withUpperCase();

    /** Checks {@code low}. */
    public LayerKey {
        if ((low & ~0xffff) != 0) {
            throw new IllegalArgumentException("the last two bytes of a key are " + low + ", not 0 to 65535");
        }
    }

    /**
     * Parses 36 upper-case hex digits.
     *
     * @throws IllegalArgumentException with the reason where the text is anything else
     */
    public static LayerKey parse(String text) {
        if (text.length() != DIGITS || !Hex.isUpper(text)) {
            throw new IllegalArgumentException("'" + text + "' is not a key, which is 36 upper-case hex digits");
        }
        return new LayerKey(
                Long.parseUnsignedLong(text, 0, 16, 16),
                Long.parseUnsignedLong(text, 16, 32, 16),
                Integer.parseInt(text, 32, 36, 16));
    }

    /** The key in 18 bytes from an index on, which does not move the buffer; its order of bytes does not matter. */
    public static LayerKey get(ByteBuffer from, int at) {
        ByteBuffer big = from.duplicate().order(ByteOrder.BIG_ENDIAN);
        return new LayerKey(big.getLong(at), big.getLong(at + 8), Short.toUnsignedInt(big.getShort(at + 16)));
    }

    /** Puts the key's 18 bytes at an index, which does not move the buffer; its order of bytes does not matter. */
    public void put(ByteBuffer into, int at) {
        into.duplicate()
                .order(ByteOrder.BIG_ENDIAN)
                .putLong(at, high)
                .putLong(at + 8, middle)
                .putShort(at + 16, (short) low);
    }

    /** The least key above this one; none above {@link #MAX}. */
    public Optional<LayerKey> next() {
        if (low < 0xffff) {
            return Optional.of(new LayerKey(high, middle, low + 1));
        }
        if (middle != -1) {
            return Optional.of(new LayerKey(high, middle + 1, 0));
        }
        return high == -1 ? Optional.empty() : Optional.of(new LayerKey(high + 1, 0, 0));
    }

    @Override
    public int compareTo(LayerKey other) {
        int order = Long.compareUnsigned(high, other.high);
        if (order == 0) {
            order = Long.compareUnsigned(middle, other.middle);
        }
        return order == 0 ? Integer.compare(low, other.low) : order;
    }

    /** 36 upper-case hex digits. */
    @Override
    public String toString() {
        return HEX.toHexDigits(high) + HEX.toHexDigits(middle) + HEX.toHexDigits((short) low);
    }
}
