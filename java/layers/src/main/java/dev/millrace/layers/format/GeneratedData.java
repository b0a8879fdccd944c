// SPDX-License-Identifier: Apache-2.0
package dev.millrace.layers.format;

import dev.millrace.layers.LayerKey;
import dev.millrace.layers.Lsn;
import java.nio.ByteBuffer;
import java.util.HexFormat;
import java.util.Optional;

/**
 * Contents of layers that can be told from a seed: key i is i in decimal digits ({@code 0...0000042} for 42), and each byte of
 * a value follows from seed, key and LSN. So every reader can check what it reads without having written it. Any thread.
 *
 * <p>The bytes of a value are SplitMix64's, begun at a mix of seed, key and LSN; of compressible data each eight bytes of it
 * stand four times behind each other.
 */
public final class GeneratedData {
    private static final long GOLDEN = 0x9e3779b97f4a7c15L;
    private static final int REPEATS = 4;

    private final long seed;
    private final int leastBytes;
    private final int mostBytes;
    private final boolean compressible;

    /**
     * Data of a seed.
     *
     * @param leastBytes bytes of a value at least
     * @param mostBytes bytes of a value at most
     */
    public GeneratedData(long seed, int leastBytes, int mostBytes, boolean compressible) {
        if (leastBytes < 0 || mostBytes < leastBytes || mostBytes > LayerWriter.MAX_VALUE_BYTES) {
            throw new IllegalArgumentException("values of " + leastBytes + " to " + mostBytes
                    + " bytes cannot be: 0 to " + LayerWriter.MAX_VALUE_BYTES + " are possible");
        }
        this.seed = seed;
        this.leastBytes = leastBytes;
        this.mostBytes = mostBytes;
        this.compressible = compressible;
    }

    /** The key of a number, which its digits say; keys ascend as numbers do. */
    public static LayerKey key(long number) {
        if (number < 0) {
            throw new IllegalArgumentException("keys are numbered from 0, and not from " + number);
        }
        String digits = Long.toString(number);
        return LayerKey.parse("0".repeat(LayerKey.DIGITS - digits.length()) + digits);
    }

    /** The number of such a key; empty where it is none. */
    public static Optional<Long> number(LayerKey key) {
        try {
            return Optional.of(Long.parseLong(key.toString()));
        } catch (NumberFormatException e) {
            return Optional.empty();
        }
    }

    private long begin(LayerKey key, Lsn lsn) {
        return mix(mix(mix(seed + key.high()) + key.middle()) + key.low() + GOLDEN * lsn.value());
    }

    private static long mix(long value) {
        long mixed = value;
        mixed = (mixed ^ (mixed >>> 30)) * 0xbf58476d1ce4e5b9L;
        mixed = (mixed ^ (mixed >>> 27)) * 0x94d049bb133111ebL;
        return mixed ^ (mixed >>> 31);
    }

    /** Bytes of the value of a key at an LSN. */
    public int length(LayerKey key, Lsn lsn) {
        return leastBytes + (int) Long.remainderUnsigned(begin(key, lsn), mostBytes - leastBytes + 1L);
    }

    /** The value of a key at an LSN. */
    public ByteBuffer value(LayerKey key, Lsn lsn) {
        int length = length(key, lsn);
        ByteBuffer value = ByteBuffer.allocate((length + 7) / 8 * 8);
        long state = begin(key, lsn);
        int times = compressible ? REPEATS : 1;
        while (value.hasRemaining()) {
            state += GOLDEN;
            long word = mix(state);
            for (int i = 0; i < times && value.hasRemaining(); i++) {
                value.putLong(word);
            }
        }
        return value.position(0).limit(length);
    }

    /** What is wrong with a value that was read; empty where nothing is. */
    public Optional<String> defect(LayerKey key, Lsn lsn, ByteBuffer found) {
        ByteBuffer expected = value(key, lsn);
        int at = expected.mismatch(found);
        if (at < 0) {
            return Optional.empty();
        }
        String where = "the value of key " + key + " at " + lsn + " differs from seed " + seed + "'s at byte " + at;
        return Optional.of(
                at < expected.remaining() && at < found.remaining()
                        ? where + ": " + hex(found, at) + " and not " + hex(expected, at)
                        : where + ": it has " + found.remaining() + " bytes and not " + expected.remaining());
    }

    private static String hex(ByteBuffer bytes, int at) {
        return HexFormat.of().toHexDigits(bytes.get(bytes.position() + at));
    }
}
