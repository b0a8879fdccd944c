// SPDX-License-Identifier: Apache-2.0
package dev.millrace.benchmarks.io;

import dev.millrace.io.IoResult;
import java.io.IOException;
import java.util.Map;
import java.util.concurrent.CompletableFuture;

/** Our futures. */
final class FutureLoad extends Chain {
    private final OurEngine ours;

    FutureLoad(Target target) throws IOException {
        super(target);
        ours = new OurEngine(target);
    }

    private CompletableFuture<IoResult> start(int index, boolean write, long position) {
        return write
                ? ours.file(index).writeAsync(ours.buffer(index), 0, target.block(), position)
                : ours.file(index).readAsync(ours.buffer(index), 0, target.block(), position);
    }

    @Override
    int one(boolean write, long position) {
        return start(0, write, position).join().bytes();
    }

    @Override
    void begin(int chain, boolean write, long position) {
        start(chain, write, position).whenComplete((result, cause) -> {
            if (cause == null) {
                completed(chain, result.bytes());
            } else {
                failed(cause);
            }
        });
    }

    @Override
    void sync() {
        ours.file().syncAsync().join();
    }

    @Override
    public Map<String, Object> facts() {
        return ours.facts();
    }

    @Override
    public void close() throws IOException {
        ours.close();
    }
}
