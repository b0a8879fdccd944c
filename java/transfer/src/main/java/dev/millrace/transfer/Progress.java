// SPDX-License-Identifier: Apache-2.0
package dev.millrace.transfer;

/** Hears how far a download has come. */
@FunctionalInterface
public interface Progress {
    /** Hears nothing. */
    Progress NONE = furthestByte -> {};

    /**
     * So many bytes of the object are here. Only ever grows: bytes that are fetched again are not counted again. Called on
     * the thread that brought them, at most once for each buffer that fills: must not block.
     */
    void advanced(long furthestByte);
}
