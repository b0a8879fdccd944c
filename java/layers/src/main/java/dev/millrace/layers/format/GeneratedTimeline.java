// SPDX-License-Identifier: Apache-2.0
package dev.millrace.layers.format;

import dev.millrace.io.IoEngine;
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
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * A timeline whose every layer follows from few numbers, with the values of {@link GeneratedData}: who reads it knows what
 * must come. Keys are numbered from 0 ({@link GeneratedData#key}); each slice of {@link #keysPerLayer} of them has
 *
 * <ul>
 *   <li>of images an image at LSN 0/10,
 *   <li>of deltas a delta of LSNs 0/11 to 0/20, with one change of key i, at 0/11 + i mod 16, that needs no older one,
 *   <li>mixed both; every fourth key's change then builds on the image.
 * </ul>
 *
 * <p>A timeline of blobs has files {@code blob_00000000} and so on, of exactly the size. Any thread.
 */
public final class GeneratedTimeline {
    /** What its layers are. */
    public enum Kind {
        /** Images. */
        IMAGE,
        /** Deltas. */
        DELTA,
        /** By turns an image and a delta of the same keys. */
        MIXED,
        /** Blobs. */
        BLOB;

        /**
         * A kind by its name: {@code image}, {@code delta}, {@code mixed}, {@code blob}.
         *
         * @throws IllegalArgumentException for any other text
         */
        public static Kind parse(String text) {
            for (Kind kind : values()) {
                if (kind.name().toLowerCase(Locale.ROOT).equals(text)) {
                    return kind;
                }
            }
            throw new IllegalArgumentException("there is no kind '" + text + "': image, delta, mixed or blob can be");
        }
    }

    /** The most layers. */
    public static final int MAX_LAYERS = 1_000_000;
    /** The least bytes of a layer. */
    public static final long MIN_LAYER_BYTES = 1024;
    /** The most bytes of a layer: 1 TiB. */
    public static final long MAX_LAYER_BYTES = 1L << 40;

    private static final Lsn IMAGE_LSN = new Lsn(0x10);
    private static final int CHANGES = 16;
    private static final LsnRange DELTA_LSNS = new LsnRange(new Lsn(0x11), new Lsn(0x11 + CHANGES));
    private static final int MOST_VALUE_BYTES = 8000;
    private static final int LEAST_VALUE_BYTES = 16;
    /** What an entry costs beside its value: its place in the index, checksums. */
    private static final int ENTRY_BYTES = 24;

    private static final int CHUNK = 1 << 20;

    private final long seed;
    private final Kind kind;
    private final int layers;
    private final long layerBytes;
    private final GeneratedData data;
    private final int keysPerLayer;

    /**
     * A timeline.
     *
     * @param layers 1 to {@value #MAX_LAYERS}
     * @param layerBytes of a layer's file, about; of blobs exactly
     */
    public GeneratedTimeline(long seed, Kind kind, int layers, long layerBytes) {
        if (layers < 1 || layers > MAX_LAYERS) {
            throw new IllegalArgumentException(layers + " layers cannot be: 1 to " + MAX_LAYERS + " can");
        }
        if (layerBytes < MIN_LAYER_BYTES || layerBytes > MAX_LAYER_BYTES) {
            throw new IllegalArgumentException("layers of " + layerBytes + " bytes cannot be: " + MIN_LAYER_BYTES
                    + " to " + MAX_LAYER_BYTES + " can");
        }
        this.seed = seed;
        this.kind = kind;
        this.layers = layers;
        this.layerBytes = layerBytes;
        int valueBytes = (int) Math.max(LEAST_VALUE_BYTES, Math.min(MOST_VALUE_BYTES, layerBytes / 32));
        data = new GeneratedData(seed, valueBytes, valueBytes, false);
        keysPerLayer = (int) Math.max(1, Math.min(Integer.MAX_VALUE, (layerBytes - 1) / (valueBytes + ENTRY_BYTES)));
    }

    /** Its values. */
    public GeneratedData data() {
        return data;
    }

    /** Keys of a slice. */
    public int keysPerLayer() {
        return keysPerLayer;
    }

    /** Keys in all, from number 0 on. */
    public long keys() {
        return kind == Kind.BLOB ? 0 : (long) keysPerLayer * (kind == Kind.MIXED ? (layers + 1) / 2 : layers);
    }

    /** Up to which version everything is in layers. */
    public Lsn lsn() {
        return DELTA_LSNS.end();
    }

    /** The name of a layer, from 0 on. */
    public LayerName name(int layer) {
        if (kind == Kind.BLOB) {
            return new LayerName.Blob(String.format(Locale.ROOT, "blob_%08d", layer));
        }
        long first = firstKey(layer);
        KeyRange range = new KeyRange(GeneratedData.key(first), GeneratedData.key(first + keysPerLayer));
        return isImage(layer) ? new LayerName.Image(range, IMAGE_LSN) : new LayerName.Delta(range, DELTA_LSNS);
    }

    private boolean isImage(int layer) {
        return kind == Kind.IMAGE || (kind == Kind.MIXED && layer % 2 == 0);
    }

    private long firstKey(int layer) {
        return (long) keysPerLayer * (kind == Kind.MIXED ? layer / 2 : layer);
    }

    private static Lsn changeOf(long key) {
        return new Lsn(DELTA_LSNS.start().value() + key % CHANGES);
    }

    private boolean buildsOnImage(long key) {
        return kind == Kind.MIXED && key % 4 == 0;
    }

    /**
     * The LSNs of the values, newest first, that a read of a key at a version yields: the last one needs no older one. Empty
     * where there is no value.
     */
    public List<Lsn> versions(long key, Lsn at) {
        List<Lsn> versions = new ArrayList<>();
        if (key < 0 || key >= keys()) {
            return versions;
        }
        int slice = (int) (key / keysPerLayer);
        boolean hasDelta = kind == Kind.DELTA || (kind == Kind.MIXED && 2 * slice + 1 < layers);
        if (hasDelta && changeOf(key).compareTo(at) <= 0) {
            versions.add(changeOf(key));
            if (!buildsOnImage(key)) {
                return versions;
            }
        }
        if (kind != Kind.DELTA && IMAGE_LSN.compareTo(at) <= 0) {
            versions.add(IMAGE_LSN);
        }
        return versions;
    }

    /**
     * Writes a layer's file. Blocks a platform thread, parks a virtual one.
     *
     * @param folder where it will be; must exist
     * @return the file
     * @throws IOException where it cannot be written; nothing of it is left then
     */
    public Path write(
            IoEngine engine, Path folder, TenantId tenant, TimelineId timeline, Generation generation, int layer)
            throws IOException {
        LayerFileName file = LayerFileName.of(name(layer), generation);
        if (kind == Kind.BLOB) {
            return writeBlob(folder.resolve(file.toString()), layer);
        }
        try (LayerWriter writer = LayerWriter.create(engine, folder, file, tenant, timeline, Compression.NONE)) {
            long first = firstKey(layer);
            for (long number = first; number < first + keysPerLayer; number++) {
                LayerKey key = GeneratedData.key(number);
                if (isImage(layer)) {
                    writer.put(key, data.value(key, IMAGE_LSN));
                } else {
                    Lsn lsn = changeOf(number);
                    writer.put(key, lsn, data.value(key, lsn), !buildsOnImage(number));
                }
            }
            return writer.finish().path();
        }
    }

    private Path writeBlob(Path path, int layer) throws IOException {
        GeneratedData chunks = new GeneratedData(seed, CHUNK, CHUNK, false);
        LayerKey key = GeneratedData.key(layer);
        boolean whole = false;
        try (OutputStream out = Files.newOutputStream(path, StandardOpenOption.CREATE_NEW)) {
            for (long at = 0; at < layerBytes; at += CHUNK) {
                ByteBuffer chunk = chunks.value(key, new Lsn(at / CHUNK));
                out.write(chunk.array(), chunk.arrayOffset(), (int) Math.min(CHUNK, layerBytes - at));
            }
            whole = true;
        } finally {
            if (!whole) {
                Files.deleteIfExists(path);
            }
        }
        return path;
    }
}
