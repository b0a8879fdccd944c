// SPDX-License-Identifier: Apache-2.0
package dev.millrace.benchmarks;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Runs downloads of others, so many at once, and measures them. One waiting thread for each download under way: it costs
 * one wake-up an object.
 */
final class SyncedFiles {
    private final AtomicInteger next = new AtomicInteger();
    private final AtomicInteger failed = new AtomicInteger();
    private final AtomicLong bytes = new AtomicLong();
    private final Download download;
    private final boolean sync;

    /** Downloads one object; the file is written when it returns. */
    interface Download {
        void toFile(Item item, Path file) throws IOException;
    }

    /** What was done, and what it cost. */
    record Done(int objects, int failed, long bytes, Window spent) {}

    private SyncedFiles(Download download, boolean sync) {
        this.download = download;
        this.sync = sync;
    }

    /**
     * Downloads all items into a folder.
     *
     * @param sync whether each file is synced here; false where the download itself does it
     */
    static Done run(List<Item> items, Path folder, int concurrency, boolean sync, Download download) {
        return new SyncedFiles(download, sync).run(items, folder, Math.min(concurrency, items.size()));
    }

    private Done run(List<Item> items, Path folder, int threads) {
        CountDownLatch done = new CountDownLatch(threads);
        Window start = Window.begin();
        for (int i = 0; i < threads; i++) {
            Thread thread = new Thread(
                    () -> {
                        for (int n = next.getAndIncrement(); n < items.size(); n = next.getAndIncrement()) {
                            one(items.get(n), folder);
                        }
                        done.countDown();
                    },
                    "download-" + i);
            thread.setDaemon(true);
            thread.start();
        }
        try {
            done.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("The downloads were interrupted.", e);
        }
        return new Done(items.size() - failed.get(), failed.get(), bytes.get(), start.spent());
    }

    private void one(Item item, Path folder) {
        Path file = folder.resolve(item.target());
        try {
            Files.createDirectories(file.toAbsolutePath().getParent());
            download.toFile(item, file);
            bytes.addAndGet(sync ? synced(file) : Files.size(file));
        } catch (IOException | RuntimeException e) {
            failed.incrementAndGet();
            System.err.println(item.line() + ": " + Commands.sentence(e));
        }
    }

    private static long synced(Path file) throws IOException {
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
            channel.force(true);
            return channel.size();
        }
    }
}
