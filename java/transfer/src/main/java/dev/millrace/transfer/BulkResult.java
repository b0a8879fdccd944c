// SPDX-License-Identifier: Apache-2.0
package dev.millrace.transfer;

import java.util.Map;

/**
 * What became of many objects.
 *
 * @param objects complete
 * @param failed named to the listener, each with its cause
 * @param cancelled not fetched, or not to the end, because the download was cancelled
 * @param bytes of the complete ones
 * @param retries of the complete ones
 * @param direct of the complete ones those written past the page cache
 * @param folders of the complete ones those that are empty folder markers
 * @param verified how many were verified by what, as {@link DownloadResult#verified} says it
 */
public record BulkResult(
        long objects,
        long failed,
        long cancelled,
        long bytes,
        long retries,
        long direct,
        long folders,
        Map<String, Long> verified) {
    /** Copies the map. */
    public BulkResult {
        verified = Map.copyOf(verified);
    }

    /** True where every matched object is complete, and there was one. */
    public boolean isComplete() {
        return failed == 0 && cancelled == 0 && objects > 0;
    }
}
