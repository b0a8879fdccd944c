// SPDX-License-Identifier: Apache-2.0
package dev.millrace.benchmarks.io;

import java.io.EOFException;
import java.io.IOException;
import java.util.Map;

/** Our blocking calls. */
final class VirtualFileLoad extends BlockingLoad {
    private final OurEngine ours;

    VirtualFileLoad(Target target, boolean virtual) throws IOException {
        super(target, target.depth(), virtual);
        ours = new OurEngine(target);
    }

    @Override
    void transfer(int index, boolean write, long position) throws IOException {
        int block = target.block();
        if (write) {
            ours.file().write(ours.buffer(index), 0, block, position);
        } else if (ours.file().read(ours.buffer(index), 0, block, position) != block) {
            throw new EOFException("a read at " + position + " was short");
        }
    }

    @Override
    void sync() throws IOException {
        ours.file().sync();
    }

    @Override
    public Map<String, Object> facts() {
        return ours.facts();
    }

    @Override
    public void close() throws IOException {
        super.close();
        ours.close();
    }
}
