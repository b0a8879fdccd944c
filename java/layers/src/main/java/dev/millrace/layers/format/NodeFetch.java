// SPDX-License-Identifier: Apache-2.0
package dev.millrace.layers.format;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** A node of an index that is read for the walks that need it. */
final class NodeFetch implements BlockSink {
    private final LayerReader reader;
    private final long block;
    private final int level;
    private final List<IndexWalk> walks = new ArrayList<>();
    private volatile Optional<IndexNode> node = Optional.empty();
    private volatile Optional<IOException> failure = Optional.empty();

    NodeFetch(LayerReader reader, long block, int level) {
        this.reader = reader;
        this.block = block;
        this.level = level;
    }

    void add(IndexWalk walk) {
        walks.add(walk);
    }

    @Override
    public LayerReader reader() {
        return reader;
    }

    @Override
    public long firstBlock() {
        return block;
    }

    @Override
    public long lastBlock() {
        return block;
    }

    @Override
    public void block(long number, ByteBuffer memory, int at) {
        byte[] bytes = new byte[Blocks.SIZE];
        memory.get(at, bytes);
        try {
            node = Optional.of(IndexNode.decode(reader.path(), reader.summary(), block, level, bytes));
        } catch (CorruptLayerException e) {
            failure = Optional.of(e);
        }
    }

    @Override
    public void failed(long number, IOException cause) {
        failure = Optional.of(cause);
    }

    /** After the read: keeps the node for others and lets those go on who waited for it. */
    void deliver() {
        node.ifPresent(read -> reader.readers().cache().put(reader, block, read));
        for (IndexWalk walk : walks) {
            if (node.isPresent()) {
                walk.step(node.get());
            } else {
                walk.fail(failure.orElseThrow());
            }
        }
    }

    /** The node alone. */
    IndexNode node() throws IOException {
        if (failure.isPresent()) {
            throw failure.get();
        }
        return node.orElseThrow();
    }
}
