// SPDX-License-Identifier: Apache-2.0
package dev.millrace.io.engine;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.FileChannel;
import java.nio.channels.NonReadableChannelException;
import java.nio.channels.NonWritableChannelException;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.AccessDeniedException;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileStore;
import java.nio.file.FileSystemException;
import java.nio.file.FileSystemLoopException;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.OpenOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.EnumSet;
import java.util.HashSet;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.slf4j.LoggerFactory;

/**
 * File operations in pure Java, on {@link FileChannel}: what macOS and Windows get, and Linux where no native code may be
 * loaded. Descriptors are numbers of our own for open channels. Exceptions become errnos, so that everything above reads
 * one language.
 *
 * <p>What Java cannot do: reserve space (-EOPNOTSUPP, callers go on without; -ENOSPC where there is too little anyway),
 * ask for the alignment of direct I/O (the file store's block size is used). A locked file must not be opened and closed
 * a second time by the same process, since POSIX locks end with the first close.
 *
 * <p>Java has no way from an open channel to a file's permissions, identity or file system: those go by its path. It
 * follows renames by this class, and is used only where it names the same file still. Of a file that was removed, or moved
 * by others, the size comes from its channel and the rest is what was known when it was opened; its permissions cannot be
 * set, nor can it grow by truncation under direct I/O (-ESTALE), nor be opened anew after an interrupt (-EBADF).
 *
 * <p>An interrupted thread makes the JDK close the channel it uses, under everyone else who uses it. Callers of ours may
 * be interrupted at any time, and no engine fails for that: the interrupt is kept for the caller, the channel opened
 * anew and the operation, which names its offset, repeated.
 */
public final class JavaSyscalls implements Syscalls {
    /** Empty in a run-time image without the module jdk.unsupported, where nothing opens with direct I/O. */
    private static final Optional<OpenOption> DIRECT = direct();

    private static Optional<OpenOption> direct() {
        try {
            return Optional.of(DirectOption.DIRECT);
        } catch (NoClassDefFoundError e) {
            LoggerFactory.getLogger(JavaSyscalls.class)
                    .info(
                            "This run-time image lacks the module jdk.unsupported: the blocking engine has no direct I/O");
            return Optional.empty();
        }
    }

    /** An open channel, and how to open it again. */
    private static final class OpenFile {
        private volatile Path path;
        private final Set<OpenOption> again;
        private final FileStat opened;
        private volatile FileChannel channel;
        private boolean locked;

        OpenFile(FileChannel channel, Path path, Set<OpenOption> again, FileStat opened) {
            this.channel = channel;
            this.path = path;
            this.again = again;
            this.opened = opened;
        }

        boolean isDirect() {
            return DIRECT.filter(again::contains).isPresent();
        }

        boolean isStill(FileStat other) {
            return opened.isSameFile(other);
        }
    }

    /** More than another that replaces the file over and over can spoil one after the other. */
    private static final int OPEN_TRIES = 100;

    private final Map<Integer, OpenFile> files = new ConcurrentHashMap<>();
    private final AtomicInteger nextFd = new AtomicInteger(1);

    int openFiles() {
        return files.size();
    }

    @Override
    public int open(String path, int flags, int mode) {
        try {
            Path file = Path.of(path);
            if ((flags & OpenFlag.DIRECTORY) != 0 && !Files.isDirectory(file)) {
                return Files.exists(file, LinkOption.NOFOLLOW_LINKS) ? -Errno.ENOTDIR : -Errno.ENOENT;
            }
            boolean writes = (flags & OpenFlag.WRITE) != 0;
            if (writes && Files.isDirectory(file)) {
                return -Errno.EISDIR;
            }
            Set<OpenOption> options = new HashSet<>();
            add(options, flags, OpenFlag.READ, StandardOpenOption.READ);
            add(options, flags, OpenFlag.WRITE, StandardOpenOption.WRITE);
            boolean exclusive = (flags & OpenFlag.EXCLUSIVE) != 0;
            add(options, flags, OpenFlag.CREATE, exclusive ? StandardOpenOption.CREATE_NEW : StandardOpenOption.CREATE);
            add(options, flags, OpenFlag.TRUNCATE, StandardOpenOption.TRUNCATE_EXISTING);
            if ((flags & OpenFlag.DIRECT) != 0) {
                options.add(DIRECT.orElseThrow(UnsupportedOperationException::new));
            }
            add(options, flags, OpenFlag.NO_FOLLOW, LinkOption.NOFOLLOW_LINKS);
            if ((flags & (OpenFlag.READ | OpenFlag.WRITE)) == 0) {
                options.add(StandardOpenOption.READ);
            }
            return openSure(file, options, permissions(options, mode));
        } catch (UnsupportedOperationException e) {
            return -Errno.EINVAL; // the file system has no direct I/O, which Linux says by EINVAL as well
        } catch (IOException | InvalidPathException e) {
            return -errno(e);
        }
    }

    /**
     * Java does not tell which file a channel is open on. It is the one that has the path after it was opened, unless another
     * was put there meanwhile, or it was removed: then it is opened again.
     */
    private int openSure(Path file, Set<OpenOption> options, FileAttribute<?>[] attributes) throws IOException {
        for (int tries = 0; tries < OPEN_TRIES; tries++) {
            StatResult before = stat(file.toString());
            boolean existed = before.error() == 0;
            FileChannel channel = FileChannel.open(file, options, attributes);
            StatResult after = stat(file.toString(), existed ? Optional.of(before.stat()) : Optional.empty());
            if (after.error() == 0 && (!existed || before.stat().isSameFile(after.stat()))) {
                Set<OpenOption> again = new HashSet<>(options);
                again.removeAll(Set.of(
                        StandardOpenOption.CREATE,
                        StandardOpenOption.CREATE_NEW,
                        StandardOpenOption.TRUNCATE_EXISTING));
                int fd = nextFd.getAndIncrement();
                files.put(fd, new OpenFile(channel, file, again, after.stat()));
                return fd;
            }
            channel.close();
        }
        return -Errno.ESTALE;
    }

    private static FileAttribute<?>[] permissions(Set<OpenOption> options, int mode) {
        boolean makes = options.contains(StandardOpenOption.CREATE) || options.contains(StandardOpenOption.CREATE_NEW);
        return makes ? permissions(mode) : new FileAttribute<?>[0];
    }

    private static FileAttribute<?>[] permissions(int mode) {
        return FileSystems.getDefault().supportedFileAttributeViews().contains("posix")
                ? new FileAttribute<?>[] {PosixFilePermissions.asFileAttribute(posix(mode))}
                : new FileAttribute<?>[0];
    }

    private static Set<PosixFilePermission> posix(int mode) {
        Set<PosixFilePermission> permissions = EnumSet.noneOf(PosixFilePermission.class);
        PosixFilePermission[] all = PosixFilePermission.values(); // owner read .. others execute, highest bit first
        for (int i = 0; i < all.length; i++) {
            if ((mode & (0400 >> i)) != 0) {
                permissions.add(all[i]);
            }
        }
        return permissions;
    }

    private static void add(Set<OpenOption> options, int flags, int flag, OpenOption option) {
        if ((flags & flag) != 0) {
            options.add(option);
        }
    }

    @Override
    public int close(int fd) {
        OpenFile file = files.remove(fd);
        return file == null ? -Errno.EBADF : run(() -> file.channel.close());
    }

    @Override
    public long pread(int fd, long address, ByteBuffer memory, int at, int length, long offset) {
        return transfer(fd, file -> {
            int count = file.channel.read(memory.slice(at, length), offset);
            return Math.max(count, 0);
        });
    }

    @Override
    public long pwrite(int fd, long address, ByteBuffer memory, int at, int length, long offset) {
        return transfer(fd, file -> file.channel.write(memory.slice(at, length), offset));
    }

    private interface Transfer {
        long run(OpenFile file) throws IOException;
    }

    private long transfer(int fd, Transfer body) {
        OpenFile file = files.get(fd);
        if (file == null) {
            return -Errno.EBADF;
        }
        boolean interrupted = Thread.interrupted();
        try {
            while (true) {
                FileChannel used = file.channel;
                try {
                    return body.run(file);
                } catch (ClosedChannelException e) {
                    // By an interrupt, of this thread or of another that used the channel at the same time.
                    interrupted |= Thread.interrupted();
                    int error = files.containsKey(fd) ? openAgain(file, used) : -Errno.EBADF;
                    if (error < 0) {
                        return error;
                    }
                }
            }
        } catch (NonReadableChannelException | NonWritableChannelException e) {
            return -Errno.EBADF;
        } catch (IOException | IllegalArgumentException e) {
            return -errno(e);
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    private int openAgain(OpenFile file, FileChannel broken) throws IOException {
        synchronized (file) {
            if (!file.channel.equals(broken)) {
                return 0; // another thread was faster
            }
            if (!file.isStill(stat(file.path.toString()).stat())) {
                return -Errno.EBADF; // renamed or removed meanwhile: what its path names now is not this file
            }
            FileChannel channel = FileChannel.open(file.path, file.again);
            if (file.locked && channel.tryLock() == null) {
                channel.close();
                return -Errno.EBADF;
            }
            file.channel = channel;
            return 0;
        }
    }

    @Override
    public int fsync(int fd) {
        return (int) transfer(fd, file -> {
            file.channel.force(true);
            return 0;
        });
    }

    @Override
    public int fdatasync(int fd) {
        return (int) transfer(fd, file -> {
            file.channel.force(false);
            return 0;
        });
    }

    @Override
    public int allocate(int fd, long offset, long length) {
        return (int) transfer(fd, file -> {
            if (length < 0 || offset > Long.MAX_VALUE - length) {
                return -Errno.EFBIG;
            }
            long more = offset + length - file.channel.size();
            return isStillThere(file) && more > free(file.path) ? -Errno.ENOSPC : -Errno.EOPNOTSUPP;
        });
    }

    @Override
    public int truncate(int fd, long length) {
        return (int) transfer(fd, file -> {
            FileChannel channel = file.channel;
            boolean grows = length > channel.size();
            channel.truncate(length); // never grows a file; refused where it is open for reading only
            if (grows && !file.isDirect()) {
                channel.write(ByteBuffer.allocate(1), length - 1);
            } else if (grows) {
                if (!isStillThere(file)) {
                    return -Errno.ESTALE;
                }
                // A buffered byte at the end, through a channel of its own.
                try (FileChannel plain = FileChannel.open(file.path, StandardOpenOption.WRITE)) {
                    plain.write(ByteBuffer.allocate(1), length - 1);
                }
            }
            return 0;
        });
    }

    @Override
    public StatResult stat(int fd) {
        OpenFile file = files.get(fd);
        if (file == null) {
            return StatResult.failed(-Errno.EBADF);
        }
        StatResult byPath = stat(file.path.toString(), Optional.of(file.opened));
        if (byPath.error() == 0 && file.isStill(byPath.stat())) {
            return byPath;
        }
        // Renamed or removed since: what was known of it, and the size, which the channel tells.
        long size = transfer(fd, open -> open.channel.size());
        return size < 0 ? StatResult.failed((int) size) : new StatResult(0, file.opened.withSize(size));
    }

    @Override
    public StatResult stat(String path) {
        return stat(path, Optional.empty());
    }

    private boolean isStillThere(OpenFile file) {
        StatResult now = stat(file.path.toString(), Optional.of(file.opened));
        return now.error() == 0 && file.isStill(now.stat());
    }

    /** {@code known}: what may lie there; of the same file its file system, which is slow to ask for, is known too. */
    private StatResult stat(String path, Optional<FileStat> known) {
        try {
            Path file = Path.of(path);
            BasicFileAttributes basic = Files.readAttributes(file, BasicFileAttributes.class);
            Optional<Map<String, Object>> unix = unix(file);
            int mode = unix.map(values -> (Integer) values.get("mode"))
                    .orElseGet(() -> FileStat.modeOf(basic.isDirectory(), 0644));
            long device = unix.map(values -> (Long) values.get("dev")).orElse(0L);
            long inode = unix.map(values -> (Long) values.get("ino")).orElse(0L);
            if (inode != 0
                    && known.filter(other -> other.device() == device && other.inode() == inode)
                            .isPresent()) {
                long modified = basic.lastModifiedTime().to(TimeUnit.NANOSECONDS);
                return new StatResult(0, known.get().changed(basic.size(), mode, modified));
            }
            FileStore store = Files.getFileStore(file);
            int block = (int) Math.min(Math.max(store.getBlockSize(), 512), 1 << 20);
            String type = store.type().toLowerCase(Locale.ROOT);
            // An overlay tells nothing of the file below, which may have no direct I/O.
            int direct = type.equals("overlay") ? -1 : block;
            return new StatResult(
                    0,
                    new FileStat(
                            basic.size(),
                            mode,
                            device,
                            inode,
                            basic.size(),
                            basic.lastModifiedTime().to(TimeUnit.NANOSECONDS),
                            type,
                            block,
                            direct,
                            direct));
        } catch (IOException | InvalidPathException | UnsupportedOperationException e) {
            return StatResult.failed(-errno(e));
        }
    }

    private static Optional<Map<String, Object>> unix(Path file) throws IOException {
        try {
            return Optional.of(Files.readAttributes(file, "unix:mode,dev,ino"));
        } catch (UnsupportedOperationException | IllegalArgumentException e) {
            return Optional.empty(); // Windows
        }
    }

    @Override
    public int rename(String from, String to, boolean noReplace) {
        return run(() -> {
            Path target = Path.of(to);
            if (noReplace && Files.exists(target, LinkOption.NOFOLLOW_LINKS)) {
                throw new FileAlreadyExistsException(to);
            }
            Path source = Path.of(from);
            Optional<Map<String, Object>> identity = Files.exists(source) ? unix(source) : Optional.empty();
            Files.move(source, target, StandardCopyOption.ATOMIC_MOVE);
            files.values().forEach(file -> follow(file, source, target, identity));
        });
    }

    /** Tells an open file where it is now, which every operation by path needs to know. */
    private static void follow(OpenFile file, Path from, Path to, Optional<Map<String, Object>> identity) {
        Path path = file.path.toAbsolutePath();
        boolean same = identity.filter(unix -> file.opened.inode() != 0
                        && file.opened.inode() == (Long) unix.get("ino")
                        && file.opened.device() == (Long) unix.get("dev"))
                .isPresent();
        if (same || path.equals(from.toAbsolutePath())) {
            file.path = to;
        } else if (path.startsWith(from.toAbsolutePath())) {
            file.path = to.toAbsolutePath().resolve(from.toAbsolutePath().relativize(path));
        }
    }

    @Override
    public int unlink(String path, boolean directory) {
        return run(() -> {
            Path file = Path.of(path);
            if (Files.isDirectory(file, LinkOption.NOFOLLOW_LINKS) != directory) {
                throw directory
                        ? new NotDirectoryException(path)
                        : new FileSystemException(path, null, "Is a directory");
            }
            Files.delete(file);
        });
    }

    @Override
    public int mkdir(String path, int mode) {
        return run(() -> Files.createDirectory(Path.of(path), permissions(mode)));
    }

    @Override
    public int chmod(int fd, int mode) {
        return (int) transfer(fd, file -> {
            try {
                if (!isStillThere(file)) {
                    return -Errno.ESTALE;
                }
                Files.setPosixFilePermissions(file.path, posix(mode));
                return 0;
            } catch (UnsupportedOperationException e) {
                return -Errno.EOPNOTSUPP;
            }
        });
    }

    @Override
    public int tryLock(int fd) {
        return (int) transfer(fd, file -> {
            try {
                file.locked = file.channel.tryLock() != null;
                return file.locked ? 0 : -Errno.EAGAIN;
            } catch (OverlappingFileLockException e) {
                return -Errno.EAGAIN;
            }
        });
    }

    @Override
    public long freeBytes(String path) {
        try {
            return free(Path.of(path));
        } catch (IOException | InvalidPathException e) {
            return -errno(e);
        }
    }

    private static long free(Path path) throws IOException {
        FileStore store = Files.getFileStore(path);
        return store.getTotalSpace() == 0 ? Long.MAX_VALUE : store.getUsableSpace();
    }

    private interface Action {
        void run() throws IOException;
    }

    private static int run(Action action) {
        try {
            action.run();
            return 0;
        } catch (IOException | InvalidPathException | UnsupportedOperationException e) {
            return -errno(e);
        }
    }

    /** The errno behind an exception of the JDK, which keeps it only as text. */
    static int errno(Exception e) {
        if (e instanceof NoSuchFileException) {
            return Errno.ENOENT;
        }
        if (e instanceof AccessDeniedException) {
            return Errno.EACCES;
        }
        if (e instanceof FileAlreadyExistsException) {
            return Errno.EEXIST;
        }
        if (e instanceof DirectoryNotEmptyException) {
            return Errno.ENOTEMPTY;
        }
        if (e instanceof NotDirectoryException) {
            return Errno.ENOTDIR;
        }
        if (e instanceof FileSystemLoopException) {
            return Errno.ELOOP;
        }
        if (e instanceof ClosedChannelException) {
            return Errno.EBADF;
        }
        if (e instanceof InvalidPathException || e instanceof IllegalArgumentException) {
            return Errno.EINVAL;
        }
        String text = e instanceof FileSystemException fileSystem && fileSystem.getReason() != null
                ? fileSystem.getReason()
                : String.valueOf(e.getMessage());
        for (Map.Entry<String, Integer> entry : BY_TEXT.entrySet()) {
            if (text.contains(entry.getKey())) {
                return entry.getValue();
            }
        }
        return Errno.UNKNOWN;
    }

    /** strerror(3) of glibc, musl and macOS. */
    private static final Map<String, Integer> BY_TEXT = Map.ofEntries(
            Map.entry("No space left on device", Errno.ENOSPC),
            Map.entry("isk quota exceeded", Errno.EDQUOT),
            Map.entry("Quota exceeded", Errno.EDQUOT),
            Map.entry("File too large", Errno.EFBIG),
            Map.entry("nput/output error", Errno.EIO),
            Map.entry("I/O error", Errno.EIO),
            Map.entry("Read-only file system", Errno.EROFS),
            Map.entry("Too many open files", Errno.EMFILE),
            Map.entry("File name too long", Errno.ENAMETOOLONG),
            Map.entry("name too long", Errno.ENAMETOOLONG),
            Map.entry("Not a directory", Errno.ENOTDIR),
            Map.entry("Is a directory", Errno.EISDIR),
            Map.entry("Invalid argument", Errno.EINVAL),
            Map.entry("Device or resource busy", Errno.EBUSY),
            Map.entry("Operation not permitted", Errno.EPERM),
            Map.entry("Permission denied", Errno.EACCES),
            Map.entry("Too many levels of symbolic links", Errno.ELOOP),
            Map.entry("Directory not empty", Errno.ENOTEMPTY),
            Map.entry("must be a multiple of", Errno.EINVAL),
            Map.entry("not aligned", Errno.EINVAL));
}
