// SPDX-License-Identifier: Apache-2.0
package dev.millrace.benchmarks;

import dev.millrace.io.EngineKind;
import dev.millrace.io.EngineUnavailableException;
import dev.millrace.io.IoEngine;
import dev.millrace.io.IoEngineConfig;
import dev.millrace.transfer.DownloadRequest;
import dev.millrace.transfer.DownloadResult;
import dev.millrace.transfer.Downloader;
import dev.millrace.transfer.DownloaderConfig;
import dev.millrace.transfer.ObjectId;
import dev.millrace.transfer.S3Source;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.stream.Collectors;

/** Ours: what {@code millrace get} does, by the library's API. */
final class MillraceDownloads implements Contender {
    private final IoEngine engine;
    private final S3Source source;
    private final Downloader downloader;

    MillraceDownloads(Optional<EngineKind> kind, Optional<String> binding, S3Options s3, Sizes sizes)
            throws EngineUnavailableException {
        IoEngineConfig config =
                IoEngineConfig.defaults().withEngine(kind).withPool(sizes.buffers(), sizes.bufferBytes());
        engine = IoEngine.open(binding.map(config::withBinding).orElse(config));
        source = s3.source();
        downloader = Downloader.open(
                engine,
                source,
                DownloaderConfig.defaults()
                        .withPermits(sizes.concurrency(), sizes.concurrency())
                        .withBuffersPerDownload(sizes.perDownload()));
    }

    /**
     * How much at once.
     *
     * @param concurrency downloads
     * @param buffers of the pool
     * @param bufferBytes bytes of each
     */
    record Sizes(int concurrency, int buffers, int bufferBytes) {
        /** Buffers that one download may hold: one is written while another fills. */
        int perDownload() {
            return Math.max(2, Math.min(8, buffers / concurrency));
        }
    }

    @Override
    public Figures run(List<Item> items, Path folder) {
        EngineFigures counting = EngineFigures.begin(engine);
        List<CompletableFuture<DownloadResult>> futures = new ArrayList<>();
        Window start = Window.begin();
        for (Item item : items) {
            futures.add(downloader.download(
                    DownloadRequest.of(new ObjectId(item.bucket(), item.key()), folder.resolve(item.target()))));
        }
        List<DownloadResult> results = new ArrayList<>();
        for (int i = 0; i < items.size(); i++) {
            try {
                results.add(futures.get(i).join());
            } catch (CompletionException e) {
                System.err.println(items.get(i).line() + ": " + Commands.sentence(e));
            }
        }
        Window spent = start.spent();
        long bytes = results.stream().mapToLong(DownloadResult::bytes).sum();
        return counting.of(
                new SyncedFiles.Done(results.size(), items.size() - results.size(), bytes, spent),
                !results.isEmpty() && results.stream().allMatch(DownloadResult::direct),
                results.stream().collect(Collectors.groupingBy(DownloadResult::verified, Collectors.counting())),
                results.stream().mapToInt(DownloadResult::retries).sum());
    }

    @Override
    public void close() {
        downloader.close();
        source.close();
        engine.close();
    }
}
