// SPDX-License-Identifier: Apache-2.0
package dev.millrace.layers.format;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millrace.layers.LayerKey;
import dev.millrace.layers.LayerName;
import dev.millrace.layers.Lsn;
import dev.millrace.layers.LsnRange;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Random;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Searches against a map, and what they cost. */
class LayerSearchTest extends LayerFileTest {
    private static final int KEYS = 400;
    private static final int LSNS = 3000;

    private static List<LayerRecord> expected(
            NavigableMap<Layers.At, Layers.Value> content, LayerKey key, LsnRange lsns) {
        List<LayerRecord> records = new ArrayList<>();
        for (Map.Entry<Layers.At, Layers.Value> entry : content.subMap(
                        new Layers.At(key, lsns.start()), true, new Layers.At(key, lsns.end()), false)
                .descendingMap()
                .entrySet()) {
            records.add(new LayerRecord(
                    key,
                    entry.getKey().lsn(),
                    entry.getValue().willInit(),
                    entry.getValue().bytes()));
            if (entry.getValue().willInit()) {
                break;
            }
        }
        return records;
    }

    @Test
    void findsInADeltaWhatAMapFinds() throws Exception {
        Random random = new Random(21);
        NavigableMap<Layers.At, Layers.Value> content = Layers.content();
        GeneratedData data = new GeneratedData(4, 0, 60, true);
        for (int i = 0; i < 6000; i++) {
            // Few keys have most records, so that a key's records go over several leaves.
            int number = random.nextInt(4) > 0 ? 7 * random.nextInt(3) : random.nextInt(KEYS);
            Layers.At at = Layers.At.of(number, random.nextInt(LSNS));
            content.put(at, new Layers.Value(data.value(at.key(), at.lsn()), random.nextInt(500) == 0));
        }
        LayerName name = Layers.delta(0, KEYS, 0, LSNS);
        LayerWriter.Written written = Layers.write(engine, folder, name, Compression.ZSTD, content);
        assertThat(written.summary().indexRoot() - written.summary().indexStart())
                .isGreaterThan(8);
        try (LayerReader reader = Layers.open(readers, written)) {
            List<Lookup> lookups = new ArrayList<>();
            for (int i = 0; i < 1500; i++) {
                int number = i % 2 == 0 ? 7 * random.nextInt(3) : random.nextInt(KEYS + 5);
                int from = random.nextInt(LSNS);
                int length = i % 3 == 0 ? 30 : LSNS;
                lookups.add(
                        new Lookup(reader, Layers.key(number), Layers.lsns(from, from + 1 + random.nextInt(length))));
            }
            int found = 0;
            for (int from = 0; from < lookups.size(); from += 100) {
                List<Lookup> batch = lookups.subList(from, from + 100);
                List<LookupResult> results = BatchReader.read(batch);
                for (int i = 0; i < batch.size(); i++) {
                    Lookup lookup = batch.get(i);
                    List<LayerRecord> expected = expected(content, lookup.key(), lookup.lsns());
                    assertThat(results.get(i).records()).as(lookup.toString()).isEqualTo(expected);
                    found += expected.size();
                }
            }
            assertThat(found).isGreaterThan(10_000);
        }
    }

    @Test
    void findsInAnImageExactlyItsKeys() throws Exception {
        NavigableMap<Layers.At, Layers.Value> content = Layers.content();
        Random random = new Random(22);
        for (int i = 0; i < 2500; i++) {
            Layers.At at = Layers.At.of(10 + random.nextInt(5000), 9);
            content.put(at, new Layers.Value(ByteBuffer.allocate(8).putLong(0, i), true));
        }
        LayerWriter.Written written = Layers.write(engine, folder, Layers.image(5, 6000, 9), Compression.NONE, content);
        try (LayerReader reader = Layers.open(readers, written)) {
            for (int number = 0; number < 5100; number++) {
                LayerKey key = Layers.key(number);
                Layers.Value value = content.get(new Layers.At(key, new Lsn(9)));
                assertThat(reader.read(key))
                        .isEqualTo(
                                value == null
                                        ? List.of()
                                        : List.of(new LayerRecord(key, new Lsn(9), true, value.bytes())));
            }
        }
    }

    /** Operations and blocks of one cold read, by a reader that has just been opened and one that has forgotten the root. */
    private void readsNoMoreThanHeightAndValue(LayerWriter.Written written, GeneratedData data, long number)
            throws Exception {
        LayerReaders cold = new LayerReaders(engine, new BlockCache(1 << 20));
        try (LayerReader reader = Layers.open(cold, written)) {
            LayerKey key = Layers.key(number);
            int height = reader.summary().height();
            LayerReaders.Counters opened = cold.counters();
            assertThat(opened.blocks()).isEqualTo(1);
            cold.cache().forget(reader);
            LayerRecord record = reader.read(key).get(0);
            assertThat(data.defect(key, record.lsn(), record.value())).isEmpty();
            long blocks = cold.counters().blocks() - opened.blocks();
            int value = record.value().remaining();
            assertThat(blocks).isBetween((long) height, (long) height + value / Blocks.CONTENT + 2);
            assertThat(cold.cache().counters().misses()).isEqualTo(height);
            LayerReaders.Counters before = cold.counters();
            assertThat(reader.read(key)).containsExactly(record);
            assertThat(cold.counters().operations() - before.operations())
                    .as("reads with the index in memory")
                    .isEqualTo(1);
            assertThat(cold.cache().counters().hits()).isEqualTo(height);
        }
        assertThat(cold.cache().counters().bytes()).as("of a closed reader").isZero();
    }

    private LayerWriter.Written delta(GeneratedData data, long count) throws Exception {
        LayerName name = Layers.delta(0, count, 0, count);
        try (LayerWriter writer = Layers.writer(engine, folder, name, Compression.NONE)) {
            for (long i = 0; i < count; i++) {
                Lsn lsn = new Lsn(i);
                writer.put(Layers.key(i), lsn, data.value(Layers.key(i), lsn), true);
            }
            return writer.finish();
        }
    }

    @Test
    void aColdSearchReadsNoMoreThanTheIndexsHeightAndTheValuesBlocks() throws Exception {
        GeneratedData data = new GeneratedData(6, 1, 30, false);
        LayerWriter.Written written = delta(data, 220_000);
        assertThat(written.summary().height()).isEqualTo(3);
        for (long number : new long[] {0, 1, 100_001, 219_999}) {
            readsNoMoreThanHeightAndValue(written, data, number);
        }
    }

    @Test
    @Tag("slow")
    void aColdSearchIn128MiBReadsNoMoreThanTheIndexsHeightAndTheValuesBlocks() throws Exception {
        GeneratedData data = new GeneratedData(6, 100, 9000, false);
        long count = 30_000;
        LayerWriter.Written written = delta(data, count);
        assertThat(written.summary().fileBytes()).isGreaterThan(128L << 20);
        for (long number = 0; number < count; number += 1237) {
            readsNoMoreThanHeightAndValue(written, data, number);
        }
    }

    @Test
    void neighbouringBlocksComeInOneOperationOfBoundedSizeAndALargerValueAlone() throws Exception {
        int bound = Layers.BUFFER / Blocks.SIZE;
        int large = 4 * bound; // the key whose value is larger than the bound
        NavigableMap<Layers.At, Layers.Value> content = Layers.content();
        for (int i = 0; i <= large + bound; i++) {
            int blocks = i == large ? 2 * bound + 1 : 1;
            content.put(Layers.At.of(i, 3), new Layers.Value(ByteBuffer.allocate(blocks * Blocks.CONTENT), true));
        }
        LayerWriter.Written written = Layers.write(engine, folder, Layers.image(0, 100, 3), Compression.NONE, content);
        try (LayerReader reader = Layers.open(readers, written)) {
            List<Lookup> lookups = content.keySet().stream()
                    .map(at -> new Lookup(reader, at.key(), Layers.lsns(0, 9)))
                    .collect(Collectors.toCollection(ArrayList::new));
            Collections.shuffle(lookups, new Random(2));
            LayerReaders.Counters before = readers.counters();
            for (LookupResult result : BatchReader.read(lookups)) {
                assertThat(result.records()).hasSize(1);
            }
            assertThat(readers.counters().blocks() - before.blocks()).isEqualTo(7L * bound + 1);
            assertThat(readers.counters().operations() - before.operations()).isEqualTo(4 + 3 + 1);
        }
    }

    @Test
    void aCacheOfFewBlocksStaysBoundedAndAnswersAllTheSame() throws Exception {
        GeneratedData data = new GeneratedData(6, 1, 10, false);
        LayerWriter.Written written = delta(data, 5000);
        BlockCache cache = new BlockCache(3 * Blocks.SIZE);
        try (LayerReader reader = Layers.open(new LayerReaders(engine, cache), written)) {
            for (long number = 0; number < 5000; number += 13) {
                LayerRecord record = reader.read(Layers.key(number)).get(0);
                assertThat(data.defect(record.key(), record.lsn(), record.value()))
                        .isEmpty();
                assertThat(cache.counters().bytes()).isLessThanOrEqualTo(3 * Blocks.SIZE);
            }
            assertThat(cache.counters().evictions()).isPositive();
        }
    }
}
