// SPDX-License-Identifier: Apache-2.0
package dev.millrace.layers.store;

import dev.millrace.layers.TaskKind;
import java.time.Duration;
import java.util.Map;

/**
 * What a store has done since it was opened, and what it has. Evictions started are those completed, those cancelled for
 * any reason, and those that still wait.
 *
 * @param residentBytes of layers on local disk
 * @param residentLayers how many those are
 * @param downloads completed, by who asked first and why
 * @param downloadedBytesByCause of those
 * @param downloadsFailed without those cancelled
 * @param downloadsCancelled by detaching or closing
 * @param waits reads that had to wait for a download
 * @param waitNanos how long they waited in all, until the layer was there, or could not be had, or they gave up
 * @param evictionsStarted taken up
 * @param evictionsCompleted with the file gone
 * @param evictionsCancelled by reason; none is missing
 * @param evictions started, by reason; none is missing
 * @param evictedBytes of those completed
 * @param redownloadedAfter on-demand downloads of layers that had been evicted, by the time since: each bound counts those
 *     at most so much later and more than the bound before it; the last is {@link #EVER}
 * @param localFilesMissing found missing when they were to be opened
 * @param localFilesShort found with another length
 * @param localFilesNotRegular found to be no file
 * @param localFilesRotten found with bytes that are not those written
 * @param denied reads that would have needed a download and must not have one
 * @param unexpectedDownloads reads that needed a download and were to say so
 * @param noSpace downloads that found no room, after eviction was asked
 * @param io operations on layers' files and the time they took; none is missing
 */
public record StoreMetrics(
        long residentBytes,
        long residentLayers,
        Map<DownloadCause, Long> downloads,
        Map<DownloadCause, Long> downloadedBytesByCause,
        long downloadsFailed,
        long downloadsCancelled,
        long waits,
        long waitNanos,
        long evictionsStarted,
        long evictionsCompleted,
        Map<EvictionOutcome, Long> evictionsCancelled,
        Map<EvictionReason, Long> evictions,
        long evictedBytes,
        Map<Duration, Long> redownloadedAfter,
        long localFilesMissing,
        long localFilesShort,
        long localFilesNotRegular,
        long localFilesRotten,
        long denied,
        long unexpectedDownloads,
        long noSpace,
        Map<IoOperation, IoTime> io) {
    /** The last bound of {@link #redownloadedAfter}: at any time. */
    public static final Duration EVER = Duration.ofSeconds(Long.MAX_VALUE);

    /** Copies the maps. */
    public StoreMetrics {
        downloads = Map.copyOf(downloads);
        downloadedBytesByCause = Map.copyOf(downloadedBytesByCause);
        evictionsCancelled = Map.copyOf(evictionsCancelled);
        evictions = Map.copyOf(evictions);
        redownloadedAfter = Map.copyOf(redownloadedAfter);
        io = Map.copyOf(io);
    }

    /**
     * Who caused a download.
     *
     * @param task who asked first
     * @param reason why
     */
    public record DownloadCause(TaskKind task, DownloadReason reason) {}

    /**
     * Operations of one kind.
     *
     * @param operations how many
     * @param nanos how long they took in all; what was under way at once counts each by itself
     */
    public record IoTime(long operations, long nanos) {}

    /** Downloads completed, whoever asked. */
    public long downloadsCompleted() {
        return sum(downloads);
    }

    /** Bytes of those. */
    public long downloadedBytes() {
        return sum(downloadedBytesByCause);
    }

    private static long sum(Map<DownloadCause, Long> byCause) {
        return byCause.values().stream().mapToLong(Long::longValue).sum();
    }
}
