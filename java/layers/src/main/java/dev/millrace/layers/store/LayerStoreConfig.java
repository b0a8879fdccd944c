// SPDX-License-Identifier: Apache-2.0
package dev.millrace.layers.store;

import dev.millrace.layers.Generation;
import dev.millrace.transfer.DownloaderConfig;
import java.io.IOException;
import java.time.Duration;
import java.util.function.Consumer;
import org.slf4j.LoggerFactory;

/**
 * How a {@link LayerStore} works. Start with {@link #defaults()} and derive.
 *
 * @param generation the server runs in
 * @param maxResidentBytes of layers on local disk, those being downloaded included; {@link Long#MAX_VALUE} for no bound
 * @param maxUsagePercent of the file system, whoever uses it: 1 to 100
 * @param minAvailableBytes to be left free on the file system
 * @param tenantMinimumBytes of a tenant's layers that stay while other tenants' can go
 * @param spaceTimeout how long a download waits for room while evictions may still make some
 * @param boundsInterval between two looks at whether a bound is passed
 * @param threads that open and remove files and read indexes, at most
 * @param blockCacheBytes of blocks of layers' indexes that are kept in memory, at least 8192
 * @param downloader how downloads work; its handler of fatal failures is replaced by the one here
 * @param fatalHandler told when the local disk can no longer be trusted (EIO, EROFS, EACCES, a failed fsync), before whoever
 *     asked hears of it; a server logs and halts the process here. Must not block.
 */
public record LayerStoreConfig(
        Generation generation,
        long maxResidentBytes,
        int maxUsagePercent,
        long minAvailableBytes,
        long tenantMinimumBytes,
        Duration spaceTimeout,
        Duration boundsInterval,
        int threads,
        long blockCacheBytes,
        DownloaderConfig downloader,
        Consumer<IOException> fatalHandler) {
    /** Checks the bounds. */
    public LayerStoreConfig {
        check(maxResidentBytes >= 0, "maxResidentBytes", maxResidentBytes, "0 or more");
        check(maxUsagePercent >= 1 && maxUsagePercent <= 100, "maxUsagePercent", maxUsagePercent, "1 to 100");
        check(minAvailableBytes >= 0, "minAvailableBytes", minAvailableBytes, "0 or more");
        check(tenantMinimumBytes >= 0, "tenantMinimumBytes", tenantMinimumBytes, "0 or more");
        check(!spaceTimeout.isNegative(), "spaceTimeout", spaceTimeout, "0 or more");
        check(
                !boundsInterval.isNegative() && !boundsInterval.isZero(),
                "boundsInterval",
                boundsInterval,
                "more than 0");
        check(threads >= 1 && threads <= 1024, "threads", threads, "1 to 1024");
    }

    private static void check(boolean holds, String name, Object value, String wanted) {
        if (!holds) {
            throw new IllegalArgumentException(name + " is " + value + " and must be " + wanted);
        }
    }

    /**
     * Generation 1, no bounds but the disk's own, 60 s for room, bounds looked at every 10 s, 16 threads, 64 MiB of
     * index blocks; fatal failures are logged.
     */
    public static LayerStoreConfig defaults() {
        return new LayerStoreConfig(
                Generation.FIRST,
                Long.MAX_VALUE,
                100,
                0,
                0,
                Duration.ofSeconds(60),
                Duration.ofSeconds(10),
                16,
                64 << 20,
                DownloaderConfig.defaults(),
                failure -> LoggerFactory.getLogger(LayerStore.class)
                        .error("The local disk can no longer be trusted: {}", failure.getMessage()));
    }

    /** The same in another generation. */
    public LayerStoreConfig withGeneration(Generation number) {
        return with(draft -> draft.generation = number);
    }

    /** The same with these bounds: bytes of layers, percent of the file system, bytes left free on it. */
    public LayerStoreConfig withBounds(long residentBytes, int usagePercent, long availableBytes) {
        return with(draft -> {
            draft.maxResidentBytes = residentBytes;
            draft.maxUsagePercent = usagePercent;
            draft.minAvailableBytes = availableBytes;
        });
    }

    /** The same with so many bytes of each tenant's that stay while others' can go. */
    public LayerStoreConfig withTenantMinimum(long bytes) {
        return with(draft -> draft.tenantMinimumBytes = bytes);
    }

    /** The same with these times: how long to wait for room, and between two looks at the bounds. */
    public LayerStoreConfig withTimes(Duration forSpace, Duration betweenLooks) {
        return with(draft -> {
            draft.spaceTimeout = forSpace;
            draft.boundsInterval = betweenLooks;
        });
    }

    /** The same with so many bytes of index blocks in memory. */
    public LayerStoreConfig withBlockCache(long bytes) {
        return with(draft -> draft.blockCacheBytes = bytes);
    }

    /** The same with downloads that work so. */
    public LayerStoreConfig withDownloader(DownloaderConfig config) {
        return with(draft -> draft.downloader = config);
    }

    /** The same with this handler of fatal failures of the local disk. */
    public LayerStoreConfig withFatalHandler(Consumer<IOException> handler) {
        return with(draft -> draft.fatalHandler = handler);
    }

    private LayerStoreConfig with(Consumer<Draft> change) {
        Draft draft = new Draft(this);
        change.accept(draft);
        return draft.finish();
    }

    /** The one place that copies all components, so that each change names only what it changes. */
    private static final class Draft {
        private Generation generation;
        private long maxResidentBytes;
        private int maxUsagePercent;
        private long minAvailableBytes;
        private long tenantMinimumBytes;
        private Duration spaceTimeout;
        private Duration boundsInterval;
        private final int threads;
        private long blockCacheBytes;
        private DownloaderConfig downloader;
        private Consumer<IOException> fatalHandler;

        Draft(LayerStoreConfig from) {
            generation = from.generation;
            maxResidentBytes = from.maxResidentBytes;
            maxUsagePercent = from.maxUsagePercent;
            minAvailableBytes = from.minAvailableBytes;
            tenantMinimumBytes = from.tenantMinimumBytes;
            spaceTimeout = from.spaceTimeout;
            boundsInterval = from.boundsInterval;
            threads = from.threads;
            blockCacheBytes = from.blockCacheBytes;
            downloader = from.downloader;
            fatalHandler = from.fatalHandler;
        }

        LayerStoreConfig finish() {
            return new LayerStoreConfig(
                    generation,
                    maxResidentBytes,
                    maxUsagePercent,
                    minAvailableBytes,
                    tenantMinimumBytes,
                    spaceTimeout,
                    boundsInterval,
                    threads,
                    blockCacheBytes,
                    downloader,
                    fatalHandler);
        }
    }
}
