// SPDX-License-Identifier: Apache-2.0
package dev.millrace.transfer;

import dev.millrace.io.IoEngine;
import dev.millrace.io.IoFailure;
import dev.millrace.io.OpenOptions;
import dev.millrace.io.VirtualFile;
import java.io.IOException;
import java.nio.file.Path;
import java.util.OptionalLong;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A stretch of a file that is there already: an append, or bytes at a position. Through the page cache, since direct
 * writes replace whole blocks and end with a cut, and what lies behind the stretch is not ours.
 */
final class InPlaceSink extends CopySink {
    private static final Logger LOG = LoggerFactory.getLogger(InPlaceSink.class);

    private final long start;
    private final boolean append;
    private boolean published;
    private boolean gone;

    private InPlaceSink(VirtualFile file, long start, boolean append, int maxBuffers) {
        super(file, start, maxBuffers);
        this.start = start;
        this.append = append;
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
        beginCopy(Long.MAX_VALUE, digests, onReady);
    }

    @Override
    public void publish() throws IOException {
        file().sync();
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
                file().truncate(start);
            } catch (IoFailure e) {
                LOG.warn("{} could not be cut back to the {} bytes it had", file().path(), start, e);
            }
        }
        release();
    }

    private void release() {
        gone = true;
        try {
            file().close();
        } catch (IoFailure e) {
            LOG.debug("Closing {} failed", file().path(), e);
        }
    }
}
