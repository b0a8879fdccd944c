// SPDX-License-Identifier: Apache-2.0
package dev.millrace.benchmarks;

import dev.millrace.io.DirectMode;
import dev.millrace.io.EngineKind;
import dev.millrace.io.EngineUnavailableException;
import dev.millrace.io.IoEngine;
import dev.millrace.io.IoEngineConfig;
import dev.millrace.io.IoFailure;
import dev.millrace.io.OpenOptions;
import dev.millrace.io.VirtualFile;
import dev.millrace.transfer.MillraceTransformers;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import software.amazon.awssdk.services.s3.S3AsyncClient;
import software.amazon.awssdk.services.s3.model.GetObjectRequest;

/**
 * Ours in a program that uses the AWS SDK: its asynchronous client as the rival has it, with our transformer where
 * {@code AsyncResponseTransformer.toFile} stood. The transformer itself syncs and renames.
 */
final class DropInDownloads implements Contender {
    private final IoEngine engine;
    private final S3AsyncClient client;
    private final int concurrency;

    DropInDownloads(Optional<EngineKind> kind, Optional<String> binding, S3Options s3, MillraceDownloads.Sizes sizes)
            throws EngineUnavailableException {
        IoEngineConfig config =
                IoEngineConfig.defaults().withEngine(kind).withPool(sizes.buffers(), sizes.bufferBytes());
        engine = IoEngine.open(binding.map(config::withBinding).orElse(config));
        client = SdkDownloads.netty(s3, SdkDownloads.credentials(s3), false);
        concurrency = sizes.concurrency();
    }

    @Override
    public Figures run(List<Item> items, Path folder) {
        boolean direct = isDirectIn(folder);
        EngineFigures counting = EngineFigures.begin(engine);
        SyncedFiles.Done done = SyncedFiles.run(
                items,
                folder,
                concurrency,
                false,
                (item, file) -> client.getObject(
                                GetObjectRequest.builder()
                                        .bucket(item.bucket())
                                        .key(item.key())
                                        .build(),
                                MillraceTransformers.toFile(engine, file))
                        .join());
        return counting.of(done, direct, Map.of(), 0);
    }

    /** The transformer does not say how it wrote: a file of the folder that is opened as it opens them tells. */
    private boolean isDirectIn(Path folder) {
        Path probe = folder.resolve("probe");
        OpenOptions options = OpenOptions.creating().withDirect(DirectMode.PREFERRED);
        try {
            try (VirtualFile file = VirtualFile.open(engine, probe, options)) {
                return file.isDirect();
            } finally {
                engine.deleteIfExists(probe);
            }
        } catch (IoFailure e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public void close() {
        client.close();
        engine.close();
    }
}
