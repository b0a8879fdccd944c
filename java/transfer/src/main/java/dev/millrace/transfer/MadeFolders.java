// SPDX-License-Identifier: Apache-2.0
package dev.millrace.transfer;

import dev.millrace.io.IoEngine;
import java.io.IOException;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.locks.ReentrantLock;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Folders that were made for downloads: taken away again, if empty, when the last download that needed them has failed.
 * Remembers only folders that downloads under way use. Thread-safe; blocks on the file system.
 */
final class MadeFolders {
    private static final Logger LOG = LoggerFactory.getLogger(MadeFolders.class);

    private final ReentrantLock lock = new ReentrantLock();
    private final Map<Path, Integer> users = new HashMap<>();
    private final IoEngine engine;

    MadeFolders(IoEngine engine) {
        this.engine = engine;
    }

    /** Makes what is missing of a folder, durably, and counts a user of what was made. */
    void enter(Path folder) throws IOException {
        lock.lock();
        try {
            ArrayDeque<Path> missing = new ArrayDeque<>();
            for (Path path = folder; path != null && !Files.exists(path); path = path.getParent()) {
                missing.push(path);
            }
            for (Path path : missing) {
                try {
                    make(path);
                } catch (IOException e) {
                    missing.descendingIterator().forEachRemaining(this::forgetUnused);
                    throw e;
                }
            }
            for (Path path = folder; path != null; path = path.getParent()) {
                users.computeIfPresent(path, (made, count) -> count + 1);
            }
        } finally {
            lock.unlock();
        }
    }

    private void make(Path path) throws IOException {
        try {
            Files.createDirectory(path);
        } catch (FileAlreadyExistsException madeByAnother) {
            if (Files.isDirectory(path)) {
                return;
            }
            throw madeByAnother;
        }
        users.put(path, 0);
        Path parent = path.getParent();
        if (parent != null) {
            engine.syncDirectory(parent);
        }
    }

    /** What was made for a download that cannot even begin goes again, inmost first. */
    private void forgetUnused(Path path) {
        if (users.getOrDefault(path, 1) == 0) {
            users.remove(path);
            deleteIfEmpty(path);
        }
    }

    /** One user less; what has no other then goes, where {@code failed} and if empty. */
    void leave(Path folder, boolean failed) {
        lock.lock();
        try {
            for (Path path = folder; path != null; path = path.getParent()) {
                int left = users.getOrDefault(path, 0) - 1;
                if (left > 0) {
                    users.put(path, left);
                } else if (users.remove(path) != null && failed) {
                    deleteIfEmpty(path);
                }
            }
        } finally {
            lock.unlock();
        }
    }

    private static void deleteIfEmpty(Path path) {
        try {
            Files.deleteIfExists(path);
        } catch (DirectoryNotEmptyException inUse) {
            // what the folder was made for is in it
            return;
        } catch (IOException e) {
            LOG.debug("The folder {} stays", path, e);
        }
    }
}
