// SPDX-License-Identifier: Apache-2.0
package dev.millrace.io;

/**
 * A read of wanted bytes at any offset, as direct I/O takes it: widened to the alignment on both sides.
 *
 * @param start offset of what is read
 * @param length bytes that are read
 * @param skip bytes before those that are wanted
 * @param wanted bytes that are wanted
 */
record WidenedRead(long start, int length, int skip, int wanted) {

    /** The first read, into one buffer, of {@code remaining} bytes at an offset. */
    static WidenedRead of(long position, long remaining, int bufferSize, Alignment alignment) {
        long start = alignment.roundDown(position);
        int skip = (int) (position - start);
        int wanted = (int) Math.min(remaining, bufferSize - skip);
        return new WidenedRead(start, (int) alignment.roundUp(skip + wanted), skip, wanted);
    }

    /** Of {@code got} bytes that were read, those that were wanted. */
    int useful(int got) {
        return Math.max(0, Math.min(wanted, got - skip));
    }
}
