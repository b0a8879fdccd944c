// SPDX-License-Identifier: Apache-2.0
package dev.millrace.transfer;

import dev.millrace.io.DirectMode;
import dev.millrace.io.IoEngine;
import dev.millrace.io.IoFailure;
import dev.millrace.io.TemporaryFile;
import java.io.IOException;
import java.util.OptionalInt;
import java.util.OptionalLong;

/** A temporary file that becomes the target: written, synced, renamed, its folder synced. */
final class FileSink extends CopySink {
    private final IoEngine engine;
    private final Target target;
    private final boolean mayReplace;
    private final TemporaryFile temporary;

    private FileSink(IoEngine engine, Target target, boolean mayReplace, int maxBuffers, TemporaryFile temporary) {
        super(temporary.file(), 0, maxBuffers);
        this.engine = engine;
        this.target = target;
        this.mayReplace = mayReplace;
        this.temporary = temporary;
    }

    /**
     * A new temporary file beside a target. Blocks.
     *
     * @param mayReplace false where a file of that name that appears meanwhile is an error
     */
    static FileSink open(IoEngine engine, Target target, boolean mayReplace, int maxBuffers, DirectMode direct)
            throws IOException {
        return new FileSink(
                engine, target, mayReplace, maxBuffers, TemporaryFile.create(engine, target.folder(), direct));
    }

    @Override
    public void begin(OptionalLong length, Digests digests, Runnable onReady) throws IOException {
        long reservedTo = 0;
        if (length.isPresent()) {
            checkSpace(length.getAsLong());
            reservedTo = file().reserve(length.getAsLong()) ? length.getAsLong() : Long.MAX_VALUE;
        }
        beginCopy(reservedTo, digests, onReady);
    }

    /** Before reserving, which would take all there is before it fails, and others' writes would fail meanwhile. */
    private void checkSpace(long length) throws IoFailure, DownloadFailure.LocalDisk {
        long free = engine.freeBytes(target.folder());
        if (length > free) {
            throw new DownloadFailure.LocalDisk(
                    target.file() + " cannot be written: " + length + " bytes are needed and " + free
                            + " are free on its file system",
                    new IOException("no space left on the device"),
                    true);
        }
    }

    @Override
    public void publish() throws IOException {
        OptionalInt kept = target.permissions();
        if (kept.isPresent()) {
            file().setPermissions(kept.getAsInt());
        }
        temporary.publish(target.file(), mayReplace);
        temporary.close();
    }

    @Override
    public void discard() {
        temporary.close();
    }
}
