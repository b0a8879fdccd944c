// SPDX-License-Identifier: Apache-2.0
package dev.millrace.benchmarks.io;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.AsynchronousFileChannel;
import java.nio.channels.CompletionHandler;
import java.nio.file.attribute.FileAttribute;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/** {@code AsynchronousFileChannel}, with a pool of threads as the JDK makes one by default. */
final class AsyncChannelLoad extends Chain {
    private final ExecutorService threads = Executors.newCachedThreadPool();
    private final AsynchronousFileChannel channel;
    private final ByteBuffer[] buffers;
    private final Next next = new Next();

    AsyncChannelLoad(Target target) throws IOException {
        super(target);
        channel = AsynchronousFileChannel.open(
                target.path(), ChannelLoad.options(target), threads, new FileAttribute<?>[0]);
        buffers = ChannelLoad.buffers(target.depth(), target.block());
    }

    private final class Next implements CompletionHandler<Integer, Integer> {
        @Override
        public void completed(Integer bytes, Integer chain) {
            AsyncChannelLoad.this.completed(chain, bytes);
        }

        @Override
        public void failed(Throwable cause, Integer chain) {
            AsyncChannelLoad.this.failed(cause);
        }
    }

    @Override
    int one(boolean write, long position) throws Exception {
        buffers[0].clear();
        return (write ? channel.write(buffers[0], position) : channel.read(buffers[0], position)).get();
    }

    @Override
    void begin(int chain, boolean write, long position) {
        buffers[chain].clear();
        if (write) {
            channel.write(buffers[chain], position, chain, next);
        } else {
            channel.read(buffers[chain], position, chain, next);
        }
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
        channel.close();
        threads.close();
    }
}
