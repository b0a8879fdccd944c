// SPDX-License-Identifier: Apache-2.0
package dev.millrace.transfer;

import java.util.OptionalLong;

/**
 * A stretch of an object's bytes.
 *
 * @param first offset of the first byte
 * @param last offset of the last byte, inclusive as HTTP has it; empty to the object's end
 */
public record ByteRange(long first, OptionalLong last) {
    /** Checks that the range holds at least one byte. */
    public ByteRange {
        if (first < 0 || (last.isPresent() && last.getAsLong() < first)) {
            throw new IllegalArgumentException(
                    "a range needs 0 <= first <= last: " + first + "-" + (last.isPresent() ? last.getAsLong() : ""));
        }
    }

    /** From an offset to the end of the object. */
    public static ByteRange from(long first) {
        return new ByteRange(first, OptionalLong.empty());
    }

    /** From the first to the last byte, both included. */
    public static ByteRange of(long first, long last) {
        return new ByteRange(first, OptionalLong.of(last));
    }

    /** How many bytes it asks for; empty where it reaches to the object's end. */
    public OptionalLong length() {
        return last.isPresent() ? OptionalLong.of(last.getAsLong() - first + 1) : OptionalLong.empty();
    }

    /** The same without its first {@code bytes} bytes, which must leave at least one. */
    ByteRange skip(long bytes) {
        return new ByteRange(first + bytes, last);
    }

    /** As the HTTP header {@code Range} has it: {@code bytes=0-99}, {@code bytes=100-}. */
    @Override
    public String toString() {
        return "bytes=" + first + "-" + (last.isPresent() ? last.getAsLong() : "");
    }
}
