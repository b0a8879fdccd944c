// SPDX-License-Identifier: Apache-2.0
package dev.millrace.layers.store;

import static dev.millrace.layers.store.StoreRig.READ;
import static dev.millrace.layers.store.StoreRig.content;
import static dev.millrace.layers.store.StoreRig.get;
import static dev.millrace.layers.store.StoreRig.name;
import static dev.millrace.layers.store.StoreRig.until;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.millrace.io.EngineKind;
import dev.millrace.io.IoEngine;
import dev.millrace.io.IoEngineConfig;
import dev.millrace.layers.AccessKind;
import dev.millrace.transfer.Downloader;
import dev.millrace.transfer.Timing;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a store gives back when it cannot be opened, and when who ends it is interrupted. */
class StoreEndsTest {
    @TempDir
    Path root;

    private StoreRig rig;

    @BeforeEach
    void open() throws IOException {
        rig = new StoreRig(root).withLayers(2);
    }

    @AfterEach
    void close() throws IOException {
        rig.close();
    }

    /** Tells how often it was closed. */
    private static final class CountedTiming implements Timing {
        private final Timing timing = new ManualTiming();
        private final AtomicInteger closes = new AtomicInteger();

        @Override
        public long nanoTime() {
            return timing.nanoTime();
        }

        @Override
        public double random() {
            return timing.random();
        }

        @Override
        public Alarm after(Duration delay, Runnable action) {
            return timing.after(delay, action);
        }

        @Override
        public Alarm every(Duration period, Runnable action) {
            return timing.every(period, action);
        }

        @Override
        public void close() {
            closes.incrementAndGet();
        }
    }

    private LayerStore open(IoEngine engine, Timing timing) throws IOException {
        return LayerStore.open(
                engine,
                rig.dataFolder,
                new LayerStore.Remote(rig.source, Optional.empty(), "bucket", ""),
                StoreRig.CONFIG,
                new LayerStore.Surroundings(
                        timing,
                        InstantSource.system(),
                        DiskSpace.of(rig.dataFolder),
                        pool -> pool,
                        Downloader::open,
                        Waits.Meanwhile.NOTHING));
    }

    @Test
    void endsItsClockWhereTheFolderIsAnothers() throws IOException {
        rig.open();
        CountedTiming timing = new CountedTiming();
        assertThatThrownBy(() -> open(rig.engine, timing)).isInstanceOf(StoreFailure.FolderInUse.class);
        assertThat(timing.closes).hasValue(1);
    }

    @Test
    void givesTheFolderBackWhereItCannotWorkWithTheEngine() throws IOException {
        CountedTiming timing = new CountedTiming();
        try (IoEngine small = IoEngine.open(
                IoEngineConfig.defaults().withEngine(EngineKind.BLOCKING).withPool(2, 4096))) {
            assertThatThrownBy(() -> open(small, timing))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("buffers of 4096");
        }
        assertThat(timing.closes).hasValue(1);
        rig.assertReads(rig.attach().requireLayer(name(0)), content(0));
    }

    /** Ends something on a thread that is interrupted while a file is still to be removed. */
    private void assertWaitsForTheEnd(Ending ending) throws IOException, InterruptedException {
        Timeline timeline = rig.attach();
        Layer layer = timeline.requireLayer(name(0));
        get(layer.load(AccessKind.ITER, READ)).close();
        rig.workers().stop();
        CompletableFuture<EvictionOutcome> eviction = layer.evict(EvictionReason.EXPLICIT);
        CompletableFuture<Boolean> interruptedAtTheEnd = new CompletableFuture<>();
        Thread thread = new Thread(() -> {
            try {
                ending.end();
                interruptedAtTheEnd.complete(Thread.currentThread().isInterrupted());
            } catch (IOException | RuntimeException e) {
                interruptedAtTheEnd.completeExceptionally(e);
            }
        });
        thread.start();
        until(() -> thread.getState() == Thread.State.WAITING);
        thread.interrupt();
        // It takes up the interrupt and waits on; where it gave up the file would still be there at its end.
        CompletableFuture<Boolean> fileAtTheEnd = interruptedAtTheEnd.handle(
                (ended, problem) -> rig.local(name(0)).toFile().exists());
        until(() -> !thread.isInterrupted() || interruptedAtTheEnd.isDone());
        rig.workers().goOn();
        thread.join();
        assertThat(get(eviction)).isEqualTo(EvictionOutcome.EVICTED);
        assertThat(get(fileAtTheEnd)).isFalse();
        assertThat(get(interruptedAtTheEnd)).isTrue();
    }

    private interface Ending {
        void end() throws IOException;
    }

    @Test
    void closesAllOfItWhereTheThreadIsInterrupted() throws Exception {
        LayerStore store = rig.open();
        assertWaitsForTheEnd(store::close);
        // The folder is free.
        rig.open();
        rig.assertReads(rig.attach().requireLayer(name(0)), content(0));
    }
}
