// SPDX-License-Identifier: Apache-2.0
package dev.millrace.transfer;

import java.util.concurrent.CompletableFuture;

/** A download under way. Thread-safe. */
public final class RunningDownload {
    private final CompletableFuture<DownloadResult> result;
    private final Runnable stopper;

    RunningDownload(CompletableFuture<DownloadResult> result, Runnable stopper) {
        this.result = result;
        this.stopper = stopper;
    }

    static RunningDownload failed(DownloadFailure failure) {
        return new RunningDownload(CompletableFuture.failedFuture(failure), () -> {});
    }

    /** As {@link Downloader#download} says. */
    public CompletableFuture<DownloadResult> result() {
        return result;
    }

    /**
     * Asks to stop. {@link #result} is done when all is given back and removed: with {@link DownloadFailure.Cancelled}, or
     * with the file where that came first. Idempotent.
     */
    public void stop() {
        stopper.run();
    }
}
