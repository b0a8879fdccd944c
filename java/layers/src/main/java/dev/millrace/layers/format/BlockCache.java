// SPDX-License-Identifier: Apache-2.0
package dev.millrace.layers.format;

import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.atomic.LongAdder;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Nodes of indexes in memory, shared by all readers of a store; the least recently used go first. Values are not kept: a
 * scan would push out the nodes that every read needs.
 *
 * <p>A node belongs to the reader that read it, not to a path: one of a layer that was evicted and downloaded again never
 * meets the nodes of the file before. Closing a reader removes its nodes. Any thread; locks are striped.
 */
public final class BlockCache {
    private static final int MOST_STRIPES = 16;

    private final Stripe[] stripes;
    private final LongAdder hits = new LongAdder();
    private final LongAdder misses = new LongAdder();
    private final LongAdder evictions = new LongAdder();

    /**
     * What a cache has counted.
     *
     * @param hits nodes that were there
     * @param misses nodes that had to be read
     * @param evictions nodes that went to make room
     * @param bytes of nodes that are there
     */
    public record Counters(long hits, long misses, long evictions, long bytes) {}

    private record Key(LayerReader reader, long block) {}

    private static final class Stripe {
        private final ReentrantLock lock = new ReentrantLock();
        private final LinkedHashMap<Key, IndexNode> nodes = new LinkedHashMap<>(16, 0.75f, true);
        private final Map<LayerReader, Set<Key>> byReader = new HashMap<>();
        private final int most;

        Stripe(int most) {
            this.most = most;
        }
    }

    /**
     * An empty one.
     *
     * @param bytes of blocks at most, at least one block of 8192; beside them stand about 200 bytes for each
     */
    public BlockCache(long bytes) {
        long blocks = bytes / Blocks.SIZE;
        if (blocks < 1 || blocks > Integer.MAX_VALUE) {
            throw new IllegalArgumentException("a cache of " + bytes + " bytes cannot be: " + Blocks.SIZE + " bytes to "
                    + (long) Integer.MAX_VALUE * Blocks.SIZE + " are possible");
        }
        int count = (int) Math.min(MOST_STRIPES, blocks);
        stripes = new Stripe[count];
        for (int i = 0; i < count; i++) {
            stripes[i] = new Stripe((int) (blocks / count + (i < blocks % count ? 1 : 0)));
        }
    }

    private Stripe stripe(Key key) {
        int hash = key.hashCode() * 0x9e3779b9;
        return stripes[(hash >>> 16) % stripes.length];
    }

    Optional<IndexNode> get(LayerReader reader, long block) {
        Key key = new Key(reader, block);
        Stripe stripe = stripe(key);
        Optional<IndexNode> node;
        stripe.lock.lock();
        try {
            node = Optional.ofNullable(stripe.nodes.get(key));
        } finally {
            stripe.lock.unlock();
        }
        (node.isPresent() ? hits : misses).increment();
        return node;
    }

    /** Keeps a node, unless its reader is closed. */
    void put(LayerReader reader, long block, IndexNode node) {
        Key key = new Key(reader, block);
        Stripe stripe = stripe(key);
        stripe.lock.lock();
        try {
            // Looked at under the lock that forget takes after the mark was set: no node outlives its reader.
            if (reader.isClosed() || stripe.nodes.put(key, node) != null) {
                return;
            }
            stripe.byReader.computeIfAbsent(reader, r -> new HashSet<>()).add(key);
            if (stripe.nodes.size() > stripe.most) {
                Key oldest = stripe.nodes.keySet().iterator().next();
                stripe.nodes.remove(oldest);
                Set<Key> others = stripe.byReader.get(oldest.reader());
                others.remove(oldest);
                if (others.isEmpty()) {
                    stripe.byReader.remove(oldest.reader());
                }
                evictions.increment();
            }
        } finally {
            stripe.lock.unlock();
        }
    }

    /** Removes the nodes of a reader that is marked as closed. */
    void forget(LayerReader reader) {
        for (Stripe stripe : stripes) {
            stripe.lock.lock();
            try {
                Set<Key> keys = stripe.byReader.remove(reader);
                if (keys != null) {
                    keys.forEach(stripe.nodes::remove);
                }
            } finally {
                stripe.lock.unlock();
            }
        }
    }

    /** What it has counted, and holds. */
    public Counters counters() {
        long count = 0;
        for (Stripe stripe : stripes) {
            stripe.lock.lock();
            try {
                count += stripe.nodes.size();
            } finally {
                stripe.lock.unlock();
            }
        }
        return new Counters(hits.sum(), misses.sum(), evictions.sum(), count * Blocks.SIZE);
    }
}
