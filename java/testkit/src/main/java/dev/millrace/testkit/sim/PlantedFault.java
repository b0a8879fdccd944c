// SPDX-License-Identifier: Apache-2.0
package dev.millrace.testkit.sim;

/** Faults that programs of this kind have had, planted below a correct one to show that the simulation finds them. */
public enum PlantedFault {
    /** An fsync of a file is answered and not done. */
    FILE_SYNC_LEFT_OUT,
    /** An fsync of a folder is answered and not done. */
    FOLDER_SYNC_LEFT_OUT,
    /** A write is told complete when it is handed over, so that its buffer goes back while it is in flight. */
    BUFFER_POOLED_EARLY,
    /** What follows a short write goes to where the write began. */
    WRONG_OFFSET_AFTER_SHORT_WRITE,
    /** A completion is given to the operation that waits longest. */
    MATCHED_BY_ORDER
}
