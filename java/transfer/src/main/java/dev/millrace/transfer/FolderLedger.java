// SPDX-License-Identifier: Apache-2.0
package dev.millrace.transfer;

import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * The folders that downloads under way need: makes them, and takes away again those it made when all that needed them
 * failed. Holds folders in use only, so that it does not grow. Thread-safe.
 */
final class FolderLedger {
    private final Map<Path, Use> inUse = new HashMap<>();
    /** Made by us and not empty at the time: of cancelled downloads, whose temporary files go a moment later. */
    private final List<Path> toTryAgain = new ArrayList<>();

    private static final class Use {
        private int users;
        private boolean made;
        private boolean kept;
    }

    /** Makes a folder and those above it, and counts a user of each. */
    synchronized void enter(Path folder) throws IOException {
        Deque<Path> chain = chain(folder);
        List<Path> entered = new ArrayList<>();
        try {
            for (Path part : chain) {
                Use use = inUse.get(part);
                if (use == null) {
                    use = new Use();
                    use.made = make(part);
                    inUse.put(part, use);
                }
                use.users++;
                entered.add(part);
            }
        } catch (IOException e) {
            for (int i = entered.size() - 1; i >= 0; i--) {
                leaveOne(entered.get(i), false);
            }
            throw e;
        }
    }

    /** One user less of a folder and those above it. */
    synchronized void leave(Path folder, boolean keep) {
        chain(folder).descendingIterator().forEachRemaining(part -> leaveOne(part, keep));
    }

    private void leaveOne(Path part, boolean keep) {
        Use use = inUse.get(part);
        if (use == null) {
            return;
        }
        use.kept |= keep;
        use.users--;
        if (use.users == 0) {
            inUse.remove(part);
            if (use.made && !use.kept && !remove(part)) {
                toTryAgain.add(part);
            }
        }
    }

    /** True while a download under way lies below the path. */
    synchronized boolean isInUse(Path path) {
        return inUse.containsKey(path);
    }

    /** Takes away what could not be taken away before; when nothing is under way any more. */
    synchronized void sweep() {
        toTryAgain.forEach(FolderLedger::remove);
        toTryAgain.clear();
    }

    private static Deque<Path> chain(Path folder) {
        Deque<Path> chain = new ArrayDeque<>();
        for (Path part = folder; part != null && !part.toString().isEmpty(); part = part.getParent()) {
            chain.addFirst(part);
        }
        return chain;
    }

    private static boolean remove(Path folder) {
        try {
            Files.deleteIfExists(folder);
            return true;
        } catch (DirectoryNotEmptyException e) {
            return false;
        } catch (IOException e) {
            return true; // what cannot be removed now will not be later
        }
    }

    private static boolean make(Path folder) throws IOException {
        if (Files.isDirectory(folder)) {
            return false;
        }
        try {
            Files.createDirectory(folder);
            return true;
        } catch (FileAlreadyExistsException e) {
            if (Files.isDirectory(folder)) {
                return false;
            }
            throw failure(folder, "it exists and is no folder", e);
        } catch (AccessDeniedException e) {
            throw failure(folder, "permission denied", e);
        } catch (NoSuchFileException e) {
            throw failure(folder, "the folder above it is gone", e);
        } catch (NotDirectoryException e) {
            throw failure(folder, "a part of its path is no folder", e);
        } catch (FileSystemException e) {
            String reason = e.getReason() == null ? e.toString() : e.getReason();
            throw failure(folder, reason.toLowerCase(Locale.ROOT), e);
        }
    }

    private static IOException failure(Path folder, String reason, IOException cause) {
        return new IOException("The folder " + folder + " cannot be made: " + reason, cause);
    }
}
