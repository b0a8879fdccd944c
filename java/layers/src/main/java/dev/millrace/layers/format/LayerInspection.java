// SPDX-License-Identifier: Apache-2.0
package dev.millrace.layers.format;

import dev.millrace.layers.LayerKey;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Looks at all of a layer file: reads every block, checks every checksum, and whether the index is one: its levels, the order
 * of its keys, where its entries lead, and whether it agrees with the summary.
 *
 * @param summary what the layer says of itself
 * @param levels of the index, the leaves first
 * @param blocks that were read
 * @param entries in the index
 * @param defects what is wrong, a sentence each, at most {@link #MOST_DEFECTS}; empty for a sound layer
 */
public record LayerInspection(
        LayerSummary summary, List<Level> levels, long blocks, long entries, List<String> defects) {
    /** Defects that are told at most. */
    public static final int MOST_DEFECTS = 100;

    /** Copies. */
    public LayerInspection {
        levels = List.copyOf(levels);
        defects = List.copyOf(defects);
    }

    /**
     * A level of the index.
     *
     * @param level 0 for leaves
     * @param blocks nodes
     * @param entries of all nodes
     * @param fill how much of the blocks is in use, 0 to 1
     */
    public record Level(int level, long blocks, long entries, double fill) {}

    /** Reads all of a layer. Memory: a quarter of a MiB, and 26 bytes for each block of the index. */
    public static LayerInspection of(LayerReader reader) {
        return new Walk(reader).run();
    }

    /** True where nothing is wrong. */
    public boolean isSound() {
        return defects.isEmpty();
    }

    private static final class Walk {
        private final LayerReader reader;
        private final LayerSummary summary;
        private final List<String> defects = new ArrayList<>();
        private final List<Level> levels = new ArrayList<>();
        /** First keys of the level below, and of the one that is read, by block. */
        private Map<Long, byte[]> below = new HashMap<>();

        private Map<Long, byte[]> current = new HashMap<>();
        private int level;
        private long levelBlocks;
        private long levelEntries;
        private long used;
        private long expectedChild;
        /** A node before is damaged: what follows is not held against it. */
        private boolean gap;

        private byte[] lastKey = new byte[0];
        private long read;
        private long entries;
        private long keys;
        private long valueBytes;
        private long offset = Blocks.offsetOf(1);

        Walk(LayerReader reader) {
            this.reader = reader;
            this.summary = reader.summary();
            this.expectedChild = summary.indexStart();
        }

        LayerInspection run() {
            try (BlockStream blocks = new BlockStream(reader, 0, summary.blocks())) {
                for (long number = 0; number < summary.blocks(); number++) {
                    try {
                        read++;
                        Optional<ByteBuffer> block = blocks.next();
                        if (block.isPresent() && number >= summary.indexStart()) {
                            node(number, block.get());
                        }
                    } catch (IOException e) {
                        defect(e.getMessage());
                        gap |= number >= summary.indexStart();
                    }
                }
            } catch (RuntimeException e) {
                defect("the inspection of " + reader.path() + " ended: " + e.getMessage());
            }
            endLevel();
            if (defects.isEmpty()) {
                compare("levels of the index", summary.height(), levels.size());
                compare("entries", summary.entries(), entries);
                compare("keys", summary.keys(), keys);
                compare("bytes of values", summary.valueBytes(), valueBytes);
                compare("bytes of values as stored", summary.storedBytes(), offset - Blocks.offsetOf(1));
            }
            return new LayerInspection(summary, levels, read, entries, defects);
        }

        private void defect(String sentence) {
            if (defects.size() < MOST_DEFECTS) {
                defects.add(String.valueOf(sentence));
            }
        }

        private void compare(String what, long promised, long found) {
            if (promised != found) {
                defect("the summary of " + reader.path() + " promises " + promised + " " + what + ", and there are "
                        + found);
            }
        }

        private void node(long number, ByteBuffer block) throws CorruptLayerException {
            int itsLevel = block.get(IndexNode.LEVEL_AT);
            boolean above = itsLevel == level + 1 && levelBlocks > 0;
            if (above || (gap && itsLevel > level && itsLevel < summary.height())) {
                endLevel();
                below = current;
                current = new HashMap<>();
                level = itsLevel;
            }
            byte[] copy = new byte[Blocks.SIZE];
            block.get(copy);
            IndexNode node = IndexNode.decode(reader.path(), summary, number, level, copy);
            levelBlocks++;
            levelEntries += node.count();
            used += node.usedBytes() - Blocks.HEADER;
            for (int i = 0; i < node.count(); i++) {
                byte[] key = node.key(i);
                if (i == 0) {
                    current.put(number, key);
                }
                if (lastKey.length > 0 && Arrays.compareUnsigned(lastKey, key) >= 0) {
                    throw CorruptLayerException.of(reader.path(), number, "its keys are not in order at entry " + i);
                }
                if (level == 0) {
                    entry(node, number, i, key);
                } else {
                    child(node, number, i, key);
                }
                lastKey = key;
                gap = false;
            }
        }

        private void entry(IndexNode node, long number, int index, byte[] key) throws CorruptLayerException {
            LayerEntry entry = node.entry(reader.path(), summary, number, index);
            if (!summary.keyRange().contains(entry.key())) {
                throw CorruptLayerException.of(
                        reader.path(), number, "key " + entry.key() + " lies outside the layer's keys");
            }
            if (entry.offset() != offset && !gap) {
                throw CorruptLayerException.of(
                        reader.path(),
                        number,
                        "the value of key " + entry.key() + " lies at " + entry.offset() + " and not at " + offset);
            }
            entries++;
            keys += entries == 1 || !Arrays.equals(lastKey, 0, LayerKey.BYTES, key, 0, LayerKey.BYTES) ? 1 : 0;
            valueBytes += entry.length();
            offset = entry.offset() + entry.storedLength();
        }

        private void child(IndexNode node, long number, int index, byte[] key) throws CorruptLayerException {
            long child = node.child(index);
            boolean follows = child == expectedChild || gap;
            // The first key of a node that is damaged is not known, and that it is was said.
            boolean fits = below.containsKey(child) ? Arrays.equals(below.get(child), key) : !defects.isEmpty();
            if (!follows || !fits) {
                throw CorruptLayerException.of(
                        reader.path(),
                        number,
                        "its entry " + index + " leads to block " + child + ", which does not fit");
            }
            expectedChild = child + 1;
        }

        private void endLevel() {
            if (levelBlocks > 0) {
                double room = (double) levelBlocks * Blocks.CONTENT;
                levels.add(new Level(level, levelBlocks, levelEntries, used / room));
            }
            levelBlocks = 0;
            levelEntries = 0;
            used = 0;
            lastKey = new byte[0];
        }
    }
}
