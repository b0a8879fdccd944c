// SPDX-License-Identifier: Apache-2.0
package dev.millrace.server;

import dev.millrace.io.IoEngine;
import dev.millrace.layers.Generation;
import dev.millrace.layers.LayerName;
import dev.millrace.layers.TenantId;
import dev.millrace.layers.TimelineId;
import dev.millrace.layers.format.GeneratedTimeline;
import dev.millrace.layers.store.IndexPart;
import dev.millrace.layers.store.LayerFile;
import dev.millrace.layers.store.LayerStore;
import dev.millrace.layers.store.RemoteStore;
import dev.millrace.layers.store.StoreFailure;
import dev.millrace.transfer.Downloader;
import dev.millrace.transfer.DownloaderConfig;
import dev.millrace.transfer.Timing;
import dev.millrace.transfer.Uploader;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintStream;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.zip.CRC32C;

/**
 * Makes a generated timeline in an object store: some layers at once are written to a folder, uploaded and removed there; the
 * index comes when all are up. Of a timeline that is only partly there nobody sees anything.
 */
final class TimelineMaker implements AutoCloseable {
    private static final int BUFFER = 1 << 16;

    private final IoEngine engine;
    private final LayerStore.Remote remote;
    private final Path folder;
    private final Order order;
    private final PrintStream progress;
    private final Timing timing = Timing.real("millrace-uploads-timer");
    private final Downloader downloader;
    private final ExecutorService makers;
    private int done;
    private long bytes;
    private volatile boolean cancelled;

    /**
     * What to make.
     *
     * @param tenant whose
     * @param timeline which
     * @param generation of layers and index
     * @param content the layers
     * @param layers how many
     * @param concurrency at once
     */
    record Order(
            TenantId tenant,
            TimelineId timeline,
            Generation generation,
            GeneratedTimeline content,
            int layers,
            int concurrency) {}

    /**
     * What was made.
     *
     * @param layers how many
     * @param bytes of all of them
     */
    record Made(int layers, long bytes) {}

    /** For an engine, store and folder that stay the caller's. */
    TimelineMaker(IoEngine engine, LayerStore.Remote remote, Path folder, Order order, PrintStream progress) {
        this.engine = engine;
        this.remote = remote;
        this.folder = folder;
        this.order = order;
        this.progress = progress;
        this.downloader = Downloader.open(engine, remote.source(), DownloaderConfig.defaults());
        this.makers = Executors.newFixedThreadPool(order.concurrency(), task -> {
            Thread thread = new Thread(task, "millrace-maker");
            thread.setDaemon(true);
            return thread;
        });
    }

    /** Ends it after the layers that are being made. Does not block. */
    void cancel() {
        cancelled = true;
    }

    /** Makes it. Blocks. */
    Made make() throws IOException, InterruptedException {
        RemoteStore store = new RemoteStore(
                remote.source(),
                downloader,
                remote.writer().map(writer -> new Uploader(writer, timing)),
                remote.bucket(),
                remote.prefix());
        RemoteStore.TimelinePlace place = new RemoteStore.TimelinePlace(order.tenant(), order.timeline());
        Optional<String> before = checkThere(store, place);
        List<Future<LayerFile>> files = new ArrayList<>();
        for (int i = 0; i < order.layers(); i++) {
            int layer = i;
            files.add(makers.submit(() -> makeLayer(store, place, layer)));
        }
        Map<LayerName, LayerFile> index = new LinkedHashMap<>();
        for (int i = 0; i < order.layers(); i++) {
            index.put(order.content().name(i), await(files.get(i)));
        }
        store.putIndex(
                place, order.generation(), new IndexPart(index, order.content().lsn()), before);
        return new Made(order.layers(), bytes);
    }

    /** The ETag of an index that may be replaced. */
    private Optional<String> checkThere(RemoteStore store, RemoteStore.TimelinePlace place) throws IOException {
        RemoteStore.FoundIndex found;
        try {
            found = store.readIndex(place, order.generation());
        } catch (StoreFailure.NoIndex none) {
            return Optional.empty();
        }
        boolean same = found.index().layers().size() == order.layers();
        for (int i = 0; same && i < order.layers(); i++) {
            same = found.index().layers().containsKey(order.content().name(i));
        }
        if (!same) {
            throw new IOException(
                    "the timeline " + place + " is there already, with other layers; name another one by --timeline");
        }
        return found.generation().equals(order.generation()) ? found.etag() : Optional.empty();
    }

    private LayerFile makeLayer(RemoteStore store, RemoteStore.TimelinePlace place, int layer) throws IOException {
        if (cancelled) {
            throw new IOException("it was interrupted");
        }
        Path file = order.content().write(engine, folder, order.tenant(), order.timeline(), order.generation(), layer);
        try {
            LayerFile described =
                    new LayerFile(Files.size(file), Optional.of(order.generation()), Optional.of(checksum(file)));
            store.putLayer(place, described.nameOf(order.content().name(layer)), file)
                    .join();
            told(described.size());
            return described;
        } catch (CompletionException e) {
            throw e.getCause() instanceof IOException cause ? cause : new IOException(Sentences.of(e), e);
        } finally {
            Files.deleteIfExists(file);
        }
    }

    private synchronized void told(long size) {
        done++;
        bytes += size;
        if (done * 10 / order.layers() != (done - 1) * 10 / order.layers()) {
            progress.println("millrace: " + done + " of " + order.layers() + " layers, " + (bytes >> 20) + " MiB");
        }
    }

    private static String checksum(Path file) throws IOException {
        CRC32C crc = new CRC32C();
        byte[] buffer = new byte[BUFFER];
        try (InputStream in = Files.newInputStream(file)) {
            for (int count = in.read(buffer); count >= 0; count = in.read(buffer)) {
                crc.update(buffer, 0, count);
            }
        }
        byte[] value = ByteBuffer.allocate(4).putInt((int) crc.getValue()).array();
        return "crc32c:" + Base64.getEncoder().encodeToString(value);
    }

    private LayerFile await(Future<LayerFile> file) throws IOException, InterruptedException {
        try {
            return file.get();
        } catch (ExecutionException e) {
            cancel();
            throw e.getCause() instanceof IOException cause ? cause : new IOException(Sentences.of(e), e);
        }
    }

    /** Waits for the layers that are being made, so that nothing of them is left. */
    @Override
    public void close() {
        cancelled = true;
        makers.shutdown();
        boolean interrupted = false;
        boolean ended = false;
        while (!ended) {
            try {
                ended = makers.awaitTermination(Long.MAX_VALUE, TimeUnit.NANOSECONDS);
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
        downloader.close();
        timing.close();
    }
}
