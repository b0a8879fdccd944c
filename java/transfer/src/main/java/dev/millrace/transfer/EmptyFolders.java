// SPDX-License-Identifier: Apache-2.0
package dev.millrace.transfer;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Locale;

/** Makes the folders that empty folder markers stand for, durably. */
final class EmptyFolders {
    private static final int MAX_TRIES = 10;

    private EmptyFolders() {}

    /** Makes what is missing of a folder. */
    static void make(Path folder) throws IOException {
        for (int attempt = 1; ; attempt++) {
            try {
                makeMissing(folder);
                return;
            } catch (NoSuchFileException e) {
                // A download that failed has just taken a folder away that it had made.
                if (attempt == MAX_TRIES) {
                    throw failure(folder, "folders above it are being removed", e);
                }
            } catch (FileAlreadyExistsException e) {
                throw failure(folder, "it, or what is above it, exists and is no folder", e);
            } catch (AccessDeniedException e) {
                throw failure(folder, "permission denied", e);
            } catch (FileSystemException e) {
                String reason = e.getReason() == null ? e.toString() : e.getReason();
                throw failure(folder, reason.toLowerCase(Locale.ROOT), e);
            }
        }
    }

    private static void makeMissing(Path folder) throws IOException {
        Deque<Path> missing = new ArrayDeque<>();
        for (Path part = folder.toAbsolutePath(); part != null && !Files.isDirectory(part); part = part.getParent()) {
            missing.push(part);
        }
        for (Path part : missing) {
            try {
                Files.createDirectory(part);
            } catch (FileAlreadyExistsException e) {
                if (!Files.isDirectory(part)) {
                    throw e;
                }
            }
            Path above = part.getParent();
            if (above != null) {
                try (FileChannel channel = FileChannel.open(above, StandardOpenOption.READ)) {
                    channel.force(true);
                }
            }
        }
    }

    private static IOException failure(Path folder, String reason, IOException cause) {
        return new IOException("The folder " + folder + " cannot be made: " + reason, cause);
    }
}
