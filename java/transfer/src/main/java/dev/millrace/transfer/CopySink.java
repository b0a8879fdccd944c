// SPDX-License-Identifier: Apache-2.0
package dev.millrace.transfer;

import dev.millrace.io.CopyLoop;
import dev.millrace.io.IoFailure;
import dev.millrace.io.VirtualFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Optional;
import java.util.function.Consumer;

/** A file that a {@link CopyLoop} writes, from an offset on. */
abstract class CopySink implements Sink {
    private final VirtualFile file;
    private final long start;
    private final int maxBuffers;
    private Optional<CopyLoop> loop = Optional.empty();
    private volatile boolean finished;

    CopySink(VirtualFile file, long start, int maxBuffers) {
        this.file = file;
        this.start = start;
        this.maxBuffers = maxBuffers;
    }

    /** The end of {@link #begin}; parameters as for {@link CopyLoop#start}. */
    final void beginCopy(long reservedTo, Digests digests, Runnable onReady) {
        loop = Optional.of(CopyLoop.start(file, start, reservedTo, maxBuffers, digests, onReady));
    }

    final VirtualFile file() {
        return file;
    }

    @Override
    public final boolean hasBegun() {
        return loop.isPresent();
    }

    @Override
    public final boolean write(ByteBuffer chunk) throws IoFailure {
        return loop.orElseThrow().write(chunk);
    }

    @Override
    public final long position() {
        return loop.isPresent() ? loop.get().position() - start : 0;
    }

    @Override
    public final void finish(Consumer<Optional<? extends IOException>> then) {
        loop.orElseThrow().finish(problem -> {
            finished = true;
            then.accept(problem);
        });
    }

    @Override
    public final void abort(Runnable then) {
        if (loop.isPresent() && !finished) {
            loop.get().abort(then);
        } else {
            then.run();
        }
    }

    @Override
    public final boolean canBeginAgain() {
        return true;
    }

    @Override
    public final boolean isDirect() {
        return file.isDirect();
    }
}
