// SPDX-License-Identifier: Apache-2.0
package dev.millrace.transfer;

import java.nio.file.Path;
import java.util.Optional;

/**
 * A file that is there, whole and durable, under its final name.
 *
 * @param target the file, symbolic links followed; an empty path for a stream
 * @param bytes its length
 * @param verified by what checksum its bytes were verified ({@code crc64nvme}, {@code sha256}, ...), or
 *     {@code not verified: } and why. The length was checked in either case.
 * @param retries requests made again, other than for pooled connections that had died
 * @param direct the bytes passed the page cache by
 * @param etag the object's, quotes included, where the store gave one
 */
public record DownloadResult(
        Path target, long bytes, String verified, int retries, boolean direct, Optional<String> etag) {
    /** True where a checksum of the store's was computed from the bytes and is equal. */
    public boolean isVerified() {
        return !verified.startsWith("not verified");
    }
}
