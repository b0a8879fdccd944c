// SPDX-License-Identifier: Apache-2.0
package dev.millrace.server;

import dev.millrace.transfer.BulkItem;
import dev.millrace.transfer.BulkResult;
import dev.millrace.transfer.DownloadResult;
import dev.millrace.transfer.Downloader;
import dev.millrace.transfer.ObjectId;
import java.io.IOException;
import java.nio.channels.WritableByteChannel;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;

/**
 * Objects one after the other to standard output, a pipe or a device. Ends with the first that fails: what would follow it
 * would be at the wrong place.
 */
final class SequentialStream {
    private final Downloader downloader;
    private final WritableByteChannel channel;
    private final ProgressView view;
    private final Map<String, Long> verified = new LinkedHashMap<>();

    private final Object lock = new Object();
    private boolean cancelled;
    private Optional<CompletableFuture<DownloadResult>> underWay = Optional.empty();

    SequentialStream(Downloader downloader, WritableByteChannel channel, ProgressView view) {
        this.downloader = downloader;
        this.channel = channel;
        this.view = view;
    }

    boolean isCancelled() {
        synchronized (lock) {
            return cancelled;
        }
    }

    void cancel() {
        Optional<CompletableFuture<DownloadResult>> future;
        synchronized (lock) {
            cancelled = true;
            future = underWay;
        }
        future.ifPresent(download -> download.cancel(true));
    }

    BulkResult run(Iterator<? extends BulkItem> items) throws InterruptedException {
        long objects = 0;
        long bytes = 0;
        long retries = 0;
        while (!isCancelled() && items.hasNext()) {
            BulkItem item = items.next();
            if (item instanceof BulkItem.Broken broken) {
                view.failed(item, broken.cause());
                return result(objects, 1, 0, bytes, retries);
            }
            ObjectId object = ((BulkItem.Below) item).object();
            if (object.key().endsWith("/")) {
                continue; // a folder, of which there are no bytes
            }
            view.found(((BulkItem.Below) item).size());
            CompletableFuture<DownloadResult> future = downloader.stream(object, channel);
            synchronized (lock) {
                underWay = Optional.of(future);
                if (cancelled) {
                    future.cancel(true);
                }
            }
            try {
                DownloadResult done = future.get();
                objects++;
                bytes += done.bytes();
                retries += done.retries();
                verified.merge(done.verified(), 1L, Long::sum);
                view.advanced(done.bytes());
                view.completed(item, done);
            } catch (CancellationException e) {
                return result(objects, 0, 1, bytes, retries);
            } catch (ExecutionException e) {
                Throwable cause = e.getCause();
                if (isCancelled()) {
                    return result(objects, 0, 1, bytes, retries);
                }
                view.failed(item, cause instanceof IOException io ? io : new IOException(String.valueOf(cause), cause));
                return result(objects, 1, 0, bytes, retries);
            }
        }
        return result(objects, 0, isCancelled() ? 1 : 0, bytes, retries);
    }

    private BulkResult result(long objects, long failed, long dropped, long bytes, long retries) {
        return new BulkResult(objects, failed, dropped, bytes, retries, 0, 0, verified);
    }
}
