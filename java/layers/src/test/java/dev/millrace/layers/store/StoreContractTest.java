// SPDX-License-Identifier: Apache-2.0
package dev.millrace.layers.store;

import static dev.millrace.layers.store.StoreRig.CONFIG;
import static dev.millrace.layers.store.StoreRig.GENERATION;
import static dev.millrace.layers.store.StoreRig.READ;
import static dev.millrace.layers.store.StoreRig.content;
import static dev.millrace.layers.store.StoreRig.get;
import static dev.millrace.layers.store.StoreRig.name;
import static dev.millrace.layers.store.StoreRig.until;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.millrace.layers.AccessKind;
import dev.millrace.layers.LayerName;
import dev.millrace.layers.Lsn;
import dev.millrace.layers.TaskKind;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.MethodSource;

/** What a store does on each engine and with each store of objects; all of it: {@link StoreMatrixTest}. */
@ParameterizedClass(name = "{0}")
@MethodSource("dev.millrace.layers.store.Combination#all")
class StoreContractTest {
    @Parameter
    Combination on;

    @TempDir
    Path root;

    private StoreRig rig() throws IOException {
        return new StoreRig(root, CONFIG, on).withLayers(3);
    }

    @Test
    void bringsALayerWhenItIsReadAndTakesItAwayWhenItIsEvicted() throws IOException {
        try (StoreRig rig = rig()) {
            Layer layer = rig.attach().requireLayer(name(0));
            for (int i = 1; i <= 2; i++) {
                rig.assertReads(layer, content(0));
                assertThat(rig.source.gets("layer_0-00000005")).isEqualTo(i);
                rig.assertConsistent();
                assertThat(get(layer.evict(EvictionReason.EXPLICIT))).isEqualTo(EvictionOutcome.EVICTED);
                rig.assertConsistent();
            }
        }
    }

    @Test
    void publishesUploadsAndFindsItAgain() throws IOException {
        try (StoreRig rig = rig()) {
            Timeline timeline = rig.attach();
            LayerName fresh = LayerName.parse("fresh");
            Path finished = timeline.folder().resolve("finished");
            Files.createDirectories(timeline.folder());
            Files.write(finished, content(9).toBytes());
            timeline.publish(fresh, finished, Optional.empty());
            timeline.upload(new Lsn(99));
            assertThatThrownBy(() -> rig.store()
                            .remote()
                            .putIndex(StoreRig.PLACE, GENERATION, IndexPart.EMPTY, Optional.empty()))
                    .isInstanceOf(StoreFailure.IndexConflict.class);
            rig.store().detach(StoreRig.TENANT, StoreRig.TIMELINE, true);
            rig.assertReads(rig.attach().requireLayer(fresh), content(9));
            rig.assertConsistent();
        }
    }

    @Test
    void tellsWhoWaitsThatItIsDetachedAndComesBack() throws IOException {
        try (StoreRig rig = rig()) {
            Timeline timeline = rig.attach();
            rig.source.hold(key -> key.contains("layer_"));
            CompletableFuture<LoadedLayer> waiting =
                    timeline.requireLayer(name(1)).load(AccessKind.ITER, READ);
            until(() -> rig.source.heldBack() == 1);
            rig.store().detach(StoreRig.TENANT, StoreRig.TIMELINE, false);
            assertThatThrownBy(() -> get(waiting)).isInstanceOf(StoreFailure.ShuttingDown.class);
            rig.source.holdNone();
            rig.assertReads(rig.attach().requireLayer(name(1)), content(1));
            rig.assertConsistent();
        }
    }

    @Test
    void saysWhatTheStoreLacks() throws IOException {
        try (StoreRig rig = rig()) {
            Timeline timeline = rig.attach();
            Files.delete(rig.remotePlace().resolve("layer_2-00000005"));
            assertThatThrownBy(() -> get(timeline.requireLayer(name(2)).load(AccessKind.ITER, READ)))
                    .isInstanceOf(StoreFailure.MissingInStore.class);
            assertThat(get(timeline.requireLayer(name(1)).download(TaskKind.MGMT_REQUEST, DownloadReason.EXPLICIT)))
                    .isTrue();
            rig.assertConsistent();
        }
    }

    @Test
    void holdsInAFewOperationsOfManyThreads() throws Exception {
        StoreModel.run(root, on, 8, done -> done < 40, 7);
    }
}
