// SPDX-License-Identifier: Apache-2.0
package dev.millrace.transfer;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executor;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class BulkDownloadTest {
    @TempDir
    Path folder;

    private final Map<String, String> failed = new ConcurrentSkipListMap<>();
    private final BulkListener listener = new BulkListener() {
        @Override
        public void failed(BulkItem item, IOException cause) {
            failed.put(item.name(), cause.getMessage());
        }
    };

    private static BulkItem item(String key) {
        return item(key, key, 1);
    }

    private static BulkItem item(String key, String relative, long size) {
        return new BulkItem.Below(new ObjectId("b", key), relative, OptionalLong.of(size), Optional.of("\"listed\""));
    }

    /** Writes the key into its file, as a downloader would. */
    private static CompletableFuture<DownloadResult> write(DownloadRequest request) {
        try {
            Files.createDirectories(request.target().getParent());
            Files.writeString(request.target(), request.object().key());
        } catch (IOException e) {
            return CompletableFuture.failedFuture(e);
        }
        return CompletableFuture.completedFuture(
                new DownloadResult(request.target(), 1, "crc32c", 0, true, Optional.empty()));
    }

    private static CompletableFuture<DownloadResult> writeOn(Executor executor, DownloadRequest request) {
        return CompletableFuture.supplyAsync(() -> write(request).join(), executor);
    }

    private static CompletableFuture<ObjectHead> noHead(ObjectId object) {
        return CompletableFuture.failedFuture(new IOException("no head"));
    }

    private BulkDownload bulk(int window, boolean several) {
        return new BulkDownload(BulkDownloadTest::write, BulkDownloadTest::noHead, folder, window, several, listener);
    }

    private Map<String, String> files() {
        Map<String, String> all = new TreeMap<>();
        try (var walk = Files.walk(folder)) {
            walk.filter(Files::isRegularFile).forEach(file -> {
                try {
                    all.put(folder.relativize(file).toString(), Files.readString(file));
                } catch (IOException e) {
                    throw new UncheckedIOException(e);
                }
            });
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return all;
    }

    @Test
    void everyObjectBecomesAFile() throws Exception {
        BulkResult result = bulk(4, false)
                .run(List.of(item("a"), item("b/c"), item("b/d"), item("e/", "e/", 0))
                        .iterator());
        assertThat(files()).containsOnlyKeys("a", "b/c", "b/d");
        assertThat(folder.resolve("e")).isEmptyDirectory();
        assertThat(result.objects()).isEqualTo(4);
        assertThat(result.folders()).isEqualTo(1);
        assertThat(result.bytes()).isEqualTo(3);
        assertThat(result.isComplete()).isTrue();
        assertThat(result.verified()).isEqualTo(Map.of("crc32c", 3L));
        assertThat(failed).isEmpty();
    }

    @Test
    void whatThrowsAnErrorLeavesTheWindowAsWideAsItWas() throws Exception {
        BulkListener throwing = new BulkListener() {
            @Override
            public void completed(BulkItem item, DownloadResult result) {
                throw new NoClassDefFoundError("planted/InCompleted");
            }

            @Override
            public void failed(BulkItem item, IOException cause) {
                listener.failed(item, cause);
                throw new IllegalStateException("planted");
            }
        };
        BulkDownload bulk = new BulkDownload(
                request -> {
                    if (request.object().key().equals("broken")) {
                        throw new NoClassDefFoundError("planted/InDownloader");
                    }
                    return write(request);
                },
                BulkDownloadTest::noHead,
                folder,
                1,
                false,
                throwing);
        BulkResult result =
                bulk.run(List.of(item("a"), item("broken"), item("c")).iterator());
        assertThat(files()).containsOnlyKeys("a", "c");
        assertThat(failed).containsOnlyKeys("s3://b/broken");
        assertThat(result.objects()).isEqualTo(2);
        assertThat(result.failed()).isEqualTo(1);
    }

    @Test
    void whatIsRefusedStopsNoOther() throws Exception {
        BulkResult result = bulk(2, false)
                .run(List.of(item("../x"), item("a"), item("a//b"), item("c/", "c/", 3), item("d"))
                        .iterator());
        assertThat(files()).containsOnlyKeys("a", "d");
        assertThat(failed).containsOnlyKeys("s3://b/../x", "s3://b/a//b", "s3://b/c/");
        assertThat(result.failed()).isEqualTo(3);
        assertThat(result.isComplete()).isFalse();
        assertThat(folder.resolveSibling("x")).doesNotExist();
    }

    @Test
    void whereFileAndFolderClashTheFolderLosesOnEveryRun() throws Exception {
        for (int run = 0; run < 3; run++) {
            failed.clear();
            BulkDownload bulk = new BulkDownload(
                    request -> writeOn(Executors.newCachedThreadPool(), request),
                    BulkDownloadTest::noHead,
                    folder,
                    8,
                    false,
                    listener);
            bulk.run(List.of(item("a"), item("a-b"), item("a/", "a/", 0), item("a/b"), item("c/d"))
                    .iterator());
            assertThat(files()).containsOnlyKeys("a", "a-b", "c/d");
            assertThat(failed).containsOnlyKeys("s3://b/a/", "s3://b/a/b");
        }
    }

    @Test
    void ofTwoSourcesForOneNameTheFirstArrives() throws Exception {
        bulk(4, true)
                .run(List.of(item("x/f", "f", 1), item("y/f", "f", 1), item("x/g", "g", 1))
                        .iterator());
        assertThat(files()).isEqualTo(Map.of("f", "x/f", "g", "x/g"));
        assertThat(failed).containsOnlyKeys("s3://b/y/f");
        assertThat(failed.get("s3://b/y/f")).contains("another source");
    }

    @Test
    void theSameSourceAgainWaitsItsTurn() throws Exception {
        AtomicInteger atOnce = new AtomicInteger();
        AtomicInteger most = new AtomicInteger();
        Executor threads = Executors.newCachedThreadPool();
        BulkDownload bulk = new BulkDownload(
                request -> CompletableFuture.supplyAsync(
                        () -> {
                            most.accumulateAndGet(atOnce.incrementAndGet(), Math::max);
                            DownloadResult result = write(request).join();
                            atOnce.decrementAndGet();
                            return result;
                        },
                        threads),
                BulkDownloadTest::noHead,
                folder,
                8,
                true,
                listener);
        BulkResult result = bulk.run(Collections.nCopies(20, item("a")).iterator());
        assertThat(result.objects()).isEqualTo(20);
        assertThat(most.get()).isEqualTo(1);
        assertThat(failed).isEmpty();
    }

    @Test
    void neverMoreAtOnceThanTheWindow() throws Exception {
        AtomicInteger atOnce = new AtomicInteger();
        AtomicInteger most = new AtomicInteger();
        Executor threads = Executors.newCachedThreadPool();
        BulkDownload bulk = new BulkDownload(
                request -> {
                    most.accumulateAndGet(atOnce.incrementAndGet(), Math::max);
                    return writeOn(threads, request).whenComplete((result, problem) -> atOnce.decrementAndGet());
                },
                BulkDownloadTest::noHead,
                folder,
                5,
                false,
                listener);
        bulk.run(IntStream.range(0, 500).mapToObj(i -> item("k" + i)).iterator());
        assertThat(most.get()).isLessThanOrEqualTo(6).isGreaterThan(1);
        assertThat(files()).hasSize(500);
    }

    @Test
    void manyObjectsLeaveNothingBehindInMemory() throws Exception {
        Path target = folder.resolve("k");
        BulkDownload bulk = new BulkDownload(
                request -> CompletableFuture.completedFuture(
                        new DownloadResult(target, 1, "crc32c", 0, true, Optional.empty())),
                BulkDownloadTest::noHead,
                folder,
                16,
                false,
                listener);
        AtomicLong before = new AtomicLong();
        Iterator<BulkItem> many = IntStream.range(0, 300_000)
                .mapToObj(i -> {
                    if (i == 100_000) {
                        before.set(used());
                    }
                    return item("p/k" + i);
                })
                .iterator();
        BulkResult result = bulk.run(many);
        assertThat(result.objects()).isEqualTo(300_000);
        assertThat(used() - before.get()).isLessThan(4L << 20);
    }

    private static long used() {
        System.gc();
        Runtime runtime = Runtime.getRuntime();
        return runtime.totalMemory() - runtime.freeMemory();
    }

    @Test
    void cancelDropsWhatIsUnderWayAndStartsNoMore() throws Exception {
        CountDownLatch started = new CountDownLatch(3);
        ConcurrentLinkedQueue<CompletableFuture<DownloadResult>> futures = new ConcurrentLinkedQueue<>();
        BulkDownload bulk = new BulkDownload(
                request -> {
                    CompletableFuture<DownloadResult> never = new CompletableFuture<>();
                    futures.add(never);
                    started.countDown();
                    return never;
                },
                BulkDownloadTest::noHead,
                folder,
                3,
                false,
                listener);
        Iterator<BulkItem> endless = new Iterator<>() {
            private int number;

            @Override
            public boolean hasNext() {
                return true;
            }

            @Override
            public BulkItem next() {
                return item("k" + number++);
            }
        };
        CompletableFuture<BulkResult> run = CompletableFuture.supplyAsync(() -> {
            try {
                return bulk.run(endless);
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            }
        });
        assertThat(started.await(10, TimeUnit.SECONDS)).isTrue();
        bulk.cancel();
        BulkResult result = run.get(10, TimeUnit.SECONDS);
        assertThat(futures).hasSize(3).allMatch(CompletableFuture::isCancelled);
        assertThat(result.cancelled()).isEqualTo(3);
        assertThat(result.failed()).isZero();
        assertThat(result.isComplete()).isFalse();
        assertThat(failed).isEmpty();
    }

    @Test
    void anObjectReplacedSinceItWasListedIsFetchedAsItIsNow() throws Exception {
        List<DownloadRequest> requests = Collections.synchronizedList(new ArrayList<>());
        BulkDownload bulk = new BulkDownload(
                request -> {
                    requests.add(request);
                    return request.expectedETag().isPresent()
                            ? CompletableFuture.failedFuture(
                                    new DownloadFailure.ObjectChanged("changed", new ChangedException("another ETag")))
                            : write(request);
                },
                object -> CompletableFuture.completedFuture(head(object.key().equals("same") ? "\"listed\"" : "\"x\"")),
                folder,
                1,
                false,
                listener);
        BulkResult result = bulk.run(List.of(item("new"), item("same")).iterator());
        assertThat(requests).hasSize(3);
        assertThat(result.objects()).isEqualTo(1);
        assertThat(files()).containsOnlyKeys("new");
        assertThat(failed).isEqualTo(Map.of("s3://b/same", "changed"));
    }

    private static ObjectHead head(String etag) {
        return new ObjectHead(
                200,
                OptionalLong.of(1),
                false,
                Optional.empty(),
                Optional.of(etag),
                Map.of(),
                Optional.empty(),
                Optional.empty(),
                Optional.empty(),
                Optional.empty(),
                Optional.empty());
    }

    @Test
    void foldersDevicesAndFilesInTheWayAreNamed() throws Exception {
        Files.createDirectory(folder.resolve("dir"));
        Files.writeString(folder.resolve("file"), "old");
        new ProcessBuilder("mkfifo", folder.resolve("fifo").toString()).start().waitFor();
        bulk(2, false)
                .run(List.of(item("dir"), item("file/x"), item("file/", "file/", 0), item("fifo"))
                        .iterator());
        assertThat(failed).containsOnlyKeys("s3://b/dir", "s3://b/file/x", "s3://b/file/", "s3://b/fifo");
        assertThat(failed.get("s3://b/dir")).contains("is a folder");
        assertThat(failed.get("s3://b/fifo")).contains("FIFO");
        assertThat(files()).isEqualTo(Map.of("file", "old"));
    }
}
