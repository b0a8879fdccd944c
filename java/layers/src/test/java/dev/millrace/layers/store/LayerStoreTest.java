// SPDX-License-Identifier: Apache-2.0
package dev.millrace.layers.store;

import static dev.millrace.layers.store.StoreRig.GENERATION;
import static dev.millrace.layers.store.StoreRig.READ;
import static dev.millrace.layers.store.StoreRig.TENANT;
import static dev.millrace.layers.store.StoreRig.TIMELINE;
import static dev.millrace.layers.store.StoreRig.content;
import static dev.millrace.layers.store.StoreRig.get;
import static dev.millrace.layers.store.StoreRig.name;
import static dev.millrace.layers.store.StoreRig.until;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.millrace.layers.AccessKind;
import dev.millrace.layers.Generation;
import dev.millrace.layers.LayerName;
import dev.millrace.layers.Lsn;
import dev.millrace.layers.TaskKind;
import dev.millrace.layers.TimelineId;
import dev.millrace.layers.stats.LayerAccessStats;
import dev.millrace.layers.stats.ResidenceEvent;
import dev.millrace.layers.stats.ResidenceReason;
import dev.millrace.layers.stats.ResidenceStatus;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LayerStoreTest {
    @TempDir
    Path root;

    private StoreRig rig;

    /** On what; a subclass may say otherwise. */
    Combination on() {
        return Combination.MAIN;
    }

    @BeforeEach
    void open() throws IOException {
        rig = new StoreRig(root, StoreRig.CONFIG, on()).withLayers(3);
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

    // ------------------------------------------------------------------ the folder

    @Test
    void takesUpWhatIsWholeAndRemovesTheRest() throws IOException {
        Path place = Files.createDirectories(rig.localPlace());
        Files.write(rig.local(name(0)), content(0).toBytes());
        Files.write(rig.local(name(1)), new byte[7]);
        Files.write(place.resolve("layer_2-00000004"), content(2).toBytes());
        Files.write(place.resolve("layer_2"), content(2).toBytes());
        Files.write(place.resolve("layer_9-00000005"), content(9).toBytes());
        Files.writeString(place.resolve("notes.txt"), "x");
        Files.createSymbolicLink(rig.local(name(2)), rig.local(name(0)));
        Files.writeString(place.resolve("." + "0".repeat(32) + ".millrace-part"), "half");
        Files.createDirectory(place.resolve("folder"));
        Timeline timeline = rig.attach();
        try (var left = Files.list(place)) {
            assertThat(left.map(path -> path.getFileName().toString()))
                    .containsExactlyInAnyOrder("layer_0-00000005", "folder");
        }
        assertThat(timeline.requireLayer(name(0)).isRemote()).isFalse();
        assertThat(timeline.requireLayer(name(1)).isRemote()).isTrue();
        assertThat(timeline.requireLayer(name(2)).isRemote()).isTrue();
        assertThat(rig.metrics().residentBytes()).isEqualTo(StoreRig.SIZE);
        assertThat(timeline.residentBytes()).isEqualTo(StoreRig.SIZE);
        assertThat(timeline.requireLayer(name(0))
                        .statistics()
                        .snapshot()
                        .residenceEvents()
                        .toList())
                .containsExactly(new ResidenceEvent(1_000, ResidenceStatus.RESIDENT, ResidenceReason.LAYER_LOAD));
        // The index alone was fetched, and no file is open but the lock's.
        assertThat(rig.source.allGets()).isEqualTo(1);
        assertThat(rig.engine.descriptors().open()).isEqualTo(1);
        rig.assertReads(timeline.requireLayer(name(0)), content(0));
        assertThat(rig.source.gets("layer_0-00000005")).isZero();
    }

    @Test
    void isOneStoreAtATime() throws IOException {
        rig.open();
        assertThatThrownBy(() -> LayerStore.open(
                        rig.engine,
                        rig.dataFolder,
                        new LayerStore.Remote(rig.source, Optional.empty(), rig.remote.bucket, ""),
                        StoreRig.CONFIG))
                .isInstanceOf(StoreFailure.FolderInUse.class)
                .hasMessageContaining(String.valueOf(ProcessHandle.current().pid()))
                .hasMessageContaining(rig.dataFolder.toString());
        rig.store().close();
        rig.open();
    }

    // ------------------------------------------------------------------ attaching and detaching

    @Test
    void isAttachedOnceAndCanComeBack() throws IOException {
        Timeline timeline = rig.attach();
        rig.assertReads(timeline.requireLayer(name(0)), content(0));
        assertThatThrownBy(() -> rig.attach())
                .isInstanceOf(StoreFailure.WrongState.class)
                .hasMessageContaining("attached already");
        assertThat(rig.store().tenants()).singleElement().satisfies(tenant -> {
            assertThat(tenant.id()).isEqualTo(TENANT);
            assertThat(tenant.timeline(TIMELINE)).containsSame(timeline);
            assertThat(tenant.residentBytes()).isEqualTo(StoreRig.SIZE);
        });
        rig.store().detach(TENANT, TIMELINE, false);
        assertThat(rig.store().tenants()).isEmpty();
        assertThat(rig.metrics().residentBytes()).isZero();
        assertThat(rig.local(name(0))).exists();
        assertThatThrownBy(() -> rig.store().timeline(TENANT, TIMELINE)).isInstanceOf(StoreFailure.NotFound.class);
        assertThatThrownBy(() -> rig.store().detach(TENANT, TIMELINE, false)).isInstanceOf(StoreFailure.NotFound.class);
        Timeline again = rig.attach();
        rig.assertReads(again.requireLayer(name(0)), content(0));
        assertThat(rig.source.gets("layer_0-00000005")).isEqualTo(1);
        rig.store().detach(TENANT, TIMELINE, true);
        assertThat(rig.local(name(0))).doesNotExist();
    }

    @Test
    void isNotAttachedWhereItsIndexCannotBeRead() throws IOException {
        TimelineId other = new TimelineId("c".repeat(32));
        assertThatThrownBy(() -> rig.store().attach(TENANT, other)).isInstanceOf(StoreFailure.NoIndex.class);
        assertThatThrownBy(() -> rig.store().timeline(TENANT, other)).isInstanceOf(StoreFailure.NotFound.class);
        assertThatThrownBy(() -> rig.store().attach(TENANT, other)).isInstanceOf(StoreFailure.NoIndex.class);
    }

    @Test
    void tellsWhoWaitsThatItIsDetached() throws IOException {
        Timeline timeline = rig.attach();
        rig.source.hold(key -> key.contains("layer_"));
        CompletableFuture<LoadedLayer> waiting = timeline.requireLayer(name(0)).load(AccessKind.ITER, READ);
        until(() -> rig.source.heldBack() == 1);
        rig.store().detach(TENANT, TIMELINE, false);
        assertThatThrownBy(() -> get(waiting)).isInstanceOf(StoreFailure.ShuttingDown.class);
        assertThatThrownBy(() -> get(timeline.requireLayer(name(0)).load(AccessKind.ITER, READ)))
                .isInstanceOf(StoreFailure.ShuttingDown.class);
        assertThat(rig.metrics().downloadsCancelled()).isEqualTo(1);
        assertThat(rig.metrics().downloadsFailed()).isZero();
        // A download that was cancelled holds back nothing.
        rig.source.holdNone();
        rig.assertReads(rig.attach().requireLayer(name(0)), content(0));
    }

    @Test
    void letsReadersKeepWhatTheyHave() throws IOException {
        Timeline timeline = rig.attach();
        LoadedLayer reader = get(timeline.requireLayer(name(0)).load(AccessKind.ITER, READ));
        rig.store().detach(TENANT, TIMELINE, true);
        assertThat(rig.local(name(0))).doesNotExist();
        ByteBuffer bytes = ByteBuffer.allocate(StoreRig.SIZE);
        reader.file().readExact(bytes, 0);
        assertThat(bytes.array()).isEqualTo(content(0).toBytes());
        Timeline again = rig.attach();
        rig.assertReads(again.requireLayer(name(0)), content(0));
        reader.close();
        assertThat(rig.local(name(0))).exists();
    }

    @Test
    void endsAllThatWaitsWhenItIsClosed() throws IOException {
        Timeline timeline = rig.attach();
        rig.source.hold(key -> key.contains("layer_"));
        CompletableFuture<LoadedLayer> waiting = timeline.requireLayer(name(0)).load(AccessKind.ITER, READ);
        until(() -> rig.source.heldBack() == 1);
        LayerStore store = rig.store();
        store.close();
        store.close();
        assertThatThrownBy(() -> get(waiting)).isInstanceOf(StoreFailure.ShuttingDown.class);
        assertThatThrownBy(() -> store.attach(TENANT, TIMELINE)).isInstanceOf(StoreFailure.ShuttingDown.class);
        rig.source.holdNone();
        rig.open();
        rig.assertReads(rig.attach().requireLayer(name(0)), content(0));
    }

    // ------------------------------------------------------------------ ends while something is under way

    /** What another thread does, so that this one can go on. */
    private static <T> CompletableFuture<T> meanwhile(Callable<T> work) {
        CompletableFuture<T> done = new CompletableFuture<>();
        Thread thread = new Thread(() -> {
            try {
                done.complete(work.call());
            } catch (Exception e) {
                done.completeExceptionally(e);
            }
        });
        thread.start();
        return done;
    }

    @Test
    void isDetachedThoughTheStoreDoesNotAnswerForItsIndex() throws IOException {
        Timeline timeline = rig.attach();
        rig.source.hold(key -> key.contains("index_part"));
        CompletableFuture<Object> reading = meanwhile(() -> {
            timeline.reload();
            return timeline;
        });
        until(() -> rig.source.heldBack() == 1);
        // It is told, too, without a wait for the store.
        assertThat(timeline.diskConsistentLsn()).isEqualTo(new Lsn(16));
        rig.store().detach(TENANT, TIMELINE, false);
        assertThatThrownBy(() -> get(reading)).isInstanceOf(StoreFailure.ShuttingDown.class);
        until(() -> rig.source.heldBack() == 0);
        rig.source.holdNone();
        rig.assertReads(rig.attach().requireLayer(name(0)), content(0));
    }

    @Test
    void closesThoughATimelineThatIsAttachedHasNoAnswerForItsIndex() throws IOException {
        rig.open();
        LayerStore store = rig.store();
        rig.source.hold(key -> key.contains("index_part"));
        CompletableFuture<Timeline> attaching = meanwhile(() -> store.attach(TENANT, TIMELINE));
        until(() -> rig.source.heldBack() == 1);
        assertThatThrownBy(rig::attach)
                .isInstanceOf(StoreFailure.WrongState.class)
                .hasMessageContaining("being attached");
        store.close();
        assertThatThrownBy(() -> get(attaching)).isInstanceOf(StoreFailure.ShuttingDown.class);
        rig.source.holdNone();
        rig.open();
        rig.assertReads(rig.attach().requireLayer(name(0)), content(0));
    }

    @Test
    void isBeingDetachedUntilThatIsOverThoughNobodyWaits() throws Exception {
        Layer layer = rig.attach().requireLayer(name(0));
        get(layer.download(TaskKind.MGMT_REQUEST, DownloadReason.EXPLICIT));
        rig.workers().stop();
        Thread waiting = new Thread(() -> {
            try {
                rig.store().detach(TENANT, TIMELINE, true);
            } catch (IOException e) {
                throw new AssertionError(e);
            }
        });
        waiting.start();
        until(() -> rig.workers().waiting() > 0);
        waiting.interrupt();
        waiting.join();
        assertThat(rig.local(name(0))).exists();
        assertThatThrownBy(rig::attach)
                .isInstanceOf(StoreFailure.WrongState.class)
                .hasMessageContaining("being detached");
        rig.workers().goOn();
        until(() -> !Files.exists(rig.local(name(0))));
        until(this::isGone);
        rig.assertReads(rig.attach().requireLayer(name(0)), content(0));
    }

    private boolean isGone() {
        try {
            rig.store().timeline(TENANT, TIMELINE);
            return false;
        } catch (StoreFailure.NotFound gone) {
            return true;
        } catch (IOException stillThere) {
            return false;
        }
    }

    @Test
    void closesWhollyThoughItsThreadIsInterrupted() throws IOException {
        Layer layer = rig.attach().requireLayer(name(0));
        rig.assertReads(layer, content(0));
        Thread.currentThread().interrupt();
        rig.store().close();
        assertThat(Thread.interrupted()).as("the interrupt is kept").isTrue();
        assertThat(rig.engine.descriptors().open()).isZero();
        rig.open();
        rig.assertReads(rig.attach().requireLayer(name(0)), content(0));
    }

    // ------------------------------------------------------------------ what is told of it

    /** What a listing tells of a layer, without its statistics. */
    private record Told(LayerName name, LayerFile file, boolean remote, boolean uploaded) {}

    private static List<Told> told(Timeline timeline) {
        return timeline.layers().stream()
                .map(layer -> new Told(layer.name(), layer.file(), layer.isRemote(), layer.isUploaded()))
                .toList();
    }

    @Test
    void isTheSameMapAfterAnEvictionAndADownloadButForStatistics() throws IOException {
        Timeline timeline = rig.attach();
        for (int i = 0; i < 3; i++) {
            rig.assertReads(timeline.requireLayer(name(i)), content(i));
        }
        List<Told> before = told(timeline);
        byte[] bytes = Files.readAllBytes(rig.local(name(1)));
        Layer layer = timeline.requireLayer(name(1));
        get(layer.evict(EvictionReason.EXPLICIT));
        assertThat(told(timeline)).isNotEqualTo(before).hasSameSizeAs(before);
        get(layer.download(TaskKind.MGMT_REQUEST, DownloadReason.EXPLICIT));
        assertThat(told(timeline)).isEqualTo(before);
        assertThat(timeline.requireLayer(name(1))).isSameAs(layer);
        assertThat(Files.readAllBytes(rig.local(name(1)))).isEqualTo(bytes);
    }

    @Test
    void forgetsStatisticsWithTheProcess() throws IOException {
        rig.assertReads(rig.attach().requireLayer(name(0)), content(0));
        rig.store().close();
        rig.open();
        rig.millis.set(9_000);
        LayerAccessStats stats = rig.attach().requireLayer(name(0)).statistics().snapshot();
        assertThat(stats.first()).isEmpty();
        assertThat(stats.accessCounts().get(AccessKind.ITER)).isZero();
        assertThat(stats.residenceEvents().toList())
                .containsExactly(new ResidenceEvent(9_000, ResidenceStatus.RESIDENT, ResidenceReason.LAYER_LOAD));
    }

    // ------------------------------------------------------------------ the index moves on

    @Test
    void takesUpANewIndexWhileItsLayersAreRead() throws IOException {
        Timeline timeline = rig.attach();
        for (int i = 0; i < 3; i++) {
            rig.assertReads(timeline.requireLayer(name(i)), content(i));
        }
        Layer kept = timeline.requireLayer(name(0));
        LoadedLayer reader = get(timeline.requireLayer(name(2)).load(AccessKind.ITER, READ));
        rig.putLayer(name(1), content(11), new Generation(4));
        rig.putLayer(name(3), content(3), GENERATION);
        rig.putIndex(
                StoreRig.index(4, GENERATION)
                        .without(name(2))
                        .with(name(1), LayerFile.of(StoreRig.SIZE, new Generation(4))),
                GENERATION);
        timeline.reload();
        assertThat(timeline.layer(name(0))).containsSame(kept);
        assertThat(kept.isRemote()).isFalse();
        assertThat(timeline.layer(name(2))).isEmpty();
        rig.assertReads(timeline.requireLayer(name(1)), content(11));
        rig.assertReads(timeline.requireLayer(name(3)), content(3));
        // One statistics through both files.
        assertThat(timeline.requireLayer(name(1)).statistics().snapshot().accessCounts())
                .containsEntry(AccessKind.ITER, 2L);
        ByteBuffer bytes = ByteBuffer.allocate(StoreRig.SIZE);
        reader.file().readExact(bytes, 0);
        assertThat(bytes.array()).isEqualTo(content(2).toBytes());
        reader.close();
        until(() -> !Files.exists(rig.local(name(2))) && !Files.exists(rig.local(name(1))));
    }

    @Test
    void fetchesALayerThatComesBackOnlyWhenTheOneThatLeftIsGone() throws IOException {
        Timeline timeline = rig.attach();
        Layer left = timeline.requireLayer(name(2));
        rig.assertReads(left, content(2));
        rig.workers().stop();
        rig.putIndex(StoreRig.index(2, GENERATION), GENERATION);
        timeline.reload();
        rig.putIndex(StoreRig.index(3, GENERATION), GENERATION);
        timeline.reload();
        Layer back = timeline.requireLayer(name(2));
        assertThat(back).isNotSameAs(left);
        int before = rig.workers().waiting();
        CompletableFuture<LoadedLayer> reader = back.load(AccessKind.ITER, READ);
        // Its download would have begun with a step for a worker.
        assertThat(rig.workers().waiting()).isEqualTo(before);
        rig.workers().goOn();
        get(reader).close();
        rig.assertReads(back, content(2));
        assertThat(rig.source.gets("layer_2-00000005")).isEqualTo(2);
    }

    @Test
    void isDetachedOnlyWhenLayersThatLeftBeforeAreGone() throws IOException {
        Timeline timeline = rig.attach();
        rig.assertReads(timeline.requireLayer(name(2)), content(2));
        rig.workers().stop();
        rig.putIndex(StoreRig.index(2, GENERATION), GENERATION);
        timeline.reload();
        assertThat(rig.local(name(2))).exists();
        CompletableFuture<Boolean> wasThere = meanwhile(() -> {
            rig.store().detach(TENANT, TIMELINE, false);
            return Files.exists(rig.local(name(2)));
        });
        until(this::isBeingDetached);
        rig.workers().goOn();
        assertThat(get(wasThere)).isFalse();
        rig.putIndex(StoreRig.index(3, GENERATION), GENERATION);
        rig.assertReads(rig.attach().requireLayer(name(2)), content(2));
    }

    private boolean isBeingDetached() {
        try {
            rig.store().timeline(TENANT, TIMELINE);
            return false;
        } catch (StoreFailure.WrongState | StoreFailure.NotFound onItsWayOut) {
            return true;
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void changesNothingWhereTheNewIndexCannotBeRead() throws IOException {
        Timeline timeline = rig.attach();
        Files.writeString(rig.remotePlace().resolve(IndexPart.fileName(GENERATION)), "{\"version\":1");
        assertThatThrownBy(timeline::reload).isInstanceOf(StoreFailure.IndexUnreadable.class);
        assertThat(timeline.layers()).hasSize(3);
        rig.assertReads(timeline.requireLayer(name(0)), content(0));
    }

    // ------------------------------------------------------------------ new layers

    @Test
    void publishesUploadsAndOnlyThenEvicts() throws IOException {
        Timeline timeline = rig.attach();
        LayerName fresh = LayerName.parse("fresh");
        Path finished = timeline.folder().resolve("finished");
        Files.write(finished, content(9).toBytes());
        Layer layer = timeline.publish(fresh, finished, Optional.empty());
        assertThat(finished).doesNotExist();
        assertThat(layer.isUploaded()).isFalse();
        assertThat(layer.statistics().snapshot().residenceEvents().toList())
                .containsExactly(new ResidenceEvent(1_000, ResidenceStatus.RESIDENT, ResidenceReason.LAYER_CREATE));
        assertThat(get(layer.evict(EvictionReason.EXPLICIT))).isEqualTo(EvictionOutcome.NOT_UPLOADED);
        assertThat(rig.store().evict(Long.MAX_VALUE).evicted()).isEmpty();
        timeline.reload();
        assertThat(timeline.layer(fresh)).containsSame(layer);
        Files.write(finished, content(9).toBytes());
        assertThatThrownBy(() -> timeline.publish(fresh, finished, Optional.empty()))
                .isInstanceOf(StoreFailure.WrongState.class);
        Files.write(timeline.folder().resolve("other-00000005"), new byte[1]);
        assertThatThrownBy(() -> timeline.publish(LayerName.parse("other"), finished, Optional.empty()))
                .isInstanceOf(StoreFailure.WrongState.class)
                .hasMessageContaining("lies in");
        timeline.upload(new Lsn(99));
        assertThat(timeline.diskConsistentLsn()).isEqualTo(new Lsn(99));
        assertThat(get(layer.evict(EvictionReason.EXPLICIT))).isEqualTo(EvictionOutcome.EVICTED);
        rig.assertReads(layer, content(9));
        timeline.upload(new Lsn(100));
        rig.store().detach(TENANT, TIMELINE, true);
        assertThat(rig.attach().requireLayer(fresh).isUploaded()).isTrue();
    }

    @Test
    void neverOverwritesAnIndexThatAnotherHasPut() throws IOException {
        Timeline timeline = rig.attach();
        rig.putIndex(StoreRig.index(2, GENERATION), GENERATION);
        assertThatThrownBy(() -> timeline.upload(new Lsn(99))).isInstanceOf(StoreFailure.IndexConflict.class);
        timeline.reload();
        timeline.upload(new Lsn(99));
        assertThat(timeline.layers()).hasSize(2);
    }

    // ------------------------------------------------------------------ all layers

    @Test
    void downloadsAllThroughAWindowThatSlides() throws IOException {
        rig.withLayers(6);
        Timeline timeline = rig.attach();
        rig.assertReads(timeline.requireLayer(name(5)), content(5));
        rig.source.hold(key -> key.contains("layer_"));
        BulkLayerDownload all = timeline.downloadAll(2);
        until(() -> rig.source.heldBack() == 2);
        assertThatThrownBy(() -> timeline.downloadAll(1))
                .isInstanceOf(StoreFailure.WrongState.class)
                .hasMessageContaining(all.status().taskId());
        assertThat(all.status().state()).isEqualTo(BulkDownloadStatus.State.RUNNING);
        assertThat(all.status().totalLayerCount()).isEqualTo(6);
        // One ends, and the next begins beside the one that goes on.
        String first = timeline.layers().stream()
                .map(layer -> layer.name() + "-00000005")
                .filter(file -> rig.source.gets(file) == 1 && !file.startsWith("layer_5"))
                .findFirst()
                .orElseThrow();
        rig.source.hold(key -> key.contains("layer_") && !key.endsWith(first));
        until(() -> timeline.layers().stream()
                        .filter(layer -> rig.source.gets(layer.name() + "-00000005") > 0)
                        .count()
                == 4);
        assertThat(rig.source.heldBack()).isEqualTo(2);
        rig.source.refuse(key -> key.endsWith("layer_4-00000005"));
        rig.source.holdNone();
        BulkDownloadStatus status = get(all.done());
        assertThat(status.state()).isEqualTo(BulkDownloadStatus.State.COMPLETED);
        assertThat(status.successfulDownloadCount() + status.failedDownloadCount())
                .isEqualTo(6);
        assertThat(timeline.lastBulkDownload()).containsSame(all);
        rig.source.refuse(key -> false);
        assertThat(get(timeline.downloadAll(100).done()).successfulDownloadCount())
                .isEqualTo(6);
        assertThatThrownBy(() -> timeline.downloadAll(0)).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void countsWhatCouldNotBeFetchedAndWhatWasHere() throws IOException {
        Timeline timeline = rig.attach();
        rig.assertReads(timeline.requireLayer(name(0)), content(0));
        rig.source.refuse(key -> key.contains("layer_1"));
        BulkDownloadStatus status = get(timeline.downloadAll(3).done());
        assertThat(status.state()).isEqualTo(BulkDownloadStatus.State.COMPLETED);
        assertThat(status.successfulDownloadCount()).isEqualTo(2);
        assertThat(status.failedDownloadCount()).isEqualTo(1);
    }

    @Test
    void goesThroughAnyNumberOfLayersThatAreHere() throws IOException {
        Layer here = rig.attach().requireLayer(name(0));
        rig.assertReads(here, content(0));
        BulkLayerDownload all = new BulkLayerDownload(here.place(), Collections.nCopies(100_000, here), 1);
        all.start();
        assertThat(get(all.done()).successfulDownloadCount()).isEqualTo(100_000);
    }

    @Test
    void shutsTheDownloadOfAllDownWithTheTimeline() throws IOException {
        Timeline timeline = rig.attach();
        rig.source.hold(key -> key.contains("layer_"));
        BulkLayerDownload all = timeline.downloadAll(2);
        until(() -> rig.source.heldBack() == 2);
        rig.store().detach(TENANT, TIMELINE, false);
        BulkDownloadStatus status = get(all.done());
        assertThat(status.state()).isEqualTo(BulkDownloadStatus.State.SHUT_DOWN);
        assertThat(status.failedDownloadCount()).isZero();
        rig.source.holdNone();
    }
}
