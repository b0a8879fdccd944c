// SPDX-License-Identifier: Apache-2.0
package dev.millrace.transfer;

import dev.millrace.io.IoEngine;
import java.nio.channels.WritableByteChannel;
import java.util.concurrent.CompletableFuture;

/**
 * Downloads objects to files that are there only when they are whole. Retries, resumes, verifies, syncs, renames.
 *
 * <p>Thread-safe. Futures complete on a pool of this downloader's own: a continuation that blocks there holds up nobody's
 * bytes. Cancelling a future cancels its download; what it holds is given back soon after, and {@link #close} waits for
 * that.
 */
public final class Downloader implements AutoCloseable {
    private Downloader() {}

    /**
     * A downloader. The engine and the source stay the caller's, and must stay open until this is closed.
     */
    public static Downloader open(IoEngine engine, ObjectSource source, DownloaderConfig config) {
        return new Downloader();
    }

    /**
     * Downloads an object to a file. When the future completes, the file is there under its final name, whole, verified
     * and durable; when it fails (with a {@link DownloadFailure}), clean-up is over.
     */
    public CompletableFuture<DownloadResult> download(DownloadRequest request) {
        return CompletableFuture.failedFuture(new UnsupportedOperationException("not there yet"));
    }

    /**
     * Writes an object to a channel, straight and in order: for pipes, devices and standard output. Retries and verifies
     * as {@link #download} does, but bytes that were written cannot be taken back: where the object changes or the
     * checksum differs in the end, the future fails and the channel has them. The channel is written to by one thread of
     * this downloader, must be blocking, and is not closed.
     */
    public CompletableFuture<DownloadResult> stream(ObjectId object, WritableByteChannel channel) {
        return CompletableFuture.failedFuture(new UnsupportedOperationException("not there yet"));
    }

    /**
     * Cancels what is under way and returns when every buffer, descriptor, permit and temporary file is back or gone.
     * Sticky: from its start nothing enters. Idempotent; further calls wait, too.
     */
    @Override
    public void close() {}
}
