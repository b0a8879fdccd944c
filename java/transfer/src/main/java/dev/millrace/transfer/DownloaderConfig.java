// SPDX-License-Identifier: Apache-2.0
package dev.millrace.transfer;

import dev.millrace.io.DirectMode;
import java.time.Duration;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * How a {@link Downloader} works. Start with {@link #defaults()} and derive.
 *
 * @param layerPermits downloads at once, other than of index objects
 * @param indexPermits downloads of small index objects at once
 * @param maxWaiting downloads that may be accepted and not yet done; further ones fail at once
 * @param maxTriesWithoutProgress tries in a row that bring no byte beyond the furthest ever reached
 * @param firstByteTimeout from sending a request to the answer's head
 * @param noProgressTimeout window over which a body must come at {@code minBytesPerSecond} or more
 * @param minBytesPerSecond below this rate over a whole window a transfer counts as dead
 * @param budget time for a download in all, waiting and retries included; empty for none
 * @param buffersPerDownload buffers a download may hold, at least 2: one is written while another fills
 * @param publishers threads that sync and rename; as many files are synced at once
 * @param verify checksums are computed and compared
 * @param direct whether files are written past the page cache
 * @param fatalHandler told when the local disk can no longer be trusted, before the download's future fails; a server
 *     logs and halts the process here. Must not block.
 */
public record DownloaderConfig(
        int layerPermits,
        int indexPermits,
        int maxWaiting,
        int maxTriesWithoutProgress,
        Duration firstByteTimeout,
        Duration noProgressTimeout,
        long minBytesPerSecond,
        Optional<Duration> budget,
        int buffersPerDownload,
        int publishers,
        boolean verify,
        DirectMode direct,
        Consumer<DownloadFailure.FatalLocal> fatalHandler) {
    /** Checks the bounds. */
    public DownloaderConfig {
        check(layerPermits, 1, 100_000, "layerPermits");
        check(indexPermits, 1, 100_000, "indexPermits");
        check(maxWaiting, 1, 10_000_000, "maxWaiting");
        check(maxTriesWithoutProgress, 1, 1000, "maxTriesWithoutProgress");
        check(buffersPerDownload, 2, 1024, "buffersPerDownload");
        check(publishers, 1, 1024, "publishers");
        positive(firstByteTimeout, "firstByteTimeout");
        positive(noProgressTimeout, "noProgressTimeout");
        budget.ifPresent(time -> positive(time, "budget"));
        if (minBytesPerSecond < 0) {
            throw new IllegalArgumentException(
                    "minBytesPerSecond is " + minBytesPerSecond + " and must not be negative");
        }
    }

    private static void check(int value, int low, int high, String name) {
        if (value < low || value > high) {
            throw new IllegalArgumentException(name + " is " + value + " and must lie between " + low + " and " + high);
        }
    }

    private static void positive(Duration value, String name) {
        if (value.isNegative() || value.isZero()) {
            throw new IllegalArgumentException(name + " is " + value + " and must be more than nothing");
        }
    }

    /**
     * 200 layers and 100 index objects at once, 11 tries without progress, 30 s to the first byte, 20 s without progress
     * at 1 KiB/s, no budget, 4 buffers, 16 publishers, verified, direct where the file system can.
     */
    public static DownloaderConfig defaults() {
        return new DownloaderConfig(
                200,
                100,
                1_000_000,
                11,
                Duration.ofSeconds(30),
                Duration.ofSeconds(20),
                1024,
                Optional.empty(),
                4,
                16,
                true,
                DirectMode.PREFERRED,
                failure -> {});
    }

    /** The same with so many downloads at once: layers and index objects. */
    public DownloaderConfig withPermits(int layers, int indexes) {
        return with(draft -> {
            draft.layerPermits = layers;
            draft.indexPermits = indexes;
        });
    }

    /** The same with another bound of downloads accepted and not yet done. */
    public DownloaderConfig withMaxWaiting(int downloads) {
        return with(draft -> draft.maxWaiting = downloads);
    }

    /** The same with so many tries without progress. */
    public DownloaderConfig withMaxTriesWithoutProgress(int tries) {
        return with(draft -> draft.maxTriesWithoutProgress = tries);
    }

    /** The same with these limits: to the first byte, and without progress at so many bytes a second. */
    public DownloaderConfig withTimeouts(Duration firstByte, Duration noProgress, long bytesPerSecond) {
        return with(draft -> {
            draft.firstByteTimeout = firstByte;
            draft.noProgressTimeout = noProgress;
            draft.minBytesPerSecond = bytesPerSecond;
        });
    }

    /** The same with a budget of time for each download. */
    public DownloaderConfig withBudget(Duration time) {
        return with(draft -> draft.budget = Optional.of(time));
    }

    /** The same with so many buffers for each download. */
    public DownloaderConfig withBuffersPerDownload(int buffers) {
        return with(draft -> draft.buffersPerDownload = buffers);
    }

    /** The same with checksums compared, or not. */
    public DownloaderConfig withVerify(boolean compare) {
        return with(draft -> draft.verify = compare);
    }

    /** The same with another direct mode. */
    public DownloaderConfig withDirect(DirectMode mode) {
        return with(draft -> draft.direct = mode);
    }

    /** The same with this handler of fatal failures of the local disk. */
    public DownloaderConfig withFatalHandler(Consumer<DownloadFailure.FatalLocal> handler) {
        return with(draft -> draft.fatalHandler = handler);
    }

    private DownloaderConfig with(Consumer<Draft> change) {
        Draft draft = new Draft(this);
        change.accept(draft);
        return draft.finished();
    }

    /** A copy under way: the one place that knows all components, so that each derivation names only its own. */
    private static final class Draft {
        private int layerPermits;
        private int indexPermits;
        private int maxWaiting;
        private int maxTriesWithoutProgress;
        private Duration firstByteTimeout;
        private Duration noProgressTimeout;
        private long minBytesPerSecond;
        private Optional<Duration> budget;
        private int buffersPerDownload;
        private final int publishers;
        private boolean verify;
        private DirectMode direct;
        private Consumer<DownloadFailure.FatalLocal> fatalHandler;

        Draft(DownloaderConfig from) {
            layerPermits = from.layerPermits;
            indexPermits = from.indexPermits;
            maxWaiting = from.maxWaiting;
            maxTriesWithoutProgress = from.maxTriesWithoutProgress;
            firstByteTimeout = from.firstByteTimeout;
            noProgressTimeout = from.noProgressTimeout;
            minBytesPerSecond = from.minBytesPerSecond;
            budget = from.budget;
            buffersPerDownload = from.buffersPerDownload;
            publishers = from.publishers;
            verify = from.verify;
            direct = from.direct;
            fatalHandler = from.fatalHandler;
        }

        DownloaderConfig finished() {
            return new DownloaderConfig(
                    layerPermits,
                    indexPermits,
                    maxWaiting,
                    maxTriesWithoutProgress,
                    firstByteTimeout,
                    noProgressTimeout,
                    minBytesPerSecond,
                    budget,
                    buffersPerDownload,
                    publishers,
                    verify,
                    direct,
                    fatalHandler);
        }
    }
}
