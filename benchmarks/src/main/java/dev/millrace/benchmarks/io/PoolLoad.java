// SPDX-License-Identifier: Apache-2.0
package dev.millrace.benchmarks.io;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/** {@code FileChannel} behind a pool of threads, which is given each operation as a task: what many build for themselves. */
final class PoolLoad extends Chain {
    private final ExecutorService threads;
    private final FileChannel channel;
    private final ByteBuffer[] buffers;

    PoolLoad(Target target, int size) throws IOException {
        super(target);
        channel = FileChannel.open(target.path(), ChannelLoad.options(target));
        buffers = ChannelLoad.buffers(target.depth(), target.block());
        threads = Executors.newFixedThreadPool(size);
    }

    private int transfer(int chain, boolean write, long position) throws IOException {
        ByteBuffer buffer = buffers[chain];
        buffer.clear();
        return write ? channel.write(buffer, position) : channel.read(buffer, position);
    }

    @Override
    int one(boolean write, long position) throws Exception {
        return threads.submit(() -> transfer(0, write, position)).get();
    }

    @Override
    void begin(int chain, boolean write, long position) {
        threads.execute(() -> {
            try {
                completed(chain, transfer(chain, write, position));
            } catch (IOException | RuntimeException e) {
                failed(e);
            }
        });
    }

    @Override
    void sync() throws IOException {
        channel.force(true);
    }

    @Override
    public Map<String, Object> facts() {
        return ChannelLoad.facts("jdk");
    }

    @Override
    public void close() throws IOException {
        threads.close();
        channel.close();
    }
}
