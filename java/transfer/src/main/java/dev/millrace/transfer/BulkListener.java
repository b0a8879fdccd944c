// SPDX-License-Identifier: Apache-2.0
package dev.millrace.transfer;

import java.io.IOException;
import java.util.OptionalLong;

/** Hears how a {@link BulkDownload} goes on. Calls come from several threads, also at once, and must not block long. */
public interface BulkListener {
    /** Hears nothing. */
    BulkListener NONE = new BulkListener() {};

    /** One more object was matched; its size, where the listing said it. */
    default void found(OptionalLong bytes) {}

    /** So many bytes more are here. Bytes that are fetched again are not counted again. */
    default void advanced(long bytes) {}

    /** A file is complete. */
    default void completed(BulkItem item, DownloadResult result) {}

    /** An item failed; clean-up is over. */
    default void failed(BulkItem item, IOException cause) {}
}
