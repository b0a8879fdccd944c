// SPDX-License-Identifier: Apache-2.0
package dev.millrace.benchmarks;

import dev.millrace.testkit.FileTree;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * A folder for what a run writes. A lock in it tells that its run is alive: one whose run was killed is removed by the
 * next.
 */
final class WorkFolder {
    private static final String LOCK = "in-use";

    private final Path path;
    private final FileChannel lock;

    private WorkFolder(Path path, FileChannel lock) {
        this.path = path;
        this.lock = lock;
    }

    static WorkFolder create(Path parent, String prefix) throws IOException {
        Files.createDirectories(parent);
        removeLeftovers(parent, prefix);
        Path path = Files.createTempDirectory(parent.toRealPath(), prefix);
        FileChannel lock =
                FileChannel.open(path.resolve(LOCK), StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
        if (Optional.ofNullable(lock.tryLock()).isEmpty()) {
            throw new IOException("The folder " + path + " is locked by another process.");
        }
        return new WorkFolder(path, lock);
    }

    Path path() {
        return path;
    }

    /** Removes the folder with all that is in it. */
    void remove() throws IOException {
        FileTree.remove(path);
        lock.close();
    }

    private static void removeLeftovers(Path parent, String prefix) throws IOException {
        List<Path> folders;
        try (Stream<Path> children = Files.list(parent)) {
            folders = children.filter(child -> child.getFileName().toString().startsWith(prefix))
                    .toList();
        }
        for (Path folder : folders) {
            Path file = folder.resolve(LOCK);
            if (Files.exists(file)) {
                try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
                    Optional<FileLock> free = Optional.ofNullable(channel.tryLock());
                    if (free.isPresent()) {
                        FileTree.remove(folder);
                    }
                }
            }
        }
    }
}
