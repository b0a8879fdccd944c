// SPDX-License-Identifier: Apache-2.0
package dev.millrace.layers.format;

import dev.millrace.layers.LayerKey;
import dev.millrace.layers.LayerName;
import dev.millrace.layers.Lsn;
import dev.millrace.layers.LsnRange;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The way of one lookup through an index, from the root down and, for a delta, backwards through leaves, which lie one behind
 * the other. It says which node it needs and goes on when it is given that.
 */
final class IndexWalk {
    private final LayerReader reader;
    private final LayerKey key;
    private final Lsn floor;
    private final byte[] bound;
    private final List<LayerEntry> found = new ArrayList<>();
    private Optional<IOException> failure = Optional.empty();
    private long block;
    private int level;
    private boolean done;

    /** A lookup in a layer; of an image {@code lsns} is no matter. */
    IndexWalk(LayerReader reader, LayerKey key, LsnRange lsns) {
        this.reader = reader;
        this.key = key;
        this.block = reader.summary().indexRoot();
        this.level = reader.summary().height() - 1;
        LayerName name = reader.summary().name();
        boolean mayHold = reader.summary().keyRange().contains(key);
        if (name instanceof LayerName.Delta delta) {
            this.floor = lsns.start();
            this.bound = IndexKeys.of(key, lsns.end());
            mayHold &= delta.lsns().overlaps(lsns);
        } else {
            this.floor = Lsn.ZERO;
            this.bound = IndexKeys.of(key.next().orElse(key));
        }
        this.done = !mayHold;
    }

    LayerReader reader() {
        return reader;
    }

    boolean isDone() {
        return done;
    }

    /** The block that it needs, until it is done. */
    long block() {
        return block;
    }

    /** The level of that block. */
    int level() {
        return level;
    }

    /** What was found, the newest first. */
    List<LayerEntry> found() {
        return found;
    }

    Optional<IOException> failure() {
        return failure;
    }

    void fail(IOException cause) {
        failure = Optional.of(cause);
        done = true;
    }

    /** Goes on with the node that it needs. */
    void step(IndexNode node) {
        int index = node.lastBelow(bound);
        try {
            if (level > 0) {
                down(node, index);
            } else {
                collect(node, index);
            }
        } catch (CorruptLayerException e) {
            fail(e);
        }
    }

    private void down(IndexNode node, int index) throws CorruptLayerException {
        if (index < 0) {
            done = true; // the first key of all is beyond
            return;
        }
        long child = node.child(index);
        if (child < reader.summary().indexStart() || child >= block) {
            throw CorruptLayerException.of(
                    reader.path(),
                    block,
                    "its entry " + index + " leads to block " + child + ", which is not below it");
        }
        block = child;
        level--;
    }

    private void collect(IndexNode node, int from) throws CorruptLayerException {
        for (int index = from; index >= 0; index--) {
            LayerEntry entry = node.entry(reader.path(), reader.summary(), block, index);
            if (!entry.key().equals(key) || entry.lsn().compareTo(floor) < 0) {
                done = true;
                return;
            }
            found.add(entry);
            if (entry.willInit()) {
                done = true;
                return;
            }
        }
        if (block > reader.summary().indexStart()) {
            block--; // the leaf before
        } else {
            done = true;
        }
    }

    /** Brings walks to their end; nodes that are not cached are read together, level by level over all layers. */
    static void run(List<IndexWalk> walks) {
        record Place(LayerReader reader, long block) {}
        while (true) {
            Map<Place, NodeFetch> needed = new LinkedHashMap<>();
            for (IndexWalk walk : walks) {
                while (!walk.isDone()) {
                    Place place = new Place(walk.reader, walk.block);
                    NodeFetch asked = needed.get(place);
                    if (asked == null) {
                        Optional<IndexNode> cached =
                                walk.reader.readers().cache().get(walk.reader, walk.block);
                        if (cached.isPresent()) {
                            walk.step(cached.get());
                            continue;
                        }
                        asked = new NodeFetch(walk.reader, walk.block, walk.level);
                        needed.put(place, asked);
                    }
                    asked.add(walk);
                    break;
                }
            }
            if (needed.isEmpty()) {
                return;
            }
            List<NodeFetch> fetches = List.copyOf(needed.values());
            BlockReads.run(fetches);
            fetches.forEach(NodeFetch::deliver);
        }
    }
}
