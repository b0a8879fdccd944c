// SPDX-License-Identifier: Apache-2.0
package dev.millrace.io;

/** A whole read or write of one buffer that pins its file from before its submission to its end. Reusable. */
abstract class PinnedTransfer extends TransferOperation implements PinWaiter {
    private final VirtualFile file;
    private boolean write;

    PinnedTransfer(VirtualFile file) {
        super(file.lanes());
        this.file = file;
    }

    /** Takes the buffer and submits, at once or when there is a descriptor. The caller has checked the bounds. */
    final void start(boolean toFile, OwnedBuffer owned, int at, int count, long position) {
        owned.handOver();
        write = toFile;
        prepare(write, owned, at, count, position, file.alignment());
        file.enter(VirtualFile.name(write), this);
    }

    /** Takes it back while it waits for a descriptor; false where it no longer does. */
    final boolean leave(IoFailure why) {
        boolean left = file.leave(this);
        if (left) {
            refused(why);
        }
        return left;
    }

    @Override
    public final void pinned() {
        submit(file.path(), file.descriptor());
    }

    @Override
    public final void refused(IoFailure why) {
        OwnedBuffer held = buffer();
        letGo(held);
        failed(held, why);
    }

    @Override
    final void ended(OwnedBuffer owned, int moved, int error) {
        file.exit(write);
        done(owned, moved, error);
    }

    /** As {@link #ended}. */
    abstract void done(OwnedBuffer owned, int moved, int error);

    /** It never began. The buffer is its holder's again. On the caller's thread, the engine's, or one for files. */
    abstract void failed(OwnedBuffer owned, IoFailure why);
}
