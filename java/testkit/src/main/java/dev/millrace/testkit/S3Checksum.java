// SPDX-License-Identifier: Apache-2.0
package dev.millrace.testkit;

import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Base64;
import java.util.Locale;
import java.util.zip.CRC32;
import java.util.zip.CRC32C;
import java.util.zip.Checksum;

/** The additional checksums of S3, and how each is written in a header: base64 of its big-endian bytes. */
public enum S3Checksum {
    CRC32,
    CRC32C,
    CRC64NVME,
    SHA1,
    SHA256;

    /** The header that carries it, such as {@code x-amz-checksum-crc64nvme}. */
    public String header() {
        return "x-amz-checksum-" + name().toLowerCase(Locale.ROOT);
    }

    /** The value of the whole content as a header has it. Reads all of it once; memory is flat. */
    public String of(Content content) {
        return Base64.getEncoder().encodeToString(digest(content));
    }

    byte[] digest(Content content) {
        return switch (this) {
            case CRC32 ->
                ByteBuffer.allocate(4).putInt((int) run(new CRC32(), content)).array();
            case CRC32C ->
                ByteBuffer.allocate(4).putInt((int) run(new CRC32C(), content)).array();
            case CRC64NVME ->
                ByteBuffer.allocate(8).putLong(run(new Crc64Nvme(), content)).array();
            case SHA1 -> hash("SHA-1", content);
            case SHA256 -> hash("SHA-256", content);
        };
    }

    private static long run(Checksum checksum, Content content) {
        content.forEachBlock(block -> checksum.update(block));
        return checksum.getValue();
    }

    private static byte[] hash(String algorithm, Content content) {
        try {
            MessageDigest digest = MessageDigest.getInstance(algorithm);
            content.forEachBlock(digest::update);
            return digest.digest();
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("This Java runtime lacks " + algorithm + ".", e);
        }
    }
}
