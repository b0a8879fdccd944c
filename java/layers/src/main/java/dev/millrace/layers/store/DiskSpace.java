// SPDX-License-Identifier: Apache-2.0
package dev.millrace.layers.store;

import java.io.IOException;
import java.nio.file.FileStore;
import java.nio.file.Files;
import java.nio.file.Path;

/** How much a file system has; tests put others there. */
interface DiskSpace {
    /**
     * What there is.
     *
     * @param free bytes that this user may still write
     * @param total bytes of the file system
     */
    record Room(long free, long total) {}

    /** As it is now. Does not wait for the disk. */
    Room now() throws IOException;

    /** Of a folder's file system. */
    static DiskSpace of(Path folder) {
        return () -> {
            FileStore store = Files.getFileStore(folder);
            return new Room(store.getUsableSpace(), store.getTotalSpace());
        };
    }
}
