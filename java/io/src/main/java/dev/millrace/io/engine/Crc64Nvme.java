// SPDX-License-Identifier: Apache-2.0
package dev.millrace.io.engine;

import java.nio.ByteBuffer;

/**
 * CRC-64/NVME in pure Java (reflected polynomial 9A6C9329AC4BC9B5, all ones in and out; check value of
 * {@code "123456789"} AE8B14860A799888), eight bytes a step, for where no native code may be loaded.
 */
public final class Crc64Nvme {
    private static final long POLYNOMIAL = 0x9A6C9329AC4BC9B5L;
    private static final long[][] TABLES = tables();

    private Crc64Nvme() {}

    private static long[][] tables() {
        long[][] tables = new long[8][256];
        for (int i = 0; i < 256; i++) {
            long crc = i;
            for (int bit = 0; bit < 8; bit++) {
                crc = (crc >>> 1) ^ ((crc & 1) == 0 ? 0 : POLYNOMIAL);
            }
            tables[0][i] = crc;
        }
        for (int i = 0; i < 256; i++) {
            for (int t = 1; t < 8; t++) {
                long previous = tables[t - 1][i];
                tables[t][i] = (previous >>> 8) ^ tables[0][(int) (previous & 0xff)];
            }
        }
        return tables;
    }

    /** Continues a checksum; seed 0 begins, the result is the seed of the next call. */
    public static long update(long seed, ByteBuffer bytes, int from, int length) {
        long crc = ~seed;
        int at = from;
        int end = from + length;
        ByteBuffer little = bytes.duplicate().order(java.nio.ByteOrder.LITTLE_ENDIAN);
        for (; end - at >= 8; at += 8) {
            long word = crc ^ little.getLong(at);
            crc = 0;
            for (int i = 0; i < 8; i++) {
                crc ^= TABLES[7 - i][(int) (word >>> (8 * i)) & 0xff];
            }
        }
        for (; at < end; at++) {
            crc = (crc >>> 8) ^ TABLES[0][(int) (crc ^ little.get(at)) & 0xff];
        }
        return ~crc;
    }
}
