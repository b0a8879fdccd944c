// SPDX-License-Identifier: Apache-2.0
package dev.millrace.benchmarks.layers;

import dev.millrace.layers.KeyRange;
import dev.millrace.layers.LayerKey;
import dev.millrace.layers.LayerName;
import dev.millrace.layers.Lsn;
import dev.millrace.layers.LsnRange;
import dev.millrace.layers.map.LayerMap;
import java.util.HashMap;
import java.util.Iterator;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;
import org.openjdk.jmh.infra.Blackhole;

/** Finding layers among 100 000, and changing that map. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(2)
public class SearchBenchmark {
    private static final int LAYERS = 100_000;
    private static final int KEYS = 1 << 24;
    private static final int VERSIONS = 1 << 24;

    /**
     * {@code compacted}: 200 generations of 250 deltas and as many images side by side, new deltas of all keys above them;
     * {@code scattered}: ranges of any length, anywhere.
     */
    @Param({"compacted", "scattered"})
    public String shape = "";

    private final Map<LayerName, LayerName> layers = new HashMap<>();
    private final LayerMap<LayerName> map = new LayerMap<>();
    private final Random random = new Random(1);
    private LayerName.Delta spare;

    /** Makes the map. */
    @Setup
    public void fill() {
        if (shape.equals("compacted")) {
            compacted();
        }
        while (layers.size() < LAYERS) {
            LayerName.Delta delta = scattered();
            if (random.nextInt(4) == 0) {
                put(new LayerName.Image(delta.keys(), delta.lsns().start()));
            } else {
                put(delta);
            }
        }
        map.update(Set.of(), layers);
        spare = scattered();
        while (layers.containsKey(spare)) {
            spare = scattered();
        }
    }

    private void compacted() {
        int generations = 200;
        int parts = LAYERS / generations / 2;
        int step = VERSIONS / generations;
        for (int generation = 0; generation < generations; generation++) {
            for (int part = 0; part < parts; part++) {
                KeyRange keys = keys((long) part * KEYS / parts, (long) (part + 1) * KEYS / parts);
                put(new LayerName.Delta(keys, lsns((long) generation * step, (long) (generation + 1) * step)));
                if (layers.size() < LAYERS - 10) {
                    put(new LayerName.Image(keys, new Lsn((long) (generation + 1) * step - 1)));
                }
            }
        }
        for (int i = 0; layers.size() < LAYERS; i++) {
            put(new LayerName.Delta(KeyRange.ALL, lsns(VERSIONS + (long) i * step, VERSIONS + (long) (i + 1) * step)));
        }
    }

    private LayerName.Delta scattered() {
        long length = 1L + (KEYS >> random.nextInt(24)) / 2;
        long from = random.nextInt(KEYS);
        long first = random.nextInt(VERSIONS);
        return new LayerName.Delta(
                keys(from, from + length), lsns(first, first + 1 + (VERSIONS >> random.nextInt(24)) / 2));
    }

    private void put(LayerName name) {
        layers.put(name, name);
    }

    private static LayerKey key(long number) {
        return new LayerKey(0x67F, number << 16, 0);
    }

    private static KeyRange keys(long from, long to) {
        return new KeyRange(key(from), key(to));
    }

    private static LsnRange lsns(long from, long to) {
        return new LsnRange(new Lsn(from), new Lsn(to));
    }

    private Iterator<LayerName> search(boolean newest) {
        return map.search(key(random.nextInt(KEYS)), newest ? Lsn.MAX : new Lsn(random.nextInt(VERSIONS)));
    }

    /** The first layer for a key at the newest version. */
    @Benchmark
    public LayerName newest() {
        Iterator<LayerName> found = search(true);
        return found.hasNext() ? found.next() : spare;
    }

    /** The first layer for a key at any version. */
    @Benchmark
    public LayerName anyVersion() {
        Iterator<LayerName> found = search(false);
        return found.hasNext() ? found.next() : spare;
    }

    /** All layers for a key at any version, down to the image. */
    @Benchmark
    public void all(Blackhole hole) {
        search(false).forEachRemaining(hole::consume);
    }

    /** A layer comes and goes. */
    @Benchmark
    public void insertAndRemove() {
        map.insert(spare, spare);
        map.remove(spare);
    }

    /** A map of all layers from their names. */
    @Benchmark
    public int attach() {
        LayerMap<LayerName> fresh = new LayerMap<>();
        fresh.update(Set.of(), layers);
        return fresh.size();
    }
}
