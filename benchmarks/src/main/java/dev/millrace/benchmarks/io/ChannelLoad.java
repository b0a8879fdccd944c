// SPDX-License-Identifier: Apache-2.0
package dev.millrace.benchmarks.io;

import dev.millrace.io.engine.DirectOption;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.OpenOption;
import java.nio.file.StandardOpenOption;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;

/** {@code FileChannel}. */
final class ChannelLoad extends BlockingLoad {
    private final FileChannel channel;
    private final ByteBuffer[] buffers;

    ChannelLoad(Target target, int threads, boolean virtual) throws IOException {
        super(target, threads, virtual);
        channel = FileChannel.open(target.path(), options(target));
        buffers = buffers(threads, target.block());
    }

    static Set<OpenOption> options(Target target) {
        Set<OpenOption> options = new HashSet<>();
        options.add(StandardOpenOption.READ);
        if (target.workload().kind().writes()) {
            options.add(StandardOpenOption.WRITE);
        }
        if (target.isDirect()) {
            options.add(DirectOption.DIRECT);
        }
        return options;
    }

    /** Aligned for direct I/O. */
    static ByteBuffer[] buffers(int count, int size) {
        ByteBuffer[] all = new ByteBuffer[count];
        ByteBuffer whole = ByteBuffer.allocateDirect(count * size + 4096).alignedSlice(4096);
        for (int i = 0; i < count; i++) {
            all[i] = whole.slice(i * size, size);
        }
        return all;
    }

    static Map<String, Object> facts(String engine) {
        return Map.of("engine", engine, "binding", "none", "huge_pages", false);
    }

    @Override
    void transfer(int index, boolean write, long position) throws IOException {
        ByteBuffer buffer = buffers[index];
        buffer.clear();
        while (buffer.hasRemaining()) {
            long at = position + buffer.position();
            int count = write ? channel.write(buffer, at) : channel.read(buffer, at);
            if (count <= 0) {
                throw new EOFException("a transfer at " + at + " was short");
            }
        }
    }

    @Override
    void sync() throws IOException {
        channel.force(true);
    }

    @Override
    public Map<String, Object> facts() {
        return facts("jdk");
    }

    @Override
    public void close() throws IOException {
        super.close();
        channel.close();
    }
}
