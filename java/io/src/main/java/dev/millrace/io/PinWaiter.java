// SPDX-License-Identifier: Apache-2.0
package dev.millrace.io;

/**
 * Who is told that a descriptor may be used. Exactly one of the two is called, once, on a thread of the engine's that may
 * wait for a place in line but for no other descriptor, or on the caller's own.
 */
interface PinWaiter {
    /** The descriptor is open and stays so until it is let go; for an opening: there may be one more. */
    void pinned();

    /** It will not be: nothing is held. */
    void refused(IoFailure why);
}
