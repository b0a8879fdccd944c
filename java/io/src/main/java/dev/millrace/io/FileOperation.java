// SPDX-License-Identifier: Apache-2.0
package dev.millrace.io;

/** An operation of a handler on an open file, which it pins from before its submission to its completion. */
abstract class FileOperation extends LaneOperation implements PinWaiter {
    private final VirtualFile file;

    FileOperation(VirtualFile file) {
        this.file = file;
    }

    /** Pins the file and submits, at once or when there is a descriptor. The request is filled but for the descriptor. */
    final void begin(String operation) {
        file.enter(operation, this);
    }

    @Override
    public final void pinned() {
        path = file.path();
        fd = file.descriptor();
        submitTo(file.lanes());
    }

    @Override
    final void finished(int result) {
        file.exit(true);
        ended(result);
    }

    /** It was carried out, or failed. On the engine thread. */
    abstract void ended(int result);
}
