// SPDX-License-Identifier: Apache-2.0
package dev.millrace.io;

/** A read of a descriptor that no {@link VirtualFile} has: a pipe, or one that a test has opened itself. */
abstract class RawRead extends TransferOperation {
    RawRead(LaneHolder lanes) {
        super(lanes);
    }

    /** Reads from the start into a whole buffer, which is taken away. */
    final void start(int descriptor, OwnedBuffer buffer, int length) {
        buffer.handOver();
        prepare(false, buffer, 0, length, 0, Alignment.NONE);
        submit("", descriptor);
    }
}
