// SPDX-License-Identifier: Apache-2.0
package dev.millrace.testkit;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.HexFormat;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.Consumer;

/**
 * Bytes of a known length that can be made at any offset, as often as one likes: what a test object consists of.
 * Immutable, and so shared freely between threads. Lengths and offsets are in bytes.
 */
public sealed interface Content permits PatternContent, BytesContent, ZeroContent {
    /** Size of the blocks in which whole contents are walked, in bytes. */
    int BLOCK = 64 << 10;

    /** Exactly these bytes; the array is copied. */
    static Content of(byte[] bytes) {
        return new BytesContent(bytes);
    }

    /** The UTF-8 bytes of a text. */
    static Content of(String text) {
        return new BytesContent(text.getBytes(StandardCharsets.UTF_8));
    }

    /** Pseudo-random bytes that depend on the seed and the offset alone; see {@link PatternContent}. */
    static Content pattern(long seed, long length) {
        return new PatternContent(seed, length);
    }

    /** Nothing but zero bytes: a large object that costs next to nothing to serve. */
    static Content zeros(long length) {
        return new ZeroContent(length);
    }

    /** The length in bytes. */
    long length();

    /**
     * Fills the rest of a buffer with the bytes from {@code offset} on and moves its position to its limit.
     *
     * @throws IndexOutOfBoundsException if that would reach beyond the end
     */
    void fill(long offset, ByteBuffer into);

    /**
     * Where the rest of {@code actual} first differs from the bytes from {@code offset} on: an offset in this content,
     * or nothing if they are equal. Bytes beyond the end differ. The buffer's position stays as it is.
     */
    default OptionalLong firstDifference(long offset, ByteBuffer actual) {
        ByteBuffer rest = actual.duplicate();
        byte[] expected = new byte[BLOCK];
        for (long at = offset; rest.hasRemaining(); ) {
            int count = (int) Math.min(Math.min(BLOCK, rest.remaining()), length() - at);
            if (count <= 0) {
                return OptionalLong.of(at);
            }
            ByteBuffer want = ByteBuffer.wrap(expected, 0, count);
            fill(at, want);
            want.flip();
            ByteBuffer got = rest.slice(rest.position(), count);
            int mismatch = want.mismatch(got);
            if (mismatch >= 0) {
                return OptionalLong.of(at + mismatch);
            }
            rest.position(rest.position() + count);
            at += count;
        }
        return OptionalLong.empty();
    }

    /** In what a file differs from this content, as a sentence; nothing if it is the same byte for byte. */
    default Optional<String> differenceFrom(Path file) throws IOException {
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
            if (channel.size() != length()) {
                return Optional.of(file + " has " + channel.size() + " bytes instead of " + length() + ".");
            }
            ByteBuffer block = ByteBuffer.allocate(BLOCK);
            for (long at = 0; at < length(); ) {
                block.clear();
                int count = channel.read(block, at);
                if (count <= 0) {
                    return Optional.of(file + " ends at byte " + at + " instead of " + length() + ".");
                }
                OptionalLong difference = firstDifference(at, block.flip());
                if (difference.isPresent()) {
                    return Optional.of(file + " has a wrong byte at offset " + difference.getAsLong() + ".");
                }
                at += count;
            }
            return Optional.empty();
        }
    }

    /** A stream of the whole; it holds no resources, so that it need not be closed. */
    default InputStream stream() {
        return stream(0, length());
    }

    /** A stream of {@code count} bytes from {@code offset} on; it holds no resources. */
    default InputStream stream(long offset, long count) {
        return new ContentStream(this, offset, count);
    }

    /** All bytes in an array; for contents under 2 GiB. */
    default byte[] toBytes() {
        byte[] bytes = new byte[Math.toIntExact(length())];
        fill(0, ByteBuffer.wrap(bytes));
        return bytes;
    }

    /** SHA-256 of the whole in lower-case hexadecimal digits. */
    default String sha256() {
        return HexFormat.of().formatHex(S3Checksum.SHA256.digest(this));
    }

    /** CRC-32C of the whole. */
    default int crc32c() {
        return ByteBuffer.wrap(S3Checksum.CRC32C.digest(this)).getInt();
    }

    /** CRC-64/NVME of the whole. */
    default long crc64nvme() {
        return ByteBuffer.wrap(S3Checksum.CRC64NVME.digest(this)).getLong();
    }

    /** Shows the whole, block by block and in order. The buffer belongs to the callee until it returns. */
    default void forEachBlock(Consumer<ByteBuffer> each) {
        ByteBuffer block = ByteBuffer.allocate(BLOCK);
        for (long at = 0; at < length(); at += block.limit()) {
            block.clear().limit((int) Math.min(BLOCK, length() - at));
            fill(at, block);
            each.accept(block.flip());
        }
    }

    /** Checks that {@code count} bytes from {@code offset} on lie within a length; what every {@link #fill} begins with. */
    static void checkRange(long offset, long count, long length) {
        Objects.checkFromIndexSize(offset, count, length);
    }
}
