// SPDX-License-Identifier: Apache-2.0
package dev.millrace.testkit;

import java.util.zip.Checksum;

/**
 * CRC-64/NVME (Rocksoft), reflected polynomial 9A6C9329AC4BC9B5, eight bytes a step by tables. Its check value, that
 * of the ASCII digits {@code 123456789}, is AE8B14860A799888. Written anew here on purpose: the product's own code
 * must not be what its tests hold it against. Not thread-safe.
 */
public final class Crc64Nvme implements Checksum {
    private static final long POLYNOMIAL = 0x9A6C9329AC4BC9B5L;
    private static final long[][] TABLES = tables();

    private long state = ~0L;

    private static long[][] tables() {
        long[][] tables = new long[8][256];
        for (int i = 0; i < 256; i++) {
            long crc = i;
            for (int bit = 0; bit < 8; bit++) {
                crc = (crc & 1) != 0 ? (crc >>> 1) ^ POLYNOMIAL : crc >>> 1;
            }
            tables[0][i] = crc;
        }
        for (int i = 0; i < 256; i++) {
            for (int t = 1; t < 8; t++) {
                long before = tables[t - 1][i];
                tables[t][i] = tables[0][(int) (before & 0xFF)] ^ (before >>> 8);
            }
        }
        return tables;
    }

    @Override
    public void update(int b) {
        state = TABLES[0][(int) ((state ^ b) & 0xFF)] ^ (state >>> 8);
    }

    @Override
    public void update(byte[] bytes, int from, int count) {
        long crc = state;
        int at = from;
        int end = from + count;
        for (; at + 8 <= end; at += 8) {
            long word = 0;
            for (int i = 7; i >= 0; i--) {
                word = (word << 8) | (bytes[at + i] & 0xFF);
            }
            crc ^= word;
            crc = TABLES[7][(int) (crc & 0xFF)]
                    ^ TABLES[6][(int) (crc >>> 8 & 0xFF)]
                    ^ TABLES[5][(int) (crc >>> 16 & 0xFF)]
                    ^ TABLES[4][(int) (crc >>> 24 & 0xFF)]
                    ^ TABLES[3][(int) (crc >>> 32 & 0xFF)]
                    ^ TABLES[2][(int) (crc >>> 40 & 0xFF)]
                    ^ TABLES[1][(int) (crc >>> 48 & 0xFF)]
                    ^ TABLES[0][(int) (crc >>> 56 & 0xFF)];
        }
        for (; at < end; at++) {
            crc = TABLES[0][(int) ((crc ^ bytes[at]) & 0xFF)] ^ (crc >>> 8);
        }
        state = crc;
    }

    /** The checksum of what was given so far, all 64 bits of it. */
    @Override
    public long getValue() {
        return ~state;
    }

    @Override
    public void reset() {
        state = ~0L;
    }
}
