// SPDX-License-Identifier: Apache-2.0
package dev.millrace.io;

import dev.millrace.io.engine.Errno;

/**
 * How far a read or write has come and whether it goes on: the one place that knows what short results mean, for blocking
 * calls and the engine's alike.
 *
 * <ul>
 *   <li>A short result goes on where it stopped. A short direct write that stopped off the alignment goes on from the
 *       last aligned boundary, since the kernel would refuse the rest.
 *   <li>Zero means end of file for a read and is an error for a write.
 *   <li>A short direct read that stops off the alignment has met the end of the file: asking again from there would be
 *       refused.
 * </ul>
 */
final class TransferProgress {
    /** A device that accepts less than a block again and again would otherwise keep us here for ever. */
    private static final int MAX_STUCK = 16;

    private boolean write;
    private int start;
    private int count;
    private long origin;
    private Alignment alignment = Alignment.NONE;
    private int moved;
    private int error;
    private int stuck;

    void begin(boolean isWrite, int at, int length, long position, Alignment required) {
        write = isWrite;
        start = at;
        count = length;
        origin = position;
        alignment = required;
        moved = 0;
        error = 0;
        stuck = 0;
    }

    /** Takes a result; true when there is more to do. */
    boolean goesOn(long result) {
        if (result < 0) {
            if (result == -Errno.EAGAIN && ++stuck < MAX_STUCK) {
                return true;
            }
            error = (int) -result;
            return false;
        }
        if (result == 0) {
            error = write && count > 0 ? Errno.ZERO_WRITE : 0;
            return false;
        }
        int reached = moved + (int) result;
        if (reached < count && reached % alignment.offset() != 0) {
            if (!write) {
                moved = reached;
                return false;
            }
            int aligned = (int) alignment.roundDown(reached);
            if (aligned == moved && ++stuck >= MAX_STUCK) {
                error = Errno.ZERO_WRITE;
                return false;
            }
            reached = aligned;
        }
        moved = reached;
        return moved < count;
    }

    /** Ends it early. */
    void stop(int reason) {
        error = reason;
    }

    int at() {
        return start + moved;
    }

    int remaining() {
        return count - moved;
    }

    long position() {
        return origin + moved;
    }

    int moved() {
        return moved;
    }

    int error() {
        return error;
    }
}
