// SPDX-License-Identifier: Apache-2.0
package dev.millrace.transfer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.millrace.io.EngineKind;
import dev.millrace.testkit.Content;
import dev.millrace.testkit.Fault;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Ending before the end. */
final class CancelAndCloseTest {
    private static final Content CONTENT = Content.pattern(1, 500_000);

    @TempDir
    Path folder;

    static List<EngineKind> engines() {
        return Engines.working().toList();
    }

    @ParameterizedTest
    @MethodSource("engines")
    void shouldGiveEverythingBackWhenCancelledAtAnyPoint(EngineKind kind) throws Exception {
        for (Fault fault : List.of(
                new Fault.StallBeforeHead(Duration.ofMinutes(1)),
                new Fault.StallAfter(0, Duration.ofMinutes(1)),
                new Fault.StallAfter(300_000, Duration.ofMinutes(1)),
                Fault.tooManyRequests(Duration.ofMinutes(4)))) {
            try (Rig rig = new Rig(kind, folder).put("key", CONTENT)) {
                rig.server.onAny().then(fault);
                AtomicLong arrived = new AtomicLong();
                CompletableFuture<DownloadResult> download =
                        rig.downloader.download(rig.request("key").withProgress(arrived::set));
                assertThat(rig.server.awaitRequests(1, Duration.ofSeconds(30))).isTrue();
                rig.awaitTemporaryFile();
                if (fault instanceof Fault.StallAfter stall && stall.bytes() > 0) {
                    Rig.await("most of what comes", () -> arrived.get() > stall.bytes() / 2);
                } else if (fault instanceof Fault.Respond) {
                    Rig.await("a sleep", () -> !rig.timing.sleeps().isEmpty());
                }
                assertThat(download.cancel(true)).isTrue();
                assertThat(download).isCancelled();
            } // closing checks what is left
            assertThat(folder.resolve("out")).doesNotExist();
        }
    }

    @Test
    void shouldSayWhenAStoppedDownloadHasGivenEverythingBack() throws Exception {
        try (Rig rig = new Rig(EngineKind.BLOCKING, folder).put("key", CONTENT)) {
            rig.server.onAny().then(new Fault.StallAfter(300_000, Duration.ofMinutes(1)));
            RunningDownload download = rig.downloader.start(rig.request("key"));
            assertThat(rig.server.awaitRequests(1, Duration.ofSeconds(30))).isTrue();
            download.stop();
            assertThatThrownBy(() -> Rig.await(download.result())).isInstanceOf(DownloadFailure.Cancelled.class);
            rig.assertNothingLeft();
            download.stop();
        }
    }

    @ParameterizedTest
    @MethodSource("engines")
    void shouldCancelAllThatIsUnderWayOnClose(EngineKind kind) throws Exception {
        try (Rig rig = new Rig(kind, folder, Rig.CONFIG.withPermits(2, 2)).put("key", CONTENT)) {
            rig.server.onAny().then(new Fault.StallAfter(200_000, Duration.ofMinutes(1)));
            List<CompletableFuture<DownloadResult>> downloads = new ArrayList<>();
            for (int i = 0; i < 6; i++) {
                downloads.add(rig.downloader.download(DownloadRequest.of(Rig.id("key"), rig.target("out" + i))));
            }
            assertThat(rig.server.awaitRequests(2, Duration.ofSeconds(30))).isTrue();
            rig.downloader.close();
            rig.assertNothingLeft();
            for (CompletableFuture<DownloadResult> download : downloads) {
                assertThatThrownBy(() -> Rig.await(download)).isInstanceOf(DownloadFailure.Cancelled.class);
            }
            assertThatThrownBy(() -> rig.get("key"))
                    .isInstanceOf(DownloadFailure.Cancelled.class)
                    .hasMessageContaining("closed");
            assertThat(rig.server.requestCount()).isEqualTo(2);
        }
    }

    @Test
    void shouldEndWhenTheSourceIsClosedUnderIt() throws Exception {
        try (Rig rig = new Rig(EngineKind.BLOCKING, folder).put("key", CONTENT)) {
            rig.server.onAny().then(new Fault.StallAfter(200_000, Duration.ofMinutes(1)));
            CompletableFuture<DownloadResult> download = rig.downloader.download(rig.request("key"));
            assertThat(rig.server.awaitRequests(1, Duration.ofSeconds(30))).isTrue();
            rig.source.close();
            assertThatThrownBy(() -> Rig.await(download)).isInstanceOf(DownloadFailure.Cancelled.class);
            assertThatThrownBy(() -> rig.get("key")).isInstanceOf(DownloadFailure.Cancelled.class);
        }
    }

    @Test
    void shouldServeOnDemandBeforeBulk() throws Exception {
        try (Rig rig = new Rig(EngineKind.BLOCKING, folder, Rig.CONFIG.withPermits(1, 1))) {
            for (String key : List.of("first", "bulk1", "bulk2", "urgent")) {
                rig.put(key, CONTENT);
            }
            rig.server.onAny().once().then(new Fault.HoldAfter(200_000));
            List<CompletableFuture<DownloadResult>> all = new ArrayList<>();
            for (String key : List.of("first", "bulk1", "bulk2", "urgent")) {
                all.add(rig.downloader.download(
                        DownloadRequest.of(Rig.id(key), rig.target(key)).withOnDemand(key.equals("urgent"))));
            }
            rig.server.release();
            for (CompletableFuture<DownloadResult> download : all) {
                Rig.await(download);
            }
            assertThat(rig.server.requests().stream()
                            .map(request -> request.decodedPath().replaceFirst(".*/", "")))
                    .containsExactly("first", "urgent", "bulk1", "bulk2");
        }
    }

    @Test
    void shouldDownloadOthersWhileAContinuationBlocks() throws Exception {
        try (Rig rig = new Rig(EngineKind.BLOCKING, folder).put("key", CONTENT)) {
            CountDownLatch blocked = new CountDownLatch(1);
            CountDownLatch inside = new CountDownLatch(1);
            CompletableFuture<Void> continuation = rig.downloader
                    .download(rig.request("key"))
                    .thenAccept(result -> {
                        inside.countDown();
                        try {
                            blocked.await();
                        } catch (InterruptedException e) {
                            throw new IllegalStateException(e);
                        }
                    });
            assertThat(inside.await(30, TimeUnit.SECONDS)).isTrue();
            for (int i = 0; i < 10; i++) {
                Rig.await(rig.downloader.download(DownloadRequest.of(Rig.id("key"), rig.target("o" + i))));
            }
            blocked.countDown();
            continuation.get(30, TimeUnit.SECONDS);
        }
    }

    @Test
    void shouldRefuseMoreThanMayWait() throws IOException {
        try (Rig rig = new Rig(
                        EngineKind.BLOCKING,
                        folder,
                        Rig.CONFIG.withPermits(1, 1).withMaxWaiting(3))
                .put("key", CONTENT)) {
            rig.server.onAny().then(new Fault.StallAfter(200_000, Duration.ofMinutes(1)));
            for (int i = 0; i < 3; i++) {
                rig.downloader.download(DownloadRequest.of(Rig.id("key"), rig.target("out" + i)));
            }
            assertThatThrownBy(() -> rig.get("key"))
                    .isInstanceOf(DownloadFailure.TooManyWaiting.class)
                    .hasMessageContaining("3 downloads");
        }
    }
}
