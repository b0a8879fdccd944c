// SPDX-License-Identifier: Apache-2.0
package dev.millrace.transfer;

import dev.millrace.io.CopyLoop;
import dev.millrace.io.IoEngine;
import dev.millrace.io.IoFailure;
import dev.millrace.io.OpenOptions;
import dev.millrace.io.VirtualFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A stretch of a file that is there already: an append, or bytes at a position. Through the page cache, since direct
 * writes replace whole blocks and end with a cut, and what lies behind the stretch is not ours.
 */
final class InPlaceSink implements Sink {
    private static final Logger LOG = LoggerFactory.getLogger(InPlaceSink.class);

    private final VirtualFile file;
    private final long start;
    private final boolean append;
    private final int maxBuffers;
    private Optional<CopyLoop> loop = Optional.empty();
    private volatile boolean finished;
    private boolean published;
    private boolean gone;

    private InPlaceSink(VirtualFile file, long start, boolean append, int maxBuffers) {
        this.file = file;
        this.start = start;
        this.append = append;
        this.maxBuffers = maxBuffers;
    }

    /**
     * Opens the file. Blocks.
     *
     * @param append what is written goes again when it does not become whole: the file ends at {@code start} then
     */
    static InPlaceSink open(IoEngine engine, Path path, long start, boolean append, int maxBuffers) throws IOException {
        return new InPlaceSink(VirtualFile.open(engine, path, OpenOptions.updating()), start, append, maxBuffers);
    }

    @Override
    public void begin(OptionalLong length, Digests digests, Runnable onReady) {
        loop = Optional.of(CopyLoop.start(file, start, Long.MAX_VALUE, maxBuffers, digests, onReady));
    }

    @Override
    public boolean hasBegun() {
        return loop.isPresent();
    }

    @Override
    public boolean write(ByteBuffer chunk) throws IoFailure {
        return loop.orElseThrow().write(chunk);
    }

    @Override
    public long position() {
        return loop.isPresent() ? loop.get().position() - start : 0;
    }

    @Override
    public void finish(Consumer<Optional<? extends IOException>> then) {
        loop.orElseThrow().finish(problem -> {
            finished = true;
            then.accept(problem);
        });
    }

    @Override
    public void abort(Runnable then) {
        if (loop.isPresent() && !finished) {
            loop.get().abort(then);
        } else {
            then.run();
        }
    }

    @Override
    public void publish() throws IOException {
        file.sync();
        published = true;
        release();
    }

    @Override
    public void discard() {
        if (gone) {
            return;
        }
        if (append && !published) {
            try {
                file.truncate(start);
            } catch (IoFailure e) {
                LOG.warn("{} could not be cut back to the {} bytes it had", file.path(), start, e);
            }
        }
        release();
    }

    private void release() {
        gone = true;
        try {
            file.close();
        } catch (IoFailure e) {
            LOG.debug("Closing {} failed", file.path(), e);
        }
    }

    @Override
    public boolean canBeginAgain() {
        return true;
    }

    @Override
    public boolean isDirect() {
        return file.isDirect();
    }
}
