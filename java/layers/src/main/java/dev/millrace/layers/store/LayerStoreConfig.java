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
        return new LayerStoreConfig(
                number,
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

    /** The same with these bounds: bytes of layers, percent of the file system, bytes left free on it. */
    public LayerStoreConfig withBounds(long residentBytes, int usagePercent, long availableBytes) {
        return new LayerStoreConfig(
                generation,
                residentBytes,
                usagePercent,
                availableBytes,
                tenantMinimumBytes,
                spaceTimeout,
                boundsInterval,
                threads,
                blockCacheBytes,
                downloader,
                fatalHandler);
    }

    /** The same with so many bytes of each tenant's that stay while others' can go. */
    public LayerStoreConfig withTenantMinimum(long bytes) {
        return new LayerStoreConfig(
                generation,
                maxResidentBytes,
                maxUsagePercent,
                minAvailableBytes,
                bytes,
                spaceTimeout,
                boundsInterval,
                threads,
                blockCacheBytes,
                downloader,
                fatalHandler);
    }

    /** The same with these times: how long to wait for room, and between two looks at the bounds. */
    public LayerStoreConfig withTimes(Duration forSpace, Duration betweenLooks) {
        return new LayerStoreConfig(
                generation,
                maxResidentBytes,
                maxUsagePercent,
                minAvailableBytes,
                tenantMinimumBytes,
                forSpace,
                betweenLooks,
                threads,
                blockCacheBytes,
                downloader,
                fatalHandler);
    }

    /** The same with so many bytes of index blocks in memory. */
    public LayerStoreConfig withBlockCache(long bytes) {
        return new LayerStoreConfig(
                generation,
                maxResidentBytes,
                maxUsagePercent,
                minAvailableBytes,
                tenantMinimumBytes,
                spaceTimeout,
                boundsInterval,
                threads,
                bytes,
                downloader,
                fatalHandler);
    }

    /** The same with downloads that work so. */
    public LayerStoreConfig withDownloader(DownloaderConfig config) {
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
                config,
                fatalHandler);
    }

    /** The same with this handler of fatal failures of the local disk. */
    public LayerStoreConfig withFatalHandler(Consumer<IOException> handler) {
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
                handler);
    }
}
