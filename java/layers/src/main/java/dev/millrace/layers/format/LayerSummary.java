// SPDX-License-Identifier: Apache-2.0
package dev.millrace.layers.format;

import dev.millrace.layers.KeyRange;
import dev.millrace.layers.LayerKey;
import dev.millrace.layers.LayerKind;
import dev.millrace.layers.LayerName;
import dev.millrace.layers.Lsn;
import dev.millrace.layers.LsnRange;
import dev.millrace.layers.TenantId;
import dev.millrace.layers.TimelineId;
import java.nio.ByteBuffer;
import java.util.HexFormat;
import java.util.Optional;

/**
 * Block 0 of a layer file: what it is and where its index lies. Behind the block's header:
 *
 * <pre>
 *    8  8 bytes   magic, "MRLAYER" and a newline
 *   16  u16       version of the format
 *   18  u8        kind: 1 image, 2 delta
 *   19  u8        height of the index, 1 where its root is a leaf
 *   20  16 bytes  tenant
 *   36  16 bytes  timeline
 *   52  18 bytes  first key
 *   70  18 bytes  first key beyond
 *   88  u64       first LSN; of an image its LSN
 *   96  u64       first LSN beyond; of an image its LSN, too
 *  104  u64       blocks of the file
 *  112  u64       first block of the index
 *  120  u64       block of the index's root
 *  128  u64       entries
 *  136  u64       different keys
 *  144  u64       bytes of values
 *  152  u64       bytes of values as they are stored
 *  160            zeros
 * </pre>
 *
 * The header, the magic and the version stay where they are in every version.
 *
 * @param tenant whose it is
 * @param timeline of which timeline
 * @param name kind, keys and versions
 * @param height levels of the index
 * @param blocks of 8 KiB each, in all
 * @param indexStart first block of the index: its leaves, in order, then each level above them
 * @param indexRoot the root's block, the last one
 * @param entries values
 * @param keys different keys
 * @param valueBytes bytes of all values
 * @param storedBytes bytes of all values as they are stored, compressed or not
 */
public record LayerSummary(
        TenantId tenant,
        TimelineId timeline,
        LayerName name,
        int height,
        long blocks,
        long indexStart,
        long indexRoot,
        long entries,
        long keys,
        long valueBytes,
        long storedBytes) {
    /** The version of the format that is written, and read. */
    public static final int VERSION = 1;
    /** Levels of an index at most. */
    static final int MOST_LEVELS = 16;

    private static final long MAGIC = 0x4d524c415945520aL;
    private static final HexFormat HEX = HexFormat.of();
    private static final int MAGIC_AT = 8;
    private static final int VERSION_AT = 16;
    private static final int ID_BYTES = 16;
    private static final int REST_AT = 160;

    /** Bytes of the file. */
    public long fileBytes() {
        return blocks * Blocks.SIZE;
    }

    /** The keys that the layer has a say in. */
    public KeyRange keyRange() {
        return keysOf(name);
    }

    /** True for an image. */
    public boolean isImage() {
        return name.kind() == LayerKind.IMAGE;
    }

    /** The keys of an image or delta. */
    static KeyRange keysOf(LayerName name) {
        if (name instanceof LayerName.Image image) {
            return image.keys();
        }
        if (name instanceof LayerName.Delta delta) {
            return delta.keys();
        }
        throw new IllegalArgumentException("the layer " + name + " is a blob, which has no keys");
    }

    /** Block 0, sealed. */
    byte[] encode() {
        ByteBuffer block = ByteBuffer.allocate(Blocks.SIZE);
        block.putLong(MAGIC_AT, MAGIC).putShort(VERSION_AT, (short) VERSION);
        block.put(18, (byte) (isImage() ? 1 : 2)).put(19, (byte) height);
        block.put(20, HEX.parseHex(tenant.text())).put(36, HEX.parseHex(timeline.text()));
        keyRange().start().put(block, 52);
        keyRange().end().put(block, 70);
        if (name instanceof LayerName.Delta delta) {
            block.putLong(88, delta.lsns().start().value())
                    .putLong(96, delta.lsns().end().value());
        } else if (name instanceof LayerName.Image image) {
            block.putLong(88, image.lsn().value()).putLong(96, image.lsn().value());
        }
        block.putLong(104, blocks).putLong(112, indexStart).putLong(120, indexRoot);
        block.putLong(128, entries).putLong(136, keys).putLong(144, valueBytes).putLong(152, storedBytes);
        Blocks.seal(block.array(), 0, 0);
        return block.array();
    }

    /**
     * Reads block 0.
     *
     * @param fileBytes the file's length, which must be what the summary says
     */
    static LayerSummary decode(String path, ByteBuffer block, long fileBytes) throws LayerFileException {
        boolean magic = block.getLong(MAGIC_AT) == MAGIC;
        Optional<String> defect = Blocks.defect(block, 0, 0);
        if (!magic) {
            throw notALayer(path, "it does not begin as one");
        }
        int version = Short.toUnsignedInt(block.getShort(VERSION_AT));
        if (defect.isPresent()) {
            throw CorruptLayerException.of(path, 0, defect.get());
        }
        if (version != VERSION) {
            throw new UnsupportedLayerException(
                    path,
                    "the layer " + path + " is of version " + version
                            + " of the format, and this program reads version " + VERSION + " only");
        }
        LayerSummary summary;
        try {
            summary = fields(block);
        } catch (IllegalArgumentException e) {
            throw CorruptLayerException.of(path, 0, String.valueOf(e.getMessage()));
        }
        summary.check(path);
        for (int at = REST_AT; at < Blocks.SIZE; at++) {
            if (block.get(at) != 0) {
                throw CorruptLayerException.of(path, 0, "there is something where version 1 has nothing");
            }
        }
        if (fileBytes != summary.fileBytes()) {
            throw CorruptLayerException.of(
                    path,
                    Math.min(fileBytes / Blocks.SIZE, summary.blocks),
                    "the file has " + fileBytes + " bytes, and by its summary " + summary.fileBytes());
        }
        return summary;
    }

    static UnsupportedLayerException notALayer(String path, String reason) {
        return new UnsupportedLayerException(path, "the file " + path + " is not a layer: " + reason);
    }

    private static LayerSummary fields(ByteBuffer block) {
        int kind = block.get(18);
        KeyRange keys = new KeyRange(LayerKey.get(block, 52), LayerKey.get(block, 70));
        Lsn first = new Lsn(block.getLong(88));
        Lsn last = new Lsn(block.getLong(96));
        LayerName name = switch (kind) {
            case 1 -> {
                if (!first.equals(last)) {
                    throw new IllegalArgumentException("it is an image of two LSNs, " + first + " and " + last);
                }
                yield new LayerName.Image(keys, first);
            }
            case 2 -> new LayerName.Delta(keys, new LsnRange(first, last));
            default -> throw new IllegalArgumentException("its kind is " + kind);
        };
        return new LayerSummary(
                new TenantId(hex(block, 20)),
                new TimelineId(hex(block, 36)),
                name,
                block.get(19),
                block.getLong(104),
                block.getLong(112),
                block.getLong(120),
                block.getLong(128),
                block.getLong(136),
                block.getLong(144),
                block.getLong(152));
    }

    private static String hex(ByteBuffer block, int at) {
        byte[] bytes = new byte[ID_BYTES];
        block.get(at, bytes);
        return HEX.formatHex(bytes);
    }

    private void check(String path) throws CorruptLayerException {
        boolean sound = height >= 1
                && height <= MOST_LEVELS
                && blocks >= 2
                && blocks <= Blocks.MOST
                && indexStart >= 1
                && indexStart <= indexRoot
                && indexRoot == blocks - 1
                && (height > 1) == (indexRoot > indexStart)
                && entries >= keys
                && keys >= 0
                && storedBytes >= 0
                && valueBytes >= storedBytes
                && indexStart == 1 + (storedBytes + Blocks.CONTENT - 1) / Blocks.CONTENT;
        if (!sound) {
            throw CorruptLayerException.of(path, 0, "its summary says what cannot be: " + this);
        }
    }

    /** Refuses where the file is another than the one that is wanted. */
    void expect(String path, LayerName wanted, TenantId wantedTenant, TimelineId wantedTimeline)
            throws LayerMismatchException {
        if (!tenant.equals(wantedTenant)) {
            throw new LayerMismatchException(path, "tenant", wantedTenant, tenant);
        }
        if (!timeline.equals(wantedTimeline)) {
            throw new LayerMismatchException(path, "timeline", wantedTimeline, timeline);
        }
        if (!name.equals(wanted)) {
            throw new LayerMismatchException(path, "name", wanted, name);
        }
    }
}
