// SPDX-License-Identifier: Apache-2.0
package dev.millrace.layers.store;

import static dev.millrace.layers.store.StoreRig.READ;
import static dev.millrace.layers.store.StoreRig.get;
import static dev.millrace.layers.store.StoreRig.name;
import static org.assertj.core.api.Assertions.assertThat;

import dev.millrace.layers.AccessKind;
import dev.millrace.layers.LayerName;
import dev.millrace.layers.Lsn;
import dev.millrace.layers.TaskKind;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Which layer of a store goes when room is made, whatever has become of its layers before. */
class EvictionOrderTest {
    private static final int LAYERS = 8;

    @TempDir
    Path root;

    private StoreRig rig;
    private Timeline timeline;
    private final Map<LayerName, ResidentLayer> pins = new HashMap<>();

    @BeforeEach
    void open() throws IOException {
        rig = new StoreRig(root).withLayers(LAYERS);
        timeline = rig.attach();
    }

    @AfterEach
    void close() throws IOException {
        pins.values().forEach(ResidentLayer::close);
        rig.close();
    }

    private static long used(Layer layer) {
        return layer.statistics()
                .lastAccessMillis()
                .orElseGet(() -> layer.statistics().lastResidenceChangeMillis().orElse(0));
    }

    /** By the words of the rule: the least recently used that nobody holds, else the least recently used. */
    private Optional<LayerName> expected() {
        return timeline.layers().stream()
                .filter(layer -> !layer.isRemote() && layer.isUploaded())
                .min(Comparator.comparingInt((Layer layer) -> pins.containsKey(layer.name()) ? 1 : 0)
                        .thenComparingLong(EvictionOrderTest::used))
                .map(Layer::name);
    }

    private Layer publish(int number) throws IOException {
        LayerName name = LayerName.parse("new_" + number);
        Path made = timeline.folder().resolve("made");
        Files.write(made, new byte[1000]);
        return timeline.publish(name, made, Optional.empty());
    }

    @Test
    void leastRecentlyUsedGoesFirstAfterWhateverHappened() throws IOException {
        Random random = new Random(3);
        int evicted = 0;
        for (int step = 0; step < 300; step++) {
            rig.millis.addAndGet(10);
            List<Layer> layers = timeline.layers();
            Layer layer = layers.get(random.nextInt(layers.size()));
            switch (random.nextInt(7)) {
                case 0, 1 -> get(layer.load(AccessKind.ITER, READ)).close();
                case 2 -> get(layer.download(TaskKind.MGMT_REQUEST, DownloadReason.EXPLICIT));
                case 3 -> {
                    if (layers.size() < 2 * LAYERS) {
                        publish(step);
                    }
                    timeline.upload(new Lsn(step + 100));
                }
                case 4 -> {
                    if (!pins.containsKey(layer.name())) {
                        layer.keepResident().ifPresent(pin -> pins.put(layer.name(), pin));
                    }
                }
                case 5 -> {
                    if (pins.containsKey(layer.name())) {
                        pins.remove(layer.name()).close();
                    }
                }
                default -> {
                    Optional<LayerName> next = expected();
                    EvictionRun run = rig.store().evict(1);
                    if (next.isPresent() && pins.containsKey(next.get())) {
                        // All are held: the eviction waits, and a reader who comes first wins.
                        assertThat(run.evicted()).isEmpty();
                        timeline.requireLayer(next.get())
                                .keepResident()
                                .orElseThrow()
                                .close();
                        get(run.done());
                        assertThat(run.evicted()).isEmpty();
                    } else {
                        get(run.done());
                        assertThat(run.evicted().stream()
                                        .map(EvictionRun.Evicted::layer)
                                        .toList())
                                .as("step %d", step)
                                .containsExactlyElementsOf(next.stream().toList());
                        evicted += run.evicted().size();
                    }
                }
            }
        }
        assertThat(evicted).isGreaterThan(10);
        rig.assertConsistent();
    }

    @Test
    void aLayerOfATimelineThatWasDetachedIsNotAsked() throws IOException {
        get(timeline.requireLayer(name(0)).load(AccessKind.ITER, READ)).close();
        rig.store().detach(StoreRig.TENANT, StoreRig.TIMELINE, false);
        assertThat(rig.store().evict(1).askedBytes()).isZero();
        timeline = rig.attach();
        EvictionRun run = rig.store().evict(1);
        get(run.done());
        assertThat(run.evicted()).hasSize(1);
    }

    @Test
    void aLayerThatIsNotUploadedIsAskedAsSoonAsItIs() throws IOException {
        LayerName fresh = publish(1).name();
        assertThat(rig.store().evict(1).askedBytes()).isZero();
        timeline.upload(new Lsn(100));
        EvictionRun run = rig.store().evict(1);
        get(run.done());
        assertThat(run.evicted().get(0).layer()).isEqualTo(fresh);
    }
}
