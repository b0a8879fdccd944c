// SPDX-License-Identifier: Apache-2.0
package dev.millrace.layers.store;

import static dev.millrace.layers.store.StoreRig.READ;
import static dev.millrace.layers.store.StoreRig.content;
import static dev.millrace.layers.store.StoreRig.get;
import static dev.millrace.layers.store.StoreRig.name;
import static dev.millrace.layers.store.StoreRig.until;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.millrace.layers.AccessKind;
import dev.millrace.layers.Generation;
import dev.millrace.layers.ReadContext;
import dev.millrace.layers.TaskKind;
import dev.millrace.layers.stats.LayerAccessStats;
import dev.millrace.layers.stats.ResidenceEvent;
import dev.millrace.layers.stats.ResidenceReason;
import dev.millrace.layers.stats.ResidenceStatus;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LayerTest {
    @TempDir
    Path root;

    private StoreRig rig;
    private Timeline timeline;
    private Layer layer;

    /** On what; a subclass may say otherwise. */
    Combination on() {
        return Combination.MAIN;
    }

    @BeforeEach
    void open() throws IOException {
        rig = new StoreRig(root, StoreRig.CONFIG, on()).withLayers(3);
        timeline = rig.attach();
        layer = timeline.requireLayer(name(0));
    }

    @AfterEach
    void close() throws IOException {
        if (rig == null) {
            return; // skipped
        }
        try (StoreRig ending = rig) {
            ending.assertConsistent();
        }
    }

    private EvictionOutcome evict() throws IOException {
        return get(layer.evict(EvictionReason.EXPLICIT));
    }

    private CompletableFuture<LoadedLayer> load(ReadContext context) {
        return layer.load(AccessKind.GET_VALUE_RECONSTRUCT_DATA, context);
    }

    // ------------------------------------------------------------------ coming and going

    @Test
    void comesWhenItIsReadAndGoesWhenItIsEvicted() throws IOException {
        assertThat(layer.isRemote()).isTrue();
        rig.assertReads(layer, content(0));
        assertThat(layer.isRemote()).isFalse();
        assertThat(rig.local(name(0))).exists();
        assertThat(evict()).isEqualTo(EvictionOutcome.EVICTED);
        assertThat(rig.local(name(0))).doesNotExist();
        assertThat(layer.isRemote()).isTrue();
        assertThat(timeline.layer(name(0))).containsSame(layer);
        assertThat(evict()).isEqualTo(EvictionOutcome.NOT_RESIDENT);
        rig.assertReads(layer, content(0));
        assertThat(rig.source.gets("layer_0-00000005")).isEqualTo(2);
        StoreMetrics metrics = rig.metrics();
        StoreMetrics.DownloadCause cause =
                new StoreMetrics.DownloadCause(TaskKind.PAGE_REQUEST_HANDLER, DownloadReason.ON_DEMAND);
        assertThat(metrics.downloads()).containsEntry(cause, 2L);
        assertThat(metrics.downloadedBytesByCause()).containsEntry(cause, 2L * StoreRig.SIZE);
        assertThat(metrics.downloadedBytes()).isEqualTo(2L * StoreRig.SIZE);
        assertThat(metrics.io()).containsOnlyKeys(IoOperation.values());
        assertThat(metrics.io().get(IoOperation.DOWNLOAD).operations()).isEqualTo(2);
        assertThat(metrics.io().get(IoOperation.OPEN).operations()).isEqualTo(2);
        assertThat(metrics.io().get(IoOperation.UNLINK).operations()).isEqualTo(1);
        assertThat(metrics.io().get(IoOperation.READ).operations())
                .as("a blob's blocks are its user's to read")
                .isZero();
        assertThat(metrics.evictedBytes()).isEqualTo(StoreRig.SIZE);
    }

    @Test
    void isDownloadedOnlyWhereItIsNotHere() throws IOException {
        assertThat(get(layer.download(TaskKind.MGMT_REQUEST, DownloadReason.EXPLICIT)))
                .isTrue();
        assertThat(get(layer.download(TaskKind.MGMT_REQUEST, DownloadReason.EXPLICIT)))
                .isFalse();
        assertThat(rig.source.gets("layer_0-00000005")).isEqualTo(1);
        assertThat(content(0).differenceFrom(rig.local(name(0)))).isEmpty();
    }

    @Test
    void keepsStatisticsThroughEvictionAndDownload() throws IOException {
        rig.assertReads(layer, content(0));
        rig.millis.set(2_000);
        evict();
        rig.millis.set(3_000);
        get(layer.download(TaskKind.MGMT_REQUEST, DownloadReason.EXPLICIT));
        LayerAccessStats stats = layer.statistics().snapshot();
        assertThat(stats.accessCounts()).containsEntry(AccessKind.ITER, 1L);
        assertThat(stats.taskKinds()).containsExactly("PageRequestHandler");
        assertThat(stats.residenceEvents().toList())
                .containsExactly(
                        new ResidenceEvent(1_000, ResidenceStatus.EVICTED, ResidenceReason.LAYER_LOAD),
                        new ResidenceEvent(1_000, ResidenceStatus.RESIDENT, ResidenceReason.RESIDENCE_CHANGE),
                        new ResidenceEvent(2_000, ResidenceStatus.EVICTED, ResidenceReason.RESIDENCE_CHANGE),
                        new ResidenceEvent(3_000, ResidenceStatus.RESIDENT, ResidenceReason.RESIDENCE_CHANGE));
    }

    @Test
    void countsAnAccessForEachLoadAndForNothingElse() throws IOException {
        get(layer.download(TaskKind.MGMT_REQUEST, DownloadReason.EXPLICIT));
        get(layer.downloadAndKeepResident(READ)).close();
        layer.keepResident().orElseThrow().close();
        get(load(READ.uncounted())).close();
        assertThat(layer.statistics().snapshot().first()).isEmpty();
        get(load(READ)).close();
        get(layer.load(AccessKind.DUMP, ReadContext.of(TaskKind.COMPACTION))).close();
        assertThat(layer.statistics().snapshot().accessCounts())
                .containsEntry(AccessKind.GET_VALUE_RECONSTRUCT_DATA, 1L)
                .containsEntry(AccessKind.DUMP, 1L)
                .containsEntry(AccessKind.ITER, 0L);
    }

    // ------------------------------------------------------------------ one download

    @Test
    void isDownloadedOnceForAHundredReadersAndOnWhenAllGiveUp() throws IOException {
        rig.source.hold(key -> key.contains("layer_0"));
        List<CompletableFuture<LoadedLayer>> readers = new ArrayList<>();
        for (int i = 0; i < 100; i++) {
            readers.add(load(READ));
        }
        until(() -> rig.source.heldBack() == 1);
        for (int i = 0; i < 99; i++) {
            assertThat(readers.get(i).cancel(false)).isTrue();
        }
        assertThat(readers.get(99)).isNotDone();
        assertThat(layer.isRemote()).isTrue();
        readers.get(99).cancel(false);
        rig.source.holdNone();
        until(() -> !layer.isRemote());
        assertThat(rig.source.gets("layer_0-00000005")).isEqualTo(1);
        assertThat(content(0).differenceFrom(rig.local(name(0)))).isEmpty();
        assertThat(layer.statistics().snapshot().first()).isEmpty();
        // Nobody holds it: those who gave up took no hold.
        assertThat(evict()).isEqualTo(EvictionOutcome.EVICTED);
        assertThat(rig.metrics().waits()).isEqualTo(100);
    }

    @Test
    void countsHowLongEachReaderWaitedThoseWhoGaveUpToo() throws IOException {
        rig.source.hold(key -> true);
        CompletableFuture<LoadedLayer> hasty = load(READ.withTimeout(Duration.ofSeconds(2)));
        CompletableFuture<LoadedLayer> cancelled = load(READ);
        CompletableFuture<LoadedLayer> patient = load(READ);
        until(() -> rig.source.heldBack() == 1);
        rig.timing.pass(Duration.ofSeconds(3));
        assertThat(hasty).isCompletedExceptionally();
        cancelled.cancel(false);
        rig.timing.pass(Duration.ofSeconds(4));
        assertThat(rig.metrics().waitNanos())
                .isEqualTo(Duration.ofSeconds(2 + 3).toNanos());
        rig.source.holdNone();
        get(patient).close();
        StoreMetrics metrics = rig.metrics();
        assertThat(metrics.waits()).isEqualTo(3);
        assertThat(metrics.waitNanos()).isEqualTo(Duration.ofSeconds(2 + 3 + 7).toNanos());
        assertThat(metrics.io().get(IoOperation.DOWNLOAD))
                .isEqualTo(new StoreMetrics.IoTime(1, Duration.ofSeconds(7).toNanos()));
    }

    @Test
    void isSharedByAllWhoWait() throws IOException {
        rig.source.hold(key -> true);
        List<CompletableFuture<LoadedLayer>> readers = new ArrayList<>();
        for (int i = 0; i < 10; i++) {
            readers.add(load(READ));
        }
        readers.get(3).cancel(false);
        rig.timing.pass(Duration.ofSeconds(2));
        rig.source.holdNone();
        for (int i = 0; i < 10; i++) {
            if (i != 3) {
                get(readers.get(i)).close();
            }
        }
        assertThat(rig.source.gets("layer_0-00000005")).isEqualTo(1);
        assertThat(layer.statistics().snapshot().accessCounts())
                .containsEntry(AccessKind.GET_VALUE_RECONSTRUCT_DATA, 9L);
        assertThat(rig.metrics().waitNanos())
                .isEqualTo(Duration.ofSeconds(9 * 2).toNanos());
        assertThat(evict()).isEqualTo(EvictionOutcome.EVICTED);
    }

    @Test
    void refusesMoreReadersThanMayWaitAndCountsNoneWhoGaveUp() throws IOException {
        rig.source.hold(key -> true);
        List<CompletableFuture<LoadedLayer>> readers = new ArrayList<>();
        for (int i = 0; i < 65_536; i++) {
            readers.add(load(READ));
        }
        assertThatThrownBy(() -> get(load(READ)))
                .isInstanceOf(StoreFailure.TooManyWaiting.class)
                .hasMessageContaining(layer.toString());
        readers.get(7).cancel(false);
        readers.set(7, load(READ));
        assertThatThrownBy(() -> get(load(READ))).isInstanceOf(StoreFailure.TooManyWaiting.class);
        rig.source.holdNone();
        for (CompletableFuture<LoadedLayer> reader : readers) {
            get(reader).close();
        }
        assertThat(evict()).isEqualTo(EvictionOutcome.EVICTED);
    }

    @Test
    void letsAReaderGoWhenItsTimeIsOver() throws IOException {
        rig.source.hold(key -> true);
        CompletableFuture<LoadedLayer> hasty = load(READ.withTimeout(Duration.ofMillis(100)));
        CompletableFuture<LoadedLayer> patient = load(READ.withTimeout(Duration.ofSeconds(100)));
        until(() -> rig.source.heldBack() == 1);
        rig.timing.pass(Duration.ofSeconds(1));
        assertThatThrownBy(() -> get(hasty))
                .isInstanceOf(StoreFailure.TimedOut.class)
                .hasMessageContaining("100 ms");
        rig.source.holdNone();
        get(patient).close();
        rig.timing.pass(Duration.ofSeconds(1000));
    }

    @Test
    void fetchesNothingForAReadThatMustNotDownload() throws IOException {
        ReadContext deny = READ.withOnEvicted(ReadContext.OnEvicted.DENY);
        assertThatThrownBy(() -> get(load(deny)))
                .isInstanceOf(StoreFailure.DownloadRequired.class)
                .hasMessageContaining(layer.toString());
        assertThat(rig.source.gets("layer_0-00000005")).isZero();
        assertThat(rig.metrics().denied()).isEqualTo(1);
        assertThat(layer.statistics().snapshot().first()).isEmpty();
        get(load(READ.withOnEvicted(ReadContext.OnEvicted.WARN))).close();
        assertThat(rig.metrics().unexpectedDownloads()).isEqualTo(1);
        get(load(deny)).close();
        get(load(READ.withOnEvicted(ReadContext.OnEvicted.WARN))).close();
        assertThat(rig.metrics().unexpectedDownloads()).isEqualTo(1);
    }

    // ------------------------------------------------------------------ failures

    @Test
    void failsFastAfterAFailureAndTellsTheTimeLeft() throws IOException {
        rig.source.refuse(key -> key.contains("layer_0"));
        assertThatThrownBy(() -> get(load(READ)))
                .isInstanceOf(StoreFailure.DownloadFailed.class)
                .hasMessageContaining(layer.toString());
        // 2.5 s, of which half and half of the rest by chance.
        assertThatThrownBy(() -> get(load(READ))).isInstanceOfSatisfying(StoreFailure.BackingOff.class, failure -> {
            assertThat(failure.timeLeft()).isEqualTo(Duration.ofMillis(1875));
            assertThat(failure.getCause()).isInstanceOf(StoreFailure.DownloadFailed.class);
        });
        assertThat(rig.source.gets("layer_0-00000005")).isEqualTo(1);
        // Another layer is not held back.
        rig.assertReads(timeline.requireLayer(name(1)), content(1));
        rig.timing.pass(Duration.ofMillis(1874));
        assertThatThrownBy(() -> get(load(READ))).isInstanceOf(StoreFailure.BackingOff.class);
        rig.timing.pass(Duration.ofMillis(1));
        assertThatThrownBy(() -> get(load(READ))).isInstanceOf(StoreFailure.DownloadFailed.class);
        assertThatThrownBy(() -> get(load(READ)))
                .isInstanceOfSatisfying(
                        StoreFailure.BackingOff.class,
                        failure -> assertThat(failure.timeLeft()).isEqualTo(Duration.ofNanos(4_687_500_000L)));
        assertThat(layer.statistics().snapshot().first()).isEmpty();
        rig.source.refuse(key -> false);
        rig.timing.pass(Duration.ofSeconds(5));
        rig.assertReads(layer, content(0));
        evict();
        // Success has reset it.
        rig.source.refuse(key -> true);
        assertThatThrownBy(() -> get(load(READ))).isInstanceOf(StoreFailure.DownloadFailed.class);
        assertThatThrownBy(() -> get(load(READ)))
                .isInstanceOfSatisfying(
                        StoreFailure.BackingOff.class,
                        failure -> assertThat(failure.timeLeft()).isEqualTo(Duration.ofMillis(1875)));
        assertThat(rig.metrics().downloadsFailed()).isEqualTo(3);
    }

    @Test
    void waitsNoLongerThanAMinute() {
        BackOff backOff = BackOff.first(new StoreFailure.TimedOut("x"), 0, 0.999_999);
        for (int i = 0; i < 2000; i++) {
            backOff = backOff.next(new StoreFailure.TimedOut("x"), 0, 0.999_999);
        }
        assertThat(backOff.timeLeft(0)).isBetween(Duration.ofSeconds(59), Duration.ofSeconds(60));
    }

    @Test
    void letsExplicitAndBulkDownloadsPassTheBackOffBy() throws IOException {
        rig.source.refuse(key -> key.contains("layer_0"));
        assertThatThrownBy(() -> get(load(READ))).isInstanceOf(StoreFailure.DownloadFailed.class);
        for (DownloadReason reason : List.of(DownloadReason.EXPLICIT, DownloadReason.BULK)) {
            assertThatThrownBy(() -> get(layer.download(TaskKind.MGMT_REQUEST, reason)))
                    .isInstanceOf(StoreFailure.DownloadFailed.class);
        }
        assertThat(rig.source.gets("layer_0-00000005")).isEqualTo(3);
        assertThatThrownBy(() -> get(layer.download(TaskKind.MGMT_REQUEST, DownloadReason.ON_DEMAND)))
                .isInstanceOf(StoreFailure.BackingOff.class);
        rig.source.refuse(key -> false);
        assertThat(get(layer.download(TaskKind.MGMT_REQUEST, DownloadReason.EXPLICIT)))
                .isTrue();
        rig.assertReads(layer, content(0));
    }

    @Test
    void survivesAStoreThatFailsEveryOtherRequest() throws IOException {
        int[] count = new int[1];
        rig.source.breakConnection(key -> {
            synchronized (count) {
                return count[0]++ % 2 == 0;
            }
        });
        for (int round = 0; round < 3; round++) {
            for (int i = 0; i < 3; i++) {
                Layer one = timeline.requireLayer(name(i));
                rig.assertReads(one, content(i));
                assertThat(get(one.evict(EvictionReason.EXPLICIT))).isEqualTo(EvictionOutcome.EVICTED);
            }
        }
        assertThat(rig.metrics().downloadsFailed()).isZero();
    }

    @Test
    void saysThatTheStoreLacksItAfterReadingTheIndexAgainOnce() throws IOException {
        Files.delete(rig.remotePlace().resolve("layer_0-00000005"));
        long indexes = rig.source.gets("index_part.json-00000005");
        assertThatThrownBy(() -> get(load(READ)))
                .isInstanceOf(StoreFailure.MissingInStore.class)
                .hasMessageContaining(layer.toString());
        assertThat(rig.source.gets("index_part.json-00000005") - indexes).isEqualTo(1);
        assertThat(rig.source.gets("layer_0-00000005")).isEqualTo(1);
    }

    @Test
    void fetchesTheFileThatTheIndexNamesMeanwhile() throws IOException {
        Files.delete(rig.remotePlace().resolve("layer_0-00000005"));
        rig.putLayer(name(0), content(7), new Generation(4));
        rig.putIndex(
                StoreRig.index(3, StoreRig.GENERATION).with(name(0), LayerFile.of(StoreRig.SIZE, new Generation(4))),
                StoreRig.GENERATION);
        rig.assertReads(layer, content(7));
        assertThat(layer.file().generation()).contains(new Generation(4));
    }

    @Test
    void saysThatTheIndexNoLongerHasIt() throws IOException {
        Files.delete(rig.remotePlace().resolve("layer_0-00000005"));
        rig.putIndex(StoreRig.index(3, StoreRig.GENERATION).without(name(0)), StoreRig.GENERATION);
        assertThatThrownBy(() -> get(load(READ))).isInstanceOf(StoreFailure.NotFound.class);
        assertThat(timeline.layer(name(0))).isEmpty();
    }

    @Test
    void refusesBytesThatTheIndexDoesNotPromise() throws IOException {
        rig.putIndex(
                StoreRig.index(3, StoreRig.GENERATION)
                        .with(
                                name(0),
                                new LayerFile(
                                        StoreRig.SIZE,
                                        Optional.of(StoreRig.GENERATION),
                                        Optional.of("crc32c:AAAAAA=="))),
                StoreRig.GENERATION);
        timeline.reload();
        assertThatThrownBy(() -> get(load(READ)))
                .isInstanceOf(StoreFailure.DownloadFailed.class)
                .hasMessageContaining("the index promises crc32c AAAAAA==");
        assertThat(rig.local(name(0))).doesNotExist();
    }

    // ------------------------------------------------------------------ local files that are not what they must be

    @Test
    void fetchesAnewWhatIsMissingShortLongOrNoFile() throws IOException {
        Path file = rig.local(name(0));
        get(layer.download(TaskKind.MGMT_REQUEST, DownloadReason.EXPLICIT));
        Files.delete(file);
        rig.assertReads(layer, content(0));
        evict();
        get(layer.download(TaskKind.MGMT_REQUEST, DownloadReason.EXPLICIT));
        Files.write(file, new byte[StoreRig.SIZE - 1]);
        rig.assertReads(layer, content(0));
        evict();
        get(layer.download(TaskKind.MGMT_REQUEST, DownloadReason.EXPLICIT));
        Files.delete(file);
        Files.createDirectory(file);
        rig.assertReads(layer, content(0));
        evict();
        get(layer.download(TaskKind.MGMT_REQUEST, DownloadReason.EXPLICIT));
        Files.delete(file);
        Files.createDirectory(file);
        Files.writeString(file.resolve("somebody's"), "kept");
        rig.assertReads(layer, content(0));
        StoreMetrics metrics = rig.metrics();
        assertThat(metrics.localFilesMissing()).isEqualTo(1);
        assertThat(metrics.localFilesShort()).isEqualTo(1);
        assertThat(metrics.localFilesNotRegular()).isEqualTo(2);
        try (var entries = Files.newDirectoryStream(rig.localPlace(), "set-aside-*")) {
            assertThat(entries.iterator().next().resolve("somebody's")).hasContent("kept");
        }
        assertThat(layer.statistics().snapshot().accessCounts()).containsEntry(AccessKind.ITER, 4L);
    }

    @Test
    void countsALoadWhoseFileCannotBeHad() throws IOException {
        get(layer.download(TaskKind.MGMT_REQUEST, DownloadReason.EXPLICIT));
        Files.delete(rig.local(name(0)));
        rig.source.refuse(key -> true);
        assertThatThrownBy(() -> get(load(READ))).isInstanceOf(StoreFailure.DownloadFailed.class);
        assertThat(layer.statistics().snapshot().accessCounts())
                .containsEntry(AccessKind.GET_VALUE_RECONSTRUCT_DATA, 1L);
    }

    @Test
    void dropsACopyWhoseBytesRotAndFetchesItAnew() throws IOException {
        LoadedLayer old = get(load(READ));
        old.reportRotten(new IOException("block 3 has another checksum"));
        old.reportRotten(new IOException("block 4, too"));
        assertThat(layer.isRemote()).isTrue();
        rig.assertReads(layer, content(0));
        assertThat(rig.metrics().localFilesRotten()).isEqualTo(1);
        assertThat(rig.source.gets("layer_0-00000005")).isEqualTo(2);
        // Who has the old one open can go on, and harms the new one by nothing.
        old.file().readExact(ByteBuffer.allocate(StoreRig.SIZE), 0);
        old.reportRotten(new IOException("late"));
        old.close();
        assertThat(layer.isRemote()).isFalse();
        rig.assertReads(layer, content(0));
    }

    /** Each time while it opens the file: no fault of the file that comes next. */
    @Test
    void readsALayerThatOthersDropTwiceMeanwhile() throws IOException {
        get(layer.download(TaskKind.MGMT_REQUEST, DownloadReason.EXPLICIT));
        rig.workers().stop();
        CompletableFuture<LoadedLayer> reader = load(READ);
        rig.source.hold(key -> key.contains("layer_0"));
        dropWhileItIsOpened();
        until(() -> rig.source.heldBack() == 1);
        rig.workers().stop();
        rig.source.holdNone();
        until(() -> rig.workers().waiting() == 1);
        dropWhileItIsOpened();
        get(reader).close();
        assertThat(layer.statistics().snapshot().accessCounts())
                .containsEntry(AccessKind.GET_VALUE_RECONSTRUCT_DATA, 1L);
        assertThat(rig.source.gets("layer_0-00000005")).isEqualTo(3);
        rig.assertReads(layer, content(0));
    }

    private void dropWhileItIsOpened() throws IOException {
        Files.delete(rig.local(name(0)));
        try (ResidentLayer pin = layer.keepResident().orElseThrow()) {
            layer.dropRotten(pin.residence(), new IOException("as the test says"), false);
        }
        rig.workers().goOn();
    }
}
