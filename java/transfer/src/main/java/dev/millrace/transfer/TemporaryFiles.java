// SPDX-License-Identifier: Apache-2.0
package dev.millrace.transfer;

import dev.millrace.io.DirectMode;
import dev.millrace.io.IoEngine;
import dev.millrace.io.IoFailure;
import dev.millrace.io.OpenOptions;
import dev.millrace.io.VirtualFile;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.regex.Pattern;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The files that downloads write to before they get their final name: in the target's own folder, named
 * {@code .<32 hex>.millrace-part} whatever the key, each locked by its writer. After a crash nobody holds the locks, and
 * exactly the files of this form without one may go.
 */
public final class TemporaryFiles {
    private static final Logger LOG = LoggerFactory.getLogger(TemporaryFiles.class);
    private static final Pattern FORM = Pattern.compile("\\.[0-9a-f]{32}\\.millrace-part");
    private static final int TRIES = 10;

    /** Names this process writes to: some systems give a process its own lock again. */
    private static final Set<String> LIVE = ConcurrentHashMap.newKeySet();

    private TemporaryFiles() {}

    /** True for names that only temporary files have: {@code .<32 hex>.millrace-part}. */
    public static boolean isTemporaryName(String name) {
        return FORM.matcher(name).matches();
    }

    /**
     * Removes the temporary files of a folder that nobody writes any more, which a crash has left. Blocks. Files that are
     * in use, or cannot be removed, stay.
     *
     * @return how many were removed; 0 where there is no such folder
     * @throws IOException where the folder cannot be read
     */
    public static int clean(IoEngine engine, Path folder) throws IOException {
        int removed = 0;
        try (DirectoryStream<Path> entries = Files.newDirectoryStream(
                folder,
                entry -> FORM.matcher(String.valueOf(entry.getFileName())).matches())) {
            for (Path entry : entries) {
                removed += removeIfNobodys(engine, entry) ? 1 : 0;
            }
        } catch (NoSuchFileException | NotDirectoryException nothingToClean) {
            return 0;
        }
        if (removed > 0) {
            LOG.info("Removed {} temporary files in {} that an earlier process had left", removed, folder);
        }
        return removed;
    }

    private static boolean removeIfNobodys(IoEngine engine, Path file) {
        if (LIVE.contains(file.getFileName().toString())) {
            return false;
        }
        try (VirtualFile open = VirtualFile.open(engine, file, OpenOptions.updating())) {
            return open.tryLock() && engine.deleteIfExists(file);
        } catch (IoFailure e) {
            LOG.debug("The temporary file {} stays", file, e);
            return false;
        }
    }

    /** A new temporary file in a folder, open, locked and known as live until {@link #forget}. */
    static VirtualFile create(IoEngine engine, Path folder, DirectMode direct) throws IOException {
        for (int i = 0; i < TRIES; i++) {
            String name = "." + UUID.randomUUID().toString().replace("-", "") + ".millrace-part";
            Path path = folder.resolve(name);
            LIVE.add(name);
            Optional<VirtualFile> file = Optional.empty();
            try {
                file = Optional.of(
                        VirtualFile.open(engine, path, OpenOptions.creatingNew().withDirect(direct)));
                // Between its making and its locking another process may have taken it for a leftover.
                if (file.get().tryLock() && engine.exists(path)) {
                    return file.get();
                }
                file.get().close();
            } catch (IoFailure e) {
                forget(name);
                if (file.isPresent()) {
                    discard(engine, path, file.get(), e);
                }
                throw e;
            }
            forget(name);
        }
        throw new IOException("no temporary file in " + folder + " could be kept: something removes them at once");
    }

    /** Takes back what was made; that even this fails is told beside the failure, and the descriptor goes all the same. */
    private static void discard(IoEngine engine, Path path, VirtualFile file, IoFailure failure) {
        try (file) {
            engine.deleteIfExists(path);
        } catch (IoFailure e) {
            failure.addSuppressed(e);
        }
    }

    /** The file has its final name, or is gone. */
    static void forget(String name) {
        LIVE.remove(name);
    }

    /**
     * Where a file of this process is now, if its folder was renamed meanwhile: by what Linux says of open files. Empty
     * where the system does not tell, or it is gone.
     */
    static Optional<Path> whereIsNow(String name) {
        Path descriptors = Path.of("/proc/self/fd");
        try (DirectoryStream<Path> open = Files.newDirectoryStream(descriptors)) {
            for (Path descriptor : open) {
                Path path = readLink(descriptor);
                if (path.getFileName() != null && path.getFileName().toString().equals(name)) {
                    return Optional.of(path);
                }
            }
        } catch (IOException notLinux) {
            return Optional.empty();
        }
        return Optional.empty();
    }

    private static Path readLink(Path descriptor) {
        try {
            return Files.readSymbolicLink(descriptor);
        } catch (IOException closedMeanwhile) {
            return Path.of("");
        }
    }
}
