// SPDX-License-Identifier: Apache-2.0
package dev.millrace.benchmarks.io;

import dev.millrace.io.DirectMode;
import dev.millrace.io.OpenOptions;
import java.nio.file.Path;

/**
 * What a contender opens.
 *
 * @param workload what it does
 * @param contender who it is
 * @param path its file
 * @param binding the way to native code of those that are ours
 */
record Target(Workload workload, Contender contender, Path path, String binding) {

    boolean isDirect() {
        return workload.isDirect(contender);
    }

    int depth() {
        return workload.depth();
    }

    int block() {
        return workload.block();
    }

    OpenOptions options() {
        OpenOptions options = workload.kind().writes() ? OpenOptions.updating() : OpenOptions.reading();
        return options.withDirect(isDirect() ? DirectMode.REQUIRED : DirectMode.OFF);
    }

    /** Where the reads of one stream go: each stream has its own sequence. */
    Places places(int stream) {
        return new Places(workload.fileBytes() / block(), block(), stream);
    }

    /** Random blocks of a file. Not thread-safe. */
    static final class Places {
        private final long blocks;
        private final int block;
        private long state;

        Places(long blocks, int block, int stream) {
            this.blocks = blocks;
            this.block = block;
            this.state = 0x9E3779B97F4A7C15L * (stream + 1);
        }

        long next() {
            state = state * 6364136223846793005L + 1442695040888963407L;
            return (state >>> 33) % blocks * block;
        }
    }
}
