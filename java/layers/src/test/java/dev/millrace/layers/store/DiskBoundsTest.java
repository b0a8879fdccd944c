// SPDX-License-Identifier: Apache-2.0
package dev.millrace.layers.store;

import static dev.millrace.layers.store.StoreRig.CONFIG;
import static dev.millrace.layers.store.StoreRig.READ;
import static dev.millrace.layers.store.StoreRig.SIZE;
import static dev.millrace.layers.store.StoreRig.content;
import static dev.millrace.layers.store.StoreRig.get;
import static dev.millrace.layers.store.StoreRig.name;
import static dev.millrace.layers.store.StoreRig.until;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.millrace.layers.LayerName;
import dev.millrace.layers.stats.StatisticsReset;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DiskBoundsTest {
    @TempDir
    Path root;

    private StoreRig rig;
    private Timeline timeline;

    /** On what; a subclass may say otherwise. */
    Combination on() {
        return Combination.MAIN;
    }

    private void open(LayerStoreConfig config, int layers) throws IOException {
        rig = new StoreRig(root, config, on()).withLayers(layers);
        timeline = rig.attach();
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

    private Layer layer(int number) throws IOException {
        return timeline.requireLayer(name(number));
    }

    private void read(int number) throws IOException {
        rig.millis.incrementAndGet();
        rig.assertReads(layer(number), content(number));
    }

    private List<Integer> resident(int of) throws IOException {
        return IntStream.range(0, of)
                .filter(i -> !timeline.layer(name(i)).orElseThrow().isRemote())
                .boxed()
                .toList();
    }

    @Test
    void makesRoomByTheLeastRecentlyUsed() throws IOException {
        open(CONFIG.withBounds(2 * SIZE + 1, 100, 0), 4);
        read(0);
        read(1);
        read(0);
        read(2);
        assertThat(resident(4)).containsExactly(0, 2);
        read(3);
        assertThat(resident(4)).containsExactly(2, 3);
        assertThat(rig.metrics().evictions()).containsEntry(EvictionReason.DOWNLOAD_NEEDS_ROOM, 2L);
        assertThat(rig.metrics().noSpace()).isZero();
    }

    @Test
    void goesByItsOwnCopyOfTheStatistics() throws IOException {
        open(CONFIG.withBounds(2 * SIZE, 100, 0), 3);
        read(1);
        read(0);
        layer(0).statistics().snapshotAndReset(StatisticsReset.ALL_STATS);
        read(2);
        assertThat(resident(3)).containsExactly(0, 2);
    }

    /** Two layers that are read and fill the room, the first of them asked to go, and a third that waits for that. */
    private record Crowded(ResidentLayer zero, ResidentLayer one, CompletableFuture<ResidentLayer> two) {}

    private Crowded crowded() throws IOException {
        open(CONFIG.withBounds(2 * SIZE, 100, 0), 3);
        ResidentLayer zero = get(layer(0).downloadAndKeepResident(READ));
        ResidentLayer one = get(layer(1).downloadAndKeepResident(READ));
        CompletableFuture<ResidentLayer> two = layer(2).downloadAndKeepResident(READ);
        until(() -> metrics().evictionsStarted() == 1);
        assertThat(two).isNotDone();
        return new Crowded(zero, one, two);
    }

    @Test
    void waitsForReadersThatHoldWhatIsToGo() throws IOException {
        Crowded layers = crowded();
        assertThat(rig.source.gets("layer_2-00000005")).isZero();
        layers.one().close();
        layers.zero().close();
        get(layers.two()).close();
        assertThat(rig.metrics().noSpace()).isZero();
    }

    /** The reader of what was asked to go may be waiting for what needs the room. */
    @Test
    void takesWhatOthersLetGoOfWhileTheLayerThatWasAskedIsRead() throws IOException {
        Crowded layers = crowded();
        // It came first and was asked; the other goes at once.
        layers.one().close();
        get(layers.two()).close();
        assertThat(resident(3)).containsExactly(0, 2);
        layers.zero().close();
        until(() -> metrics().evictionsCompleted() == 2);
        assertThat(resident(3)).containsExactly(2);
        assertThat(rig.metrics().noSpace()).isZero();
    }

    private StoreMetrics metrics() {
        try {
            return rig.metrics();
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void saysThatThereIsNoRoomWhenNoReaderLetsGoInTime() throws IOException {
        open(CONFIG.withBounds(SIZE, 100, 0), 2);
        ResidentLayer zero = get(layer(0).downloadAndKeepResident(READ));
        CompletableFuture<ResidentLayer> one = layer(1).downloadAndKeepResident(READ);
        until(() -> metrics().evictionsStarted() == 1);
        rig.timing.pass(Duration.ofSeconds(60));
        assertThatThrownBy(() -> get(one))
                .isInstanceOf(StoreFailure.NoSpace.class)
                .hasMessageContaining(layer(1).toString());
        assertThat(rig.metrics().noSpace()).isEqualTo(1);
        zero.close();
        until(() -> metrics().evictionsCompleted() == 1);
    }

    @Test
    void letsGoWhoWaitsForRoomWhenTheTimelineIsDetached() throws IOException {
        open(CONFIG.withBounds(SIZE, 100, 0), 2);
        ResidentLayer zero = get(layer(0).downloadAndKeepResident(READ));
        CompletableFuture<ResidentLayer> one = layer(1).downloadAndKeepResident(READ);
        until(() -> metrics().evictionsStarted() == 1);
        rig.store().detach(StoreRig.TENANT, StoreRig.TIMELINE, true);
        assertThatThrownBy(() -> get(one)).isInstanceOf(StoreFailure.ShuttingDown.class);
        zero.close();
        assertThat(rig.metrics().residentBytes()).isZero();
        assertThat(rig.metrics().downloadsFailed()).isZero();
    }

    @Test
    void refusesWhatCanNeverFit() throws IOException {
        open(CONFIG.withBounds(SIZE - 1, 100, 0), 1);
        assertThatThrownBy(() -> read(0))
                .isInstanceOf(StoreFailure.NoSpace.class)
                .hasMessageContaining("max-resident-bytes");
        assertThat(rig.metrics().noSpace()).isEqualTo(1);
    }

    @Test
    void makesRoomOnAFullDiskWhereThatHelps() throws IOException {
        open(CONFIG, 3);
        rig.freeBytes.set(2 * SIZE + SIZE / 2);
        read(0);
        read(1);
        read(2);
        assertThat(resident(3)).containsExactly(1, 2);
    }

    @Test
    void saysThatThereIsNoRoomWhereEvictionDoesNotHelp() throws IOException {
        open(CONFIG, 2);
        read(0);
        rig.freeBytes.set(SIZE / 2);
        assertThatThrownBy(() -> read(1))
                .isInstanceOf(StoreFailure.NoSpace.class)
                .hasMessageContaining(SIZE + " bytes")
                .hasMessageContaining("no layer is left to evict");
        assertThat(resident(2)).isEmpty();
        assertThat(rig.source.gets("layer_1-00000005")).isZero();
    }

    @Test
    void evictsOnADiskThatHasLessThanItSaysAndThenGivesUp() throws IOException {
        open(CONFIG, 2);
        read(0);
        read(1);
        long huge = 1L << 42; // a hole, but for the disk it is downloaded to
        try (RandomAccessFile file = new RandomAccessFile(
                rig.remotePlace().resolve("huge-" + StoreRig.GENERATION).toFile(), "rw")) {
            file.setLength(huge);
        }
        LayerName name = LayerName.parse("huge");
        rig.putIndex(
                StoreRig.index(2, StoreRig.GENERATION).with(name, LayerFile.of(huge, StoreRig.GENERATION)),
                StoreRig.GENERATION);
        timeline.reload();
        assertThatThrownBy(() -> get(timeline.requireLayer(name).downloadAndKeepResident(READ)))
                .isInstanceOf(StoreFailure.NoSpace.class)
                .hasMessageContaining("eviction made none");
        assertThat(resident(2)).isEmpty();
        assertThat(rig.metrics().noSpace()).isEqualTo(1);
        assertThat(rig.metrics().evictionsCompleted()).isEqualTo(2);
    }

    @Test
    void aDefectOnTheWayToRoomFailsWhoWaitsForItAndNobodyAfterwards() throws IOException {
        open(CONFIG, 1);
        rig.whenAskedForRoom.set(() -> {
            throw new NoClassDefFoundError("planted");
        });
        assertThatThrownBy(() -> read(0))
                .isInstanceOf(StoreFailure.DownloadFailed.class)
                .hasMessageContaining("planted");
        rig.whenAskedForRoom.set(() -> {});
        rig.timing.pass(Duration.ofSeconds(60));
        read(0);
    }

    @Test
    void leavesFreeWhatIsToBeLeftFree() throws IOException {
        open(CONFIG.withBounds(Long.MAX_VALUE, 100, 10L * SIZE), 2);
        rig.freeBytes.set(11 * SIZE + 10);
        read(0);
        read(1);
        assertThat(resident(2)).containsExactly(1);
    }

    @Test
    void takesNoMoreThanItsShareOfTheDisk() throws IOException {
        open(CONFIG.withBounds(Long.MAX_VALUE, 80, 0), 3);
        rig.totalBytes.set(10L * SIZE);
        // A fifth must stay free.
        rig.freeBytes.set(4L * SIZE);
        read(0);
        read(1);
        assertThat(resident(3)).containsExactly(0, 1);
        read(2);
        assertThat(resident(3)).containsExactly(1, 2);
    }

    @Test
    void servesDownloadsInTurnWhileOthersHoldTheRoom() throws IOException {
        open(CONFIG.withBounds(SIZE, 100, 0), 4);
        rig.source.hold(key -> key.contains("layer_0"));
        CompletableFuture<ResidentLayer> zero = layer(0).downloadAndKeepResident(READ);
        until(() -> rig.source.heldBack() == 1);
        // No eviction can help yet, and that is no reason to give up: the one under way becomes a layer that can go.
        CompletableFuture<ResidentLayer> one = layer(1).downloadAndKeepResident(READ);
        CompletableFuture<ResidentLayer> two = layer(2).downloadAndKeepResident(READ);
        // In the order in which the store's threads came to the line, whichever that is: each makes room for the other.
        CompletableFuture<Void> oneIsOver = one.thenAccept(ResidentLayer::close);
        CompletableFuture<Void> twoIsOver = two.thenAccept(ResidentLayer::close);
        rig.source.holdNone();
        get(zero).close();
        get(oneIsOver);
        get(twoIsOver);
        assertThat(rig.metrics().evictionsCompleted()).isEqualTo(2);
    }

    @Test
    void noticesABoundThatIsPassedByOthers() throws IOException {
        open(CONFIG.withBounds(Long.MAX_VALUE, 100, SIZE), 3);
        rig.freeBytes.set(100L * SIZE);
        read(0);
        read(1);
        read(2);
        rig.timing.tick();
        rig.freeBytes.set(2 * SIZE + 1);
        rig.timing.tick();
        until(() -> metrics().evictionsCompleted() == 2);
        assertThat(resident(3)).containsExactly(2);
        assertThat(rig.metrics().evictions()).containsEntry(EvictionReason.BOUND_PASSED, 2L);
    }

    @Test
    void asksForWhatIsMissingOnceThoughTwoAskAtOnce() throws Exception {
        open(CONFIG.withBounds(2 * SIZE, 100, 0), 1);
        AtomicReference<DiskBudget> budget = new AtomicReference<>();
        AtomicInteger asked = new AtomicInteger();
        AtomicReference<Thread> second = new AtomicReference<>();
        DiskBudget.Evictor evictor = (bytes, before, reason) -> {
            if (asked.incrementAndGet() == 1) {
                Thread other = new Thread(() -> budget.get().enforce());
                second.set(other);
                other.start();
                // Until it waits for this one to have asked, or has asked itself.
                until(() -> other.getState() == Thread.State.WAITING || !other.isAlive());
                budget.get().removal(bytes).start();
            }
            return new EvictionRun(List.of(), List.of());
        };
        DiskSpace much = () -> new DiskSpace.Room(Long.MAX_VALUE, Long.MAX_VALUE);
        budget.set(new DiskBudget(rig.config, much, rig.timing, new StoreCounters(), evictor));
        budget.get().added(3 * SIZE);
        budget.get().enforce();
        second.get().join();
        assertThat(asked).hasValue(1);
    }

    @Test
    void freesSoManyBytesAndSaysWhatWent() throws IOException {
        open(CONFIG, 3);
        read(2);
        read(0);
        read(1);
        EvictionRun run = rig.store().evict(SIZE + 1);
        get(run.done());
        assertThat(run.freedBytes()).isEqualTo(2 * SIZE);
        assertThat(run.evicted()).extracting(EvictionRun.Evicted::layer).containsExactlyInAnyOrder(name(2), name(0));
        assertThat(get(rig.store().evict(0).done())).isNull();
        assertThat(resident(3)).containsExactly(1);
    }
}
