// SPDX-License-Identifier: Apache-2.0
package dev.millrace.benchmarks.io;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import one.jasyncfio.AsyncFile;
import one.jasyncfio.EventExecutor;
import one.jasyncfio.OpenOption;

/** jasyncfio, an older library on io_uring. It has no fsync, only an fdatasync, and its reads go through the page cache. */
final class JasyncfioLoad extends Chain {
    private final EventExecutor executor = EventExecutor.initDefault();
    private final AsyncFile file;
    private final ByteBuffer[] buffers;

    JasyncfioLoad(Target target) {
        super(target);
        file = AsyncFile.open(
                        target.path(),
                        executor,
                        target.workload().kind().writes() ? OpenOption.READ_WRITE : OpenOption.READ_ONLY)
                .join();
        buffers = ChannelLoad.buffers(target.depth(), target.block());
    }

    private CompletableFuture<Integer> start(int index, boolean write, long position) {
        buffers[index].clear();
        return write ? file.write(buffers[index], position) : file.read(buffers[index], position);
    }

    @Override
    int one(boolean write, long position) {
        return start(0, write, position).join();
    }

    @Override
    void begin(int chain, boolean write, long position) {
        // Not on its own thread, which loses operations that are begun there.
        start(chain, write, position).whenCompleteAsync((bytes, cause) -> {
            if (cause == null) {
                completed(chain, bytes);
            } else {
                failed(cause);
            }
        });
    }

    @Override
    void sync() {
        file.dataSync().join();
    }

    @Override
    public Map<String, Object> facts() {
        return ChannelLoad.facts("jasyncfio");
    }

    @Override
    public void close() throws IOException {
        file.close().join();
        try {
            executor.close();
        } catch (IOException e) {
            throw e;
        } catch (Exception e) {
            throw new IOException(e);
        }
    }
}
