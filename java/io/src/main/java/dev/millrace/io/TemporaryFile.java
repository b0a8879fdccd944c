// SPDX-License-Identifier: Apache-2.0
package dev.millrace.io;

import dev.millrace.io.engine.Errno;
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
 * A file that is written before it gets its final name: in the final name's own folder, named
 * {@code .<32 hex>.millrace-part}, locked by its writer, and keeping one of the engine's descriptors until {@link #close}
 * ({@link IoEngineConfig#descriptors}), since the lock would go with it. {@link #publish} is the one way to a final name;
 * {@link #close} without it removes the file. After a crash nobody holds the lock, and exactly the files of this form
 * without one may go ({@link #clean}).
 *
 * <p>All methods block a platform thread and park a virtual one. One thread at a time.
 */
public final class TemporaryFile implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(TemporaryFile.class);
    private static final Pattern FORM = Pattern.compile("\\.[0-9a-f]{32}\\.millrace-part");
    private static final int TRIES = 10;

    /** Names this process writes to: some systems give a process its own lock again. */
    private static final Set<String> LIVE = ConcurrentHashMap.newKeySet();

    private final IoEngine engine;
    private final Path path;
    private final VirtualFile file;
    private boolean published;
    private boolean closed;

    private TemporaryFile(IoEngine engine, Path path, VirtualFile file) {
        this.engine = engine;
        this.path = path;
        this.file = file;
    }

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
        try (DirectoryStream<Path> entries =
                Files.newDirectoryStream(folder, entry -> isTemporaryName(String.valueOf(entry.getFileName())))) {
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

    /**
     * A new one, empty, open for reading and writing, locked.
     *
     * @param folder where its final name will be
     * @throws IoFailure where none can be made, or something removes each at once
     */
    public static TemporaryFile create(IoEngine engine, Path folder, DirectMode direct) throws IoFailure {
        for (int i = 0; i < TRIES; i++) {
            String name = "." + UUID.randomUUID().toString().replace("-", "") + ".millrace-part";
            Path path = folder.resolve(name);
            LIVE.add(name);
            VirtualFile file;
            try {
                file = VirtualFile.open(engine, path, OpenOptions.creatingNew().withDirect(direct));
            } catch (IoFailure e) {
                LIVE.remove(name);
                throw e;
            }
            TemporaryFile made = new TemporaryFile(engine, path, file);
            boolean kept = false;
            try {
                // Between its making and its locking another process may have taken it for a leftover.
                kept = file.tryLock() && engine.exists(path);
                if (kept) {
                    return made;
                }
            } finally {
                if (!kept) {
                    made.close(); // which finds it where its folder was moved, too
                }
            }
        }
        throw new OperationFailedException(
                "open", folder.toString(), Errno.EBUSY, 0, "(something removes each new temporary file at once)");
    }

    /** The file, to be written. Closed by {@link #close}. */
    public VirtualFile file() {
        return file;
    }

    /**
     * Gives the file its final name, durably: fsync of the file, rename, fsync of the folder. A crash at any moment leaves
     * what was under that name before, or all of this file.
     *
     * @param target the final name, in the folder that the file was made in
     * @param mayReplace false where it is an error that something has that name
     * @throws IoFailure where a step fails. Up to the rename the old content is untouched; a {@link FatalIoException} of
     *     the folder's fsync means that the new one is there, and that nobody can say whether it survives a crash
     */
    public void publish(Path target, boolean mayReplace) throws IoFailure {
        file.sync();
        engine.rename(path, target, !mayReplace);
        published = true;
        engine.syncDirectory(target.toAbsolutePath().getParent());
    }

    /** Closes the file, and removes it where it has not got its final name. What fails then is logged. Idempotent. */
    @Override
    public void close() {
        if (closed) {
            return;
        }
        closed = true;
        if (!published) {
            remove();
        }
        try {
            file.close();
        } catch (IoFailure e) {
            // everything that mattered was synced, or is thrown away
            LOG.debug("Closing {} failed", path, e);
        }
        LIVE.remove(path.getFileName().toString());
    }

    private void remove() {
        try {
            if (!engine.deleteIfExists(path)) {
                // The folder may have been renamed meanwhile.
                Optional<Path> now = whereIsNow(path.getFileName().toString());
                if (now.isPresent()) {
                    engine.deleteIfExists(now.get());
                }
            }
        } catch (IoFailure e) {
            LOG.warn("The temporary file {} could not be removed and may be deleted by hand: {}", path, e.getMessage());
        }
    }

    /** Where an open file of this process is now, by what Linux says. Empty where the system does not tell. */
    private static Optional<Path> whereIsNow(String name) {
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
