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
import dev.millrace.layers.TaskKind;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Eviction against readers, downloads and the end, in every order. */
class EvictionTest {
    @TempDir
    Path root;

    private StoreRig rig;
    private Timeline timeline;
    private Layer layer;
    private Path file;

    /** On what; a subclass may say otherwise. */
    Combination on() {
        return Combination.MAIN;
    }

    @BeforeEach
    void open() throws IOException {
        rig = new StoreRig(root, StoreRig.CONFIG, on()).withLayers(2);
        timeline = rig.attach();
        layer = timeline.requireLayer(name(0));
        file = rig.local(name(0));
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

    private ResidentLayer pin() throws IOException {
        return get(layer.downloadAndKeepResident(READ));
    }

    private CompletableFuture<EvictionOutcome> evict() {
        return layer.evict(EvictionReason.EXPLICIT);
    }

    private void assertEvictions(long started, long completed, Map<EvictionOutcome, Long> cancelled)
            throws IOException {
        StoreMetrics metrics = rig.metrics();
        assertThat(metrics.evictionsStarted()).isEqualTo(started);
        assertThat(metrics.evictionsCompleted()).isEqualTo(completed);
        metrics.evictionsCancelled()
                .forEach((reason, count) -> assertThat(count).isEqualTo(cancelled.getOrDefault(reason, 0L)));
    }

    @Test
    void waitsForTheLastReaderThatWasThere() throws IOException {
        ResidentLayer first = pin();
        ResidentLayer second = pin();
        CompletableFuture<EvictionOutcome> eviction = evict();
        CompletableFuture<EvictionOutcome> shared = evict();
        first.close();
        first.close();
        assertThat(eviction).isNotDone();
        assertThat(layer.isRemote()).isFalse();
        assertThat(file).exists();
        rig.workers().stop();
        second.close();
        // Doomed: remote from here on, though the file is not gone yet.
        assertThat(layer.isRemote()).isTrue();
        assertThat(layer.keepResident()).isEmpty();
        assertThat(file).exists();
        rig.workers().goOn();
        assertThat(get(eviction)).isEqualTo(EvictionOutcome.EVICTED);
        assertThat(get(shared)).isEqualTo(EvictionOutcome.EVICTED);
        assertThat(file).doesNotExist();
        assertEvictions(1, 1, Map.of());
    }

    @Test
    void givesWayToAReaderThatComesFirst() throws IOException {
        ResidentLayer first = pin();
        CompletableFuture<EvictionOutcome> eviction = evict();
        ResidentLayer second = layer.keepResident().orElseThrow();
        assertThat(get(eviction)).isEqualTo(EvictionOutcome.READER_CAME);
        first.close();
        second.close();
        assertThat(layer.isRemote()).isFalse();
        assertThat(rig.source.gets("layer_0-00000005")).isEqualTo(1);
        assertEvictions(1, 0, Map.of(EvictionOutcome.READER_CAME, 1L));
        assertThat(get(evict())).isEqualTo(EvictionOutcome.EVICTED);
        assertEvictions(2, 1, Map.of(EvictionOutcome.READER_CAME, 1L));
    }

    @Test
    void givesWayToALoadAsToAPin() throws IOException {
        ResidentLayer first = pin();
        CompletableFuture<EvictionOutcome> eviction = evict();
        get(layer.load(AccessKind.ITER, READ)).close();
        assertThat(get(eviction)).isEqualTo(EvictionOutcome.READER_CAME);
        first.close();
    }

    @Test
    void isNotCancelledByAReadThatWasCancelledBeforeItTookHold() throws IOException {
        rig.source.hold(key -> true);
        CompletableFuture<ResidentLayer> gone = layer.downloadAndKeepResident(READ);
        CompletableFuture<ResidentLayer> stays = layer.downloadAndKeepResident(READ);
        CompletableFuture<ResidentLayer> late = layer.downloadAndKeepResident(READ.withTimeout(Duration.ofMillis(1)));
        until(() -> rig.source.heldBack() == 1);
        gone.cancel(false);
        rig.timing.pass(Duration.ofMillis(1));
        assertThatThrownBy(() -> get(late)).isInstanceOf(StoreFailure.TimedOut.class);
        rig.source.holdNone();
        ResidentLayer reader = get(stays);
        CompletableFuture<EvictionOutcome> eviction = evict();
        reader.close();
        assertThat(get(eviction)).isEqualTo(EvictionOutcome.EVICTED);
    }

    @Test
    void letsAReaderThatComesTooLateWaitForTheEndOfTheFileAndFetchItAnew() throws IOException {
        pin().close();
        rig.workers().stop();
        CompletableFuture<EvictionOutcome> eviction = evict();
        assertThat(layer.isRemote()).isTrue();
        CompletableFuture<LoadedLayer> reader = layer.load(AccessKind.ITER, READ);
        assertThat(rig.workers().waiting()).isEqualTo(1);
        assertThat(get(evict())).isEqualTo(EvictionOutcome.NOT_RESIDENT);
        assertThat(eviction).isNotDone();
        rig.workers().goOn();
        assertThat(get(eviction)).isEqualTo(EvictionOutcome.EVICTED);
        get(reader).close();
        assertThat(rig.source.gets("layer_0-00000005")).isEqualTo(2);
        rig.assertReads(layer, content(0));
        assertEvictions(1, 1, Map.of());
    }

    @Test
    void doesNotWaitForADownload() throws IOException {
        rig.source.hold(key -> true);
        CompletableFuture<ResidentLayer> reader = layer.downloadAndKeepResident(READ);
        until(() -> rig.source.heldBack() == 1);
        assertThat(layer.isRemote()).isTrue();
        assertThat(evict()).isCompletedWithValue(EvictionOutcome.NOT_RESIDENT);
        rig.source.holdNone();
        get(reader).close();
        assertEvictions(0, 0, Map.of());
    }

    @Test
    void touchesNoOtherIncarnation() throws IOException {
        LoadedLayer old = get(layer.load(AccessKind.ITER, READ));
        CompletableFuture<EvictionOutcome> first = evict();
        // The first incarnation ends otherwise, and its eviction with it.
        old.reportRotten(new IOException("as the test says"));
        assertThat(get(first)).isEqualTo(EvictionOutcome.SUPERSEDED);
        ResidentLayer second = pin();
        CompletableFuture<EvictionOutcome> eviction = evict();
        old.close();
        assertThat(eviction).isNotDone();
        assertThat(layer.isRemote()).isFalse();
        assertThat(file).exists();
        second.close();
        assertThat(get(eviction)).isEqualTo(EvictionOutcome.EVICTED);
        assertEvictions(2, 1, Map.of(EvictionOutcome.SUPERSEDED, 1L));
    }

    @Test
    void doesNotWaitForReadersOfAnEarlierIncarnation() throws IOException {
        LoadedLayer old = get(layer.load(AccessKind.ITER, READ));
        old.reportRotten(new IOException("as the test says"));
        pin().close();
        assertThat(get(evict())).isEqualTo(EvictionOutcome.EVICTED);
        pin().close();
        old.close();
        assertThat(layer.isRemote()).isFalse();
        assertThat(file).exists();
    }

    @Test
    void leavesTheLayerWhereItsFileCannotBeRemoved() throws IOException {
        pin().close();
        Files.delete(file);
        Files.createDirectory(file);
        Files.writeString(file.resolve("x"), "x");
        assertThat(get(evict())).isEqualTo(EvictionOutcome.FAILED);
        assertThat(layer.isRemote()).isFalse();
        assertEvictions(1, 0, Map.of(EvictionOutcome.FAILED, 1L));
        rig.assertReads(layer, content(0));
    }

    @Test
    void endsWithTheTimeline() throws IOException {
        ResidentLayer reader = pin();
        CompletableFuture<EvictionOutcome> eviction = evict();
        rig.store().detach(StoreRig.TENANT, StoreRig.TIMELINE, false);
        assertThat(get(eviction)).isEqualTo(EvictionOutcome.SHUTTING_DOWN);
        assertThat(get(evict())).isEqualTo(EvictionOutcome.SHUTTING_DOWN);
        assertThat(file).exists();
        reader.close();
        assertThat(file).exists();
        assertEvictions(1, 0, Map.of(EvictionOutcome.SHUTTING_DOWN, 1L));
    }

    @Test
    void countsHowSoonALayerIsReadAgain() throws IOException {
        pin().close();
        get(evict());
        rig.millis.addAndGet(30_000);
        pin().close();
        get(evict());
        rig.millis.addAndGet(30 * 60_000);
        rig.assertReads(layer, content(0));
        get(evict());
        // Nobody reads it.
        get(layer.download(TaskKind.MGMT_REQUEST, DownloadReason.EXPLICIT));
        Map<Duration, Long> after = rig.metrics().redownloadedAfter();
        assertThat(after)
                .containsEntry(Duration.ofMinutes(1), 1L)
                .containsEntry(Duration.ofMinutes(10), 0L)
                .containsEntry(Duration.ofHours(1), 1L)
                .containsEntry(StoreMetrics.EVER, 0L);
    }
}
