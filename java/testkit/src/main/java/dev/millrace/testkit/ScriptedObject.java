// SPDX-License-Identifier: Apache-2.0
package dev.millrace.testkit;

import java.nio.ByteBuffer;
import java.util.EnumSet;
import java.util.HexFormat;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;

/**
 * An object of a {@link ScriptedServer}: content, identity, and the ways in which the server treats it badly. A value;
 * each {@code with...} gives another.
 *
 * @param content the bytes
 * @param etag the ETag header as sent, quotes and {@code W/} included; without, there is none
 * @param headers further headers of each answer with this object
 * @param checksums the headers that are added where the request switched the checksum mode on
 * @param quirks what the server does badly
 * @param listedSize the size that listings claim; without, the true one
 * @param partSize where the object was uploaded in parts, their size in bytes: {@code partNumber} is honoured
 */
public record ScriptedObject(
        Content content,
        Optional<String> etag,
        Headers headers,
        Headers checksums,
        Set<Quirk> quirks,
        OptionalLong listedSize,
        OptionalLong partSize) {

    /** What a server may do badly with an object. */
    public enum Quirk {
        /** Range is ignored: 200 and the whole. */
        IGNORES_RANGE,
        /** Every range is refused with 416, whatever it asks for. */
        REFUSES_RANGES,
        /** If-Match is ignored. */
        IGNORES_IF_MATCH,
        /** The checksum of the whole is sent with partial answers, too. */
        CHECKSUM_ON_PARTIAL_ANSWERS
    }

    public ScriptedObject {
        quirks = Set.copyOf(quirks);
    }

    /** An honest object with a strong ETag of its content. */
    public static ScriptedObject of(Content content) {
        return new ScriptedObject(
                content,
                Optional.of(defaultETag(content)),
                Headers.none(),
                Headers.none(),
                Set.of(),
                OptionalLong.empty(),
                OptionalLong.empty());
    }

    /** Looks like an MD5 and is none, as the ETags of many stores do. */
    private static String defaultETag(Content content) {
        Crc64Nvme crc = new Crc64Nvme();
        ByteBuffer start = ByteBuffer.allocate((int) Math.min(Content.BLOCK, content.length()));
        content.fill(0, start);
        crc.update(start.flip());
        byte[] tag = ByteBuffer.allocate(16)
                .putLong(crc.getValue())
                .putLong(content.length())
                .array();
        return '"' + HexFormat.of().formatHex(tag) + '"';
    }

    /** With another ETag header, exactly as given. */
    public ScriptedObject withETag(String header) {
        return new ScriptedObject(content, Optional.of(header), headers, checksums, quirks, listedSize, partSize);
    }

    /** Without an ETag. */
    public ScriptedObject withoutETag() {
        return new ScriptedObject(content, Optional.empty(), headers, checksums, quirks, listedSize, partSize);
    }

    /** With one more header, or another value of one. */
    public ScriptedObject withHeader(String name, String value) {
        return new ScriptedObject(content, etag, headers.with(name, value), checksums, quirks, listedSize, partSize);
    }

    /** With a version: sent with each answer, and any other version is refused with {@code NoSuchVersion}. */
    public ScriptedObject withVersion(String version) {
        return withHeader("x-amz-version-id", version);
    }

    /** With the true checksum of the whole object. Computes it: one pass over the content. */
    public ScriptedObject withChecksum(S3Checksum kind) {
        return withChecksum(kind, kind.of(content), "FULL_OBJECT");
    }

    /**
     * With a checksum of one's choice.
     *
     * @param value as sent, such as {@code "q8wtWQ==-3"}
     * @param type {@code FULL_OBJECT} or {@code COMPOSITE}; sent as {@code x-amz-checksum-type}
     */
    public ScriptedObject withChecksum(S3Checksum kind, String value, String type) {
        Headers sums = checksums.with(kind.header(), value).with("x-amz-checksum-type", type);
        return new ScriptedObject(content, etag, headers, sums, quirks, listedSize, partSize);
    }

    /** With one more quirk. */
    public ScriptedObject with(Quirk quirk) {
        Set<Quirk> more = EnumSet.of(quirk);
        more.addAll(quirks);
        return new ScriptedObject(content, etag, headers, checksums, more, listedSize, partSize);
    }

    /** With a size in listings that is not the object's. */
    public ScriptedObject withListedSize(long bytes) {
        return new ScriptedObject(content, etag, headers, checksums, quirks, OptionalLong.of(bytes), partSize);
    }

    /** As if uploaded in parts of that many bytes. */
    public ScriptedObject withParts(long bytes) {
        return new ScriptedObject(content, etag, headers, checksums, quirks, listedSize, OptionalLong.of(bytes));
    }

    boolean has(Quirk quirk) {
        return quirks.contains(quirk);
    }
}
