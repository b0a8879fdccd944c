// SPDX-License-Identifier: Apache-2.0
package dev.millrace.layers.format;

import dev.millrace.io.EngineKind;
import dev.millrace.io.EngineUnavailableException;
import dev.millrace.io.IoEngine;
import dev.millrace.io.IoEngineConfig;
import dev.millrace.layers.Generation;
import dev.millrace.layers.KeyRange;
import dev.millrace.layers.LayerFileName;
import dev.millrace.layers.LayerKey;
import dev.millrace.layers.LayerName;
import dev.millrace.layers.Lsn;
import dev.millrace.layers.LsnRange;
import dev.millrace.layers.TenantId;
import dev.millrace.layers.TimelineId;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.TreeMap;
import org.junit.jupiter.api.Assumptions;

/** What tests of layer files have in common: an engine, names, and layers written from maps. */
final class Layers {
    static final TenantId TENANT = new TenantId("0123456789abcdef0123456789abcdef");
    static final TimelineId TIMELINE = new TimelineId("fedcba9876543210fedcba9876543210");
    static final int BUFFERS = 4;
    static final int BUFFER = 64 << 10;

    private Layers() {}

    static IoEngine engine(EngineKind kind) {
        try {
            return IoEngine.open(IoEngineConfig.defaults()
                    .withEngine(kind)
                    .withSlots(64)
                    .withWorkers(4)
                    .withPool(BUFFERS, BUFFER));
        } catch (EngineUnavailableException e) {
            return Assumptions.abort(e.getMessage());
        }
    }

    static LayerReaders readers(IoEngine engine) {
        return new LayerReaders(engine, new BlockCache(1 << 20));
    }

    static LayerKey key(long number) {
        return GeneratedData.key(number);
    }

    static KeyRange keys(long from, long to) {
        return new KeyRange(key(from), key(to));
    }

    static LayerName image(long from, long to, long lsn) {
        return new LayerName.Image(keys(from, to), new Lsn(lsn));
    }

    static LayerName delta(long from, long to, long lsn, long lsnEnd) {
        return new LayerName.Delta(keys(from, to), lsns(lsn, lsnEnd));
    }

    static LsnRange lsns(long from, long to) {
        return new LsnRange(new Lsn(from), new Lsn(to));
    }

    static LayerFileName file(LayerName name) {
        return LayerFileName.of(name, Generation.FIRST);
    }

    /** A key at a version. */
    record At(LayerKey key, Lsn lsn) implements Comparable<At> {
        static At of(long key, long lsn) {
            return new At(Layers.key(key), new Lsn(lsn));
        }

        @Override
        public int compareTo(At other) {
            int order = key.compareTo(other.key);
            return order == 0 ? lsn.compareTo(other.lsn) : order;
        }
    }

    /** A value, and whether it needs no older one. */
    record Value(ByteBuffer bytes, boolean willInit) {}

    static LayerWriter writer(IoEngine engine, Path folder, LayerName name, Compression compression)
            throws IOException {
        return LayerWriter.create(engine, folder, file(name), TENANT, TIMELINE, compression);
    }

    static LayerWriter.Written write(
            IoEngine engine, Path folder, LayerName name, Compression compression, NavigableMap<At, Value> content)
            throws IOException {
        try (LayerWriter writer = writer(engine, folder, name, compression)) {
            for (Map.Entry<At, Value> entry : content.entrySet()) {
                put(writer, name, entry.getKey(), entry.getValue());
            }
            return writer.finish();
        }
    }

    static void put(LayerWriter writer, LayerName name, At at, Value value) throws IOException {
        if (name instanceof LayerName.Image) {
            writer.put(at.key(), value.bytes());
        } else {
            writer.put(at.key(), at.lsn(), value.bytes(), value.willInit());
        }
    }

    static LayerReader open(LayerReaders readers, LayerWriter.Written written) throws IOException {
        return LayerReader.open(readers, written.path(), written.summary().name(), TENANT, TIMELINE);
    }

    static NavigableMap<At, Value> content() {
        return new TreeMap<>();
    }

    static ByteBuffer bytes(String text) {
        return ByteBuffer.wrap(text.getBytes(java.nio.charset.StandardCharsets.UTF_8));
    }

    static List<LayerRecord> all(LayerReader reader) throws IOException {
        List<LayerRecord> all = new ArrayList<>();
        try (RecordCursor cursor = reader.records()) {
            for (Optional<LayerRecord> next = cursor.next(); next.isPresent(); next = cursor.next()) {
                all.add(next.get());
            }
        }
        return all;
    }

    static List<LayerEntry> entries(LayerReader reader) throws IOException {
        List<LayerEntry> all = new ArrayList<>();
        try (EntryCursor cursor = reader.entries()) {
            for (Optional<LayerEntry> next = cursor.next(); next.isPresent(); next = cursor.next()) {
                all.add(next.get());
            }
        }
        return all;
    }
}
