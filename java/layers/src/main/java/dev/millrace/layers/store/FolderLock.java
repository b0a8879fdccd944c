// SPDX-License-Identifier: Apache-2.0
package dev.millrace.layers.store;

import dev.millrace.io.DirectMode;
import dev.millrace.io.IoEngine;
import dev.millrace.io.IoFailure;
import dev.millrace.io.OpenOptions;
import dev.millrace.io.VirtualFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/** That a data folder is one process's, and one store's within it: a lock on a file in it, which names the holder. */
final class FolderLock implements AutoCloseable {
    private static final String NAME = "millrace.lock";
    /** Made where it is missing; what another holder has written in it stays. */
    private static final OpenOptions OPTIONS = new OpenOptions(true, true, true, false, false, DirectMode.OFF, 0644);

    /** Folders of this process: some systems give a process its own lock again. */
    private static final Set<Path> HELD = ConcurrentHashMap.newKeySet();

    private final Path folder;
    private final VirtualFile file;

    private FolderLock(Path folder, VirtualFile file) {
        this.folder = folder;
        this.file = file;
    }

    /**
     * Takes the lock; makes the folder where it is missing.
     *
     * @throws StoreFailure.FolderInUse with the holder's process id
     */
    static FolderLock take(IoEngine engine, Path folder) throws IOException {
        Files.createDirectories(folder);
        Path real = folder.toRealPath();
        if (!HELD.add(real)) {
            throw inUse(folder, "this process (" + ProcessHandle.current().pid() + ")");
        }
        boolean taken = false;
        try {
            Path path = real.resolve(NAME);
            VirtualFile file = VirtualFile.open(engine, path, OPTIONS);
            try {
                if (!file.tryLock()) {
                    throw inUse(folder, "process " + Files.readString(path).strip());
                }
                byte[] pid = (ProcessHandle.current().pid() + "\n").getBytes(StandardCharsets.US_ASCII);
                file.truncate(0);
                file.writeAll(ByteBuffer.wrap(pid), 0);
                taken = true;
                return new FolderLock(real, file);
            } finally {
                if (!taken) {
                    file.close();
                }
            }
        } finally {
            if (!taken) {
                HELD.remove(real);
            }
        }
    }

    private static StoreFailure.FolderInUse inUse(Path folder, String holder) {
        return new StoreFailure.FolderInUse(
                "the data folder " + folder + " is in use by " + holder + "; end it, or give this one another folder");
    }

    @Override
    public void close() throws IoFailure {
        try {
            file.close();
        } finally {
            HELD.remove(folder);
        }
    }
}
