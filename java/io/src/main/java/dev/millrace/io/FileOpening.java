// SPDX-License-Identifier: Apache-2.0
package dev.millrace.io;

import dev.millrace.io.engine.Errno;
import dev.millrace.io.engine.FileStat;
import dev.millrace.io.engine.OpenFlag;
import dev.millrace.io.engine.Syscalls;
import dev.millrace.io.engine.Syscalls.StatResult;
import java.nio.file.Path;
import java.util.Optional;

/** Opens the file behind a {@link VirtualFile}: the one place for the checks, the modes of direct I/O and the steps down. */
final class FileOpening {
    private FileOpening() {}

    /** {@link VirtualFile#open}, for a caller who has made room for one more descriptor, which is filled or given back. */
    static VirtualFile fillRoom(IoEngine engine, Path path, String text, OpenOptions options) throws IoFailure {
        boolean filled = false;
        try {
            engine.holdFor("open", text);
            try {
                VirtualFile file = open(engine, path, text, options);
                filled = true;
                return file;
            } finally {
                engine.letGo();
            }
        } finally {
            if (!filled) {
                engine.descriptorCache().giveRoomBack();
            }
        }
    }

    private static VirtualFile open(IoEngine engine, Path path, String text, OpenOptions options) throws IoFailure {
        // First, since opening a FIFO waits for its other end and opening a device may do anything.
        StatResult before = engine.syscalls().stat(text);
        if (before.error() == 0) {
            checkRegular("open", text, before.stat());
        }
        boolean missing = before.error() == -Errno.ENOENT;
        return switch (options.direct()) {
            case OFF -> openBuffered(engine, text, options);
            case REQUIRED -> {
                Attempt attempt = tryDirect(engine, text, options, missing);
                yield attempt.file()
                        .orElseThrow(() -> new UnsupportedFileException(
                                "open",
                                text,
                                "open of " + text + " with direct I/O is not possible: its file system ("
                                        + attempt.fileSystem() + ") has none"));
            }
            case PREFERRED -> {
                Attempt attempt = tryDirect(engine, text, options, missing);
                if (attempt.file().isPresent()) {
                    yield attempt.file().get();
                }
                engine.reportBuffered(path, attempt.fileSystem());
                yield openBuffered(engine, text, options);
            }
        };
    }

    private record Attempt(Optional<VirtualFile> file, String fileSystem) {}

    private static int flags(OpenOptions options, boolean direct) {
        return (options.read() ? OpenFlag.READ : 0)
                | (options.write() ? OpenFlag.WRITE : 0)
                | (options.create() ? OpenFlag.CREATE : 0)
                | (options.exclusive() ? OpenFlag.EXCLUSIVE : 0)
                | (options.truncate() ? OpenFlag.TRUNCATE : 0)
                | (direct ? OpenFlag.DIRECT : 0);
    }

    /** Opens directly, or says which file system has no direct I/O, leaving no file that this call made. */
    private static Attempt tryDirect(IoEngine engine, String path, OpenOptions options, boolean missing)
            throws IoFailure {
        Syscalls syscalls = engine.syscalls();
        // Emptied only when it is open directly: a file that is refused keeps what is in it.
        int flags = flags(options, true) & ~OpenFlag.TRUNCATE;
        // Exclusively, to know whether this call made the file: what another made meanwhile is not ours to remove.
        boolean made = options.create() && missing;
        DescriptorCache cache = engine.descriptorCache();
        int fd = cache.openWithRoom(syscalls, path, made ? flags | OpenFlag.EXCLUSIVE : flags, options.mode());
        if (fd == -Errno.EEXIST && !options.exclusive()) {
            made = false;
            fd = cache.openWithRoom(syscalls, path, flags, options.mode());
        }
        if (fd == -Errno.EINVAL) {
            String fileSystem = describeFileSystem(syscalls, path);
            removeIfMade(syscalls, path, made);
            return new Attempt(Optional.empty(), fileSystem);
        }
        if (fd < 0) {
            throw engine.failure("open", path, -fd, 0, false);
        }
        FileStat stat = checked(engine, path, fd);
        Optional<Alignment> alignment = DirectAlignment.of(stat);
        if (alignment.isEmpty()) {
            syscalls.close(fd);
            removeIfMade(syscalls, path, made);
            return new Attempt(Optional.empty(), stat.fileSystem());
        }
        int emptied = options.truncate() && !made ? syscalls.truncate(fd, 0) : 0;
        if (emptied < 0) {
            syscalls.close(fd);
            throw engine.failure("ftruncate", path, -emptied, 0, true);
        }
        return new Attempt(
                Optional.of(opened(engine, path, fd, stat, options, true, alignment.get())), stat.fileSystem());
    }

    private static VirtualFile openBuffered(IoEngine engine, String path, OpenOptions options) throws IoFailure {
        int fd = engine.descriptorCache()
                .openWithRoom(engine.syscalls(), path, flags(options, false), options.mode());
        if (fd < 0) {
            throw engine.failure("open", path, -fd, 0, false);
        }
        FileStat stat = checked(engine, path, fd);
        return opened(engine, path, fd, stat, options, false, Alignment.NONE);
    }

    private static VirtualFile opened(
            IoEngine engine,
            String path,
            int fd,
            FileStat stat,
            OpenOptions options,
            boolean direct,
            Alignment alignment) {
        int again = flags(options, direct) & (OpenFlag.READ | OpenFlag.WRITE | OpenFlag.DIRECT);
        boolean followsMode = direct && options.direct() == DirectMode.PREFERRED;
        Descriptor descriptor = new Descriptor(engine, path, fd, stat, again, followsMode);
        if (followsMode && engine.mode() != IoMode.DIRECT_RW) {
            engine.descriptorCache().followMode(descriptor);
        }
        return new VirtualFile(engine, descriptor, stat, alignment);
    }

    private static void removeIfMade(Syscalls syscalls, String path, boolean made) {
        if (made) {
            syscalls.unlink(path, false);
        }
    }

    private static String describeFileSystem(Syscalls syscalls, String path) {
        StatResult own = syscalls.stat(path);
        if (own.error() == 0) {
            return own.stat().fileSystem();
        }
        Path parent = Path.of(path).toAbsolutePath().getParent();
        return parent == null
                ? "unknown"
                : syscalls.stat(parent.toString()).stat().fileSystem();
    }

    /** The open file's stat, or an error (with the descriptor closed) where it is not a regular file. */
    private static FileStat checked(IoEngine engine, String path, int fd) throws IoFailure {
        StatResult result = engine.syscalls().stat(fd);
        if (result.error() < 0) {
            engine.syscalls().close(fd);
            throw engine.failure("stat", path, -result.error(), 0, false);
        }
        try {
            checkRegular("open", path, result.stat());
        } catch (UnsupportedFileException e) {
            engine.syscalls().close(fd);
            throw e;
        }
        return result.stat();
    }

    static void checkRegular(String operation, String path, FileStat stat) throws UnsupportedFileException {
        if (!stat.isRegularFile()) {
            throw new UnsupportedFileException(
                    operation,
                    path,
                    operation + " of " + path + " is not possible: it is "
                            + (stat.isDirectory() ? "a folder" : "a device, FIFO or socket")
                            + ", and a VirtualFile is a regular file");
        }
    }
}
