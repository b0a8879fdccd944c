// SPDX-License-Identifier: Apache-2.0
package dev.millrace.bindings;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * What makes a folder fit to load code from: it is this user's, nobody else writes to it, it is no link, and its mount
 * allows execution. Safe for any thread.
 *
 * <p>The folders above it are not judged. Where anybody may rename entries of one (a container's volume at {@code /tmp}
 * often has mode 777 and no sticky bit), another user could swap a folder after it was judged; refusing such places
 * would leave many containers with none.
 */
final class NativeFolder {
    private static final FileAttribute<Set<PosixFilePermission>> OWNER_ONLY =
            PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------"));
    private static final int TYPE = 0170000;
    private static final int FOLDER = 0040000;
    private static final int FILE = 0100000;
    private static final int LINK = 0120000;
    private static final int OTHERS_WRITE = 0022;

    private static final Map<String, String> ERRNO = Map.of(
            "No space left on device", "ENOSPC",
            "Disk quota exceeded", "EDQUOT",
            "Read-only file system", "EROFS",
            "Operation not permitted", "EPERM",
            "Is a directory", "EISDIR",
            "Not a directory", "ENOTDIR",
            "Permission denied", "EACCES",
            "Input/output error", "EIO");

    private NativeFolder() {}

    /**
     * Makes the folder and those below it where they are missing (mode 700) and judges each.
     *
     * @return the lowest, with every link above {@code root} resolved
     * @throws IOException where one cannot be made or is not fit; the message is a sentence with the remedy
     */
    static Path prepare(Path root, String... below) throws IOException {
        Path parent = root.toAbsolutePath().normalize().getParent();
        Path name = root.toAbsolutePath().normalize().getFileName();
        if (parent == null || name == null) {
            throw new IOException(root + " is the root of all folders and not one for libraries");
        }
        Files.createDirectories(parent, OWNER_ONLY);
        Path folder = parent.toRealPath().resolve(name);
        make(folder);
        for (String next : below) {
            folder = folder.resolve(next);
            make(folder);
        }
        if (isNoexec(folder)) {
            throw new IOException(folder + " lies on a mount with the option noexec, where no library can be loaded");
        }
        return folder;
    }

    private static void make(Path folder) throws IOException {
        if (!Files.exists(folder, LinkOption.NOFOLLOW_LINKS)) {
            try {
                Files.createDirectory(folder, OWNER_ONLY);
            } catch (FileAlreadyExistsException e) {
                // Another JVM was faster, or another user: which one is judged now, and again.
                judge(folder);
            }
        }
        judge(folder);
    }

    private static void judge(Path folder) throws IOException {
        int mode = mode(folder);
        if ((mode & TYPE) == LINK) {
            throw new IOException(folder + " is a symbolic link, which others could turn: name the folder itself");
        }
        if ((mode & TYPE) != FOLDER) {
            throw new IOException(folder + " is no folder: remove it");
        }
        int owner = owner(folder);
        int self = self();
        if (owner != self) {
            throw new IOException(folder + " belongs to user " + owner + " and this JVM runs as user " + self);
        }
        if ((mode & OTHERS_WRITE) != 0) {
            throw new IOException(folder + " can be written to by others (mode " + Integer.toOctalString(mode & 07777)
                    + "): take that away with chmod go-w");
        }
    }

    /** Whether a file is a regular one of this user that nobody else may write to. */
    static boolean isOurFile(Path file) throws IOException {
        int mode = mode(file);
        return (mode & TYPE) == FILE && (mode & OTHERS_WRITE) == 0 && owner(file) == self();
    }

    private static int mode(Path path) throws IOException {
        return attribute(path, "unix:mode");
    }

    private static int owner(Path path) throws IOException {
        return attribute(path, "unix:uid");
    }

    /**
     * Number of the user that this JVM's files will belong to, which no property and no variable can forge. Not the
     * owner of {@code /proc/self}, which is root where the JVM's program has capabilities of its own.
     */
    static int self() throws IOException {
        Path status = Path.of("/proc/self/status");
        try {
            for (String line : Files.readString(status, StandardCharsets.ISO_8859_1)
                    .lines()
                    .toList()) {
                if (line.startsWith("Uid:")) {
                    return Integer.parseUnsignedInt(line.substring(line.lastIndexOf('\t') + 1));
                }
            }
        } catch (NumberFormatException e) {
            throw new IOException(status + " does not say which user this JVM runs as", e);
        }
        throw new IOException(status + " does not say which user this JVM runs as");
    }

    private static int attribute(Path path, String name) throws IOException {
        try {
            return (Integer) Files.getAttribute(path, name, LinkOption.NOFOLLOW_LINKS);
        } catch (UnsupportedOperationException | IllegalArgumentException e) {
            throw new IOException(path + ": its file system does not say whose it is", e);
        }
    }

    /** Whether the mount of an existing path forbids execution; false where that cannot be told. */
    static boolean isNoexec(Path path) {
        try {
            String mounts = new String(Files.readAllBytes(Path.of("/proc/self/mountinfo")), StandardCharsets.UTF_8);
            return isNoexec(mounts.lines().toList(), path.toRealPath());
        } catch (IOException e) {
            return false;
        }
    }

    /**
     * The same by the lines of {@code /proc/self/mountinfo}: the longest mount point above the path counts, and of
     * several mounts on one point the last.
     */
    static boolean isNoexec(List<String> mounts, Path path) {
        int longest = -1;
        boolean noexec = false;
        for (String mount : mounts) {
            List<String> fields = List.of(mount.split(" ", -1));
            if (fields.size() < 6) {
                continue;
            }
            Path point = Path.of(unescape(fields.get(4)));
            if (path.startsWith(point) && point.getNameCount() >= longest) {
                longest = point.getNameCount();
                noexec = List.of(fields.get(5).split(",", -1)).contains("noexec");
            }
        }
        return noexec;
    }

    /** Spaces and the like in mount points are written as three octal digits. */
    private static String unescape(String text) {
        return text.replace("\\040", " ")
                .replace("\\011", "\t")
                .replace("\\012", "\n")
                .replace("\\134", "\\");
    }

    /** What went wrong and with which file, with the errno's name where it can be told. */
    static String reason(IOException e) {
        if (e instanceof AccessDeniedException denied) {
            return denied.getFile() + ": Permission denied (EACCES)";
        }
        if (e instanceof NoSuchFileException missing) {
            return missing.getFile() + ": No such file or directory (ENOENT)";
        }
        if (e instanceof FileAlreadyExistsException there) {
            return there.getFile() + ": is no folder (EEXIST)";
        }
        String message =
                Optional.ofNullable(e.getMessage()).orElseGet(() -> e.getClass().getSimpleName());
        String cause = e instanceof FileSystemException system
                ? Optional.ofNullable(system.getReason()).orElse(message)
                : message;
        return Optional.ofNullable(ERRNO.get(cause))
                .map(errno -> message + " (" + errno + ")")
                .orElse(message);
    }
}
