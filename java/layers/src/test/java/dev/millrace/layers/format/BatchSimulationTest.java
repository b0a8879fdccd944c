// SPDX-License-Identifier: Apache-2.0
package dev.millrace.layers.format;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millrace.io.EngineKind;
import dev.millrace.io.IoEngine;
import dev.millrace.testkit.sim.FaultRates;
import dev.millrace.testkit.sim.SimulatedDisk;
import dev.millrace.testkit.sim.Simulation;
import dev.millrace.testkit.sim.Trace;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Batches over many layers on a disk that answers when it is told to. */
@Timeout(60)
class BatchSimulationTest {
    private static final int LAYERS = 50;
    private static final int SLOTS = 128;
    private static final int ENTRIES = 12;
    private static final GeneratedData DATA = new GeneratedData(9, 3000, 9000, false);

    /** The same content for all: what differs is the file. */
    private static byte[] layer = new byte[0];

    @BeforeAll
    static void writeOne(@TempDir Path folder) throws Exception {
        NavigableMap<Layers.At, Layers.Value> content = Layers.content();
        for (int i = 0; i < ENTRIES; i++) {
            Layers.At at = Layers.At.of(i, 5);
            content.put(at, new Layers.Value(DATA.value(at.key(), at.lsn()), true));
        }
        try (IoEngine engine = Layers.engine(EngineKind.BLOCKING)) {
            layer = Files.readAllBytes(
                    Layers.write(engine, folder, Layers.image(0, ENTRIES, 5), Compression.NONE, content)
                            .path());
        }
    }

    private static Simulation simulation(int buffers, long seed) {
        SimulatedDisk disk = new SimulatedDisk(512, 1L << 30);
        disk.makeFolders("/d");
        for (int i = 0; i < LAYERS; i++) {
            disk.put("/d/" + i, layer);
        }
        return new Simulation(
                disk,
                new SplittableRandom(seed),
                new Trace(),
                new Simulation.Size(buffers, 64 << 10, SLOTS),
                FaultRates.NONE,
                Optional.empty());
    }

    private static List<LayerReader> open(LayerReaders readers) throws Exception {
        List<LayerReader> open = new ArrayList<>();
        for (int i = 0; i < LAYERS; i++) {
            open.add(LayerReader.open(readers, Path.of("/d/" + i)));
        }
        return open;
    }

    private static List<Lookup> lookups(List<LayerReader> open, int... keys) {
        List<Lookup> lookups = new ArrayList<>();
        for (LayerReader reader : open) {
            for (int key : keys) {
                lookups.add(new Lookup(reader, Layers.key(key), Layers.lsns(0, 9)));
            }
        }
        return lookups;
    }

    private static void awaitInFlight(Simulation simulation, int count) throws InterruptedException {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(20);
        while (simulation.driver().inFlight() != count && System.nanoTime() < deadline) {
            Thread.sleep(1);
        }
        assertThat(simulation.driver().inFlight()).as("operations in flight").isEqualTo(count);
    }

    private static void allRight(List<Lookup> lookups, List<LookupResult> results) throws Exception {
        assertThat(results).hasSameSizeAs(lookups);
        for (int i = 0; i < results.size(); i++) {
            LayerRecord record = results.get(i).records().get(0);
            assertThat(record.key()).isEqualTo(lookups.get(i).key());
            assertThat(DATA.defect(record.key(), record.lsn(), record.value())).isEmpty();
        }
    }

    private static void close(List<LayerReader> open) throws Exception {
        for (LayerReader reader : open) {
            reader.close();
        }
    }

    @Test
    void allOperationsOfABatchOverAllItsLayersAreInFlightTogether() throws Exception {
        try (Simulation simulation = simulation(2 * LAYERS, 1)) {
            // Room for one node: the index of each layer is read again, too.
            LayerReaders readers = new LayerReaders(simulation.engine(), new BlockCache(Blocks.SIZE));
            List<LayerReader> open = open(readers);
            readers.cache().forget(open.get(LAYERS - 1));
            List<Lookup> lookups = lookups(open, 1, 2); // neighbours: one operation for both
            CompletableFuture<List<LookupResult>> batch =
                    CompletableFuture.supplyAsync(() -> BatchReader.read(lookups));
            awaitInFlight(simulation, LAYERS);
            long nodesRead = simulation.driver().performed() + LAYERS;
            while (simulation.driver().performed() < nodesRead) {
                simulation.step();
            }
            awaitInFlight(simulation, LAYERS);
            while (!batch.isDone()) {
                simulation.step();
            }
            allRight(lookups, batch.join());
            close(open);
        }
    }

    @Test
    void aPoolSmallerThanTheBatchIsEnough() throws Exception {
        for (int buffers = 1; buffers <= 3; buffers++) {
            try (Simulation simulation = simulation(buffers, buffers)) {
                LayerReaders readers = new LayerReaders(simulation.engine(), new BlockCache(Blocks.SIZE));
                List<LayerReader> open = open(readers);
                List<Lookup> lookups = lookups(open, 0, 4, 11);
                CompletableFuture<List<LookupResult>> batch =
                        CompletableFuture.supplyAsync(() -> BatchReader.read(lookups));
                while (!batch.isDone()) {
                    assertThat(simulation.driver().inFlight()).isLessThanOrEqualTo(buffers);
                    simulation.step();
                }
                allRight(lookups, batch.join());
                close(open);
            }
        }
    }

    @Test
    void anOperationThatFailsIsRepeatedBlockByBlockAndFailsNobodyElse() throws Exception {
        int failures = 0;
        for (int seed = 0; seed < 6; seed++) {
            try (Simulation simulation = simulation(2 * LAYERS, seed)) {
                LayerReaders readers = new LayerReaders(simulation.engine(), new BlockCache(1 << 20));
                List<LayerReader> open = open(readers);
                List<Lookup> lookups = lookups(open, 1, 2, 3, 8);
                simulation.driver().rates(new FaultRates(200, 100, 0, 50));
                CompletableFuture<List<LookupResult>> batch =
                        CompletableFuture.supplyAsync(() -> BatchReader.read(lookups));
                while (!batch.isDone()) {
                    simulation.step();
                }
                simulation.driver().rates(FaultRates.NONE);
                List<LookupResult> results = batch.join();
                assertThat(readers.counters().repeated()).isPositive();
                for (int i = 0; i < results.size(); i++) {
                    if (results.get(i).failure().isEmpty()) {
                        allRight(lookups.subList(i, i + 1), results.subList(i, i + 1));
                    } else {
                        failures++;
                        assertThat(results.get(i).failure().get())
                                .hasMessageContaining(lookups.get(i).reader().path());
                    }
                }
                allRight(lookups, retried(simulation, lookups));
                close(open);
            }
        }
        assertThat(failures).as("lookups that failed").isPositive().isLessThan(6 * LAYERS);
    }

    private static List<LookupResult> retried(Simulation simulation, List<Lookup> lookups) {
        CompletableFuture<List<LookupResult>> batch = CompletableFuture.supplyAsync(() -> BatchReader.read(lookups));
        while (!batch.isDone()) {
            simulation.step();
        }
        return batch.join();
    }
}
