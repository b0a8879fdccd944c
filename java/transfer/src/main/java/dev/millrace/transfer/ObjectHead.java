// SPDX-License-Identifier: Apache-2.0
package dev.millrace.transfer;

import java.time.Instant;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * What an answer says before its body.
 *
 * @param status the HTTP status: 200, or 206 for a range
 * @param contentLength bytes of this answer's body; empty where it comes in chunks or without framing
 * @param chunked the body's end is marked by its own framing (chunked transfer)
 * @param contentRange what a 206 holds, as sent: {@code bytes 0-99/1234}
 * @param etag the object's identity as sent, quotes included; never an MD5
 * @param checksums base64 of the object's checksums by algorithm in lower case: {@code crc64nvme}, {@code sha256}, ...
 * @param checksumType {@code FULL_OBJECT} or {@code COMPOSITE}, where said
 * @param contentEncoding as sent; the bytes are never decoded
 * @param contentType as sent
 * @param lastModified where said
 * @param versionId of the object, where the bucket has versions
 */
public record ObjectHead(
        int status,
        OptionalLong contentLength,
        boolean chunked,
        Optional<String> contentRange,
        Optional<String> etag,
        Map<String, String> checksums,
        Optional<String> checksumType,
        Optional<String> contentEncoding,
        Optional<String> contentType,
        Optional<Instant> lastModified,
        Optional<String> versionId) {
    /** Copies the checksums. */
    public ObjectHead {
        checksums = Map.copyOf(checksums);
    }

    /** The same, with nothing that tells where the body ends. */
    ObjectHead unframed() {
        return new ObjectHead(
                status,
                OptionalLong.empty(),
                false,
                contentRange,
                etag,
                checksums,
                checksumType,
                contentEncoding,
                contentType,
                lastModified,
                versionId);
    }

    /** The ETag, where it identifies the bytes: {@code W/} ones only promise that they mean the same. */
    public Optional<String> strongETag() {
        return etag.filter(tag -> !tag.startsWith("W/"));
    }
}
