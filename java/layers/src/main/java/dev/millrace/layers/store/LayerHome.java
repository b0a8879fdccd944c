// SPDX-License-Identifier: Apache-2.0
package dev.millrace.layers.store;

import java.nio.file.Path;

/** What a layer knows of its timeline. Thread-safe. */
interface LayerHome {
    RemoteStore.TimelinePlace place();

    /** Where its files lie. */
    Path folder();

    /** Reads the index again and tells its layers what has changed. Blocks. */
    void refresh() throws StoreFailure;
}
