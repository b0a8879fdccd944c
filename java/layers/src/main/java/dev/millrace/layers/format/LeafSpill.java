// SPDX-License-Identifier: Apache-2.0
package dev.millrace.layers.format;

import dev.millrace.io.DirectMode;
import dev.millrace.io.IoEngine;
import dev.millrace.io.IoFailure;
import dev.millrace.io.TemporaryFile;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * The leaves of an index whose place is not known yet, since they come behind all values: the first 512 KiB in memory, what
 * is more in a temporary file beside the layer, which is gone when this is closed.
 */
final class LeafSpill implements AutoCloseable {
    private static final int MEMORY_BLOCKS = 64;

    private final IoEngine engine;
    private final Path folder;
    private final DirectMode direct;
    private final List<byte[]> memory = new ArrayList<>();
    private Optional<TemporaryFile> file = Optional.empty();
    private Optional<BlockOutput> output = Optional.empty();
    private long count;

    LeafSpill(IoEngine engine, Path folder, DirectMode direct) {
        this.engine = engine;
        this.folder = folder;
        this.direct = direct;
    }

    long count() {
        return count;
    }

    void add(byte[] leaf) throws IoFailure {
        if (memory.size() < MEMORY_BLOCKS) {
            memory.add(leaf);
        } else {
            if (output.isEmpty()) {
                file = Optional.of(TemporaryFile.create(engine, folder, direct));
                output = Optional.of(new BlockOutput(engine, file.get().file(), 0));
            }
            output.get().appendBlock(leaf);
        }
        count++;
    }

    /** Writes all leaves, in order. */
    void moveTo(BlockOutput target) throws IoFailure, CorruptLayerException {
        for (byte[] leaf : memory) {
            target.appendBlock(leaf);
        }
        if (output.isPresent()) {
            output.get().flush();
            ByteBuffer block = ByteBuffer.allocate(Blocks.SIZE);
            for (long i = 0; i < count - memory.size(); i++) {
                file.orElseThrow().file().readExact(block.clear(), i * Blocks.SIZE);
                Optional<String> defect = Blocks.defect(block, 0, i);
                if (defect.isPresent()) {
                    throw CorruptLayerException.of(file.orElseThrow().file().path(), i, defect.get());
                }
                target.appendBlock(block.array());
            }
        }
    }

    @Override
    public void close() {
        output.ifPresent(BlockOutput::settle);
        file.ifPresent(TemporaryFile::close);
        file = Optional.empty();
    }
}
