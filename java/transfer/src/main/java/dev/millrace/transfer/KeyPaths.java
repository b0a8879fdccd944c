// SPDX-License-Identifier: Apache-2.0
package dev.millrace.transfer;

import dev.millrace.io.TemporaryFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.Optional;

/**
 * Where keys go below a folder: the name on disk is the key's exact bytes, a slash parts folders. What cannot be such a
 * name, or would leave the folder, is refused by name; nothing is mapped, trimmed or escaped, so two keys never become one
 * file unnoticed.
 */
final class KeyPaths {
    /** Longest name of a file system on Linux, in bytes. */
    static final int MAX_NAME_BYTES = 255;

    private final Path folder;
    private Optional<Path> realFolder = Optional.empty();
    /** The folder checked last: keys come in order, so that most share theirs with the one before. */
    private Optional<Path> checkedParent = Optional.empty();

    /** @param folder all paths lie below it */
    KeyPaths(Path folder) {
        this.folder = folder;
    }

    /** The folder. */
    Path folder() {
        return folder;
    }

    /** True where the key stands for a folder. */
    static boolean isMarker(String relative) {
        return relative.isEmpty() || relative.endsWith("/");
    }

    /**
     * The path of a key.
     *
     * @param key the whole key, for messages
     * @param relative what of it lies below the folder; with a slash at the end (or empty) for a folder
     * @param size of the object: a folder marker is empty
     */
    Path resolve(String key, String relative, long size) throws KeyRefusedException {
        boolean marker = isMarker(relative);
        if (marker && size > 0) {
            throw new KeyRefusedException(
                    key, "it ends in a slash and has " + size + " bytes of content, and a folder has none");
        }
        if (relative.isEmpty()) {
            return folder;
        }
        String names = marker ? relative.substring(0, relative.length() - 1) : relative;
        int start = 0;
        while (start <= names.length()) {
            int slash = names.indexOf('/', start);
            int end = slash < 0 ? names.length() : slash;
            checkName(key, names.substring(start, end), !marker && slash < 0);
            start = end + 1;
        }
        try {
            Path path = folder.resolve(names);
            if (!path.startsWith(folder)) {
                throw new KeyRefusedException(key, "it would leave the target " + folder);
            }
            return path;
        } catch (InvalidPathException e) {
            throw new KeyRefusedException(
                    key,
                    "this system cannot name such a file (" + e.getReason()
                            + "); is the locale one of UTF-8, as LC_ALL=C.UTF-8 is?");
        }
    }

    private static void checkName(String key, String name, boolean last) throws KeyRefusedException {
        if (name.isEmpty()) {
            throw new KeyRefusedException(
                    key, "it has an empty part (a slash at the start or two in a row), which is no name of a file");
        }
        if (name.equals(".") || name.equals("..")) {
            throw new KeyRefusedException(key, "it has the part '" + name + "', which is no name of a file");
        }
        if (name.indexOf('\0') >= 0) {
            throw new KeyRefusedException(key, "it has a NUL character, which no name of a file may have");
        }
        int bytes = utf8Length(key, name);
        if (bytes > MAX_NAME_BYTES) {
            throw new KeyRefusedException(
                    key, "a part of it has " + bytes + " bytes, and a file's name has at most " + MAX_NAME_BYTES);
        }
        if (last && TemporaryFile.isTemporaryName(name)) {
            throw new KeyRefusedException(
                    key,
                    "its last part has the form of Millrace's own temporary files, which are removed after a crash");
        }
    }

    private static int utf8Length(String key, String name) throws KeyRefusedException {
        boolean ascii = name.chars().allMatch(c -> c < 0x80);
        if (ascii) {
            return name.length();
        }
        try {
            ByteBuffer bytes = StandardCharsets.UTF_8.newEncoder().encode(CharBuffer.wrap(name));
            return bytes.remaining();
        } catch (CharacterCodingException e) {
            throw new KeyRefusedException(key, "it is not valid Unicode, so that its bytes cannot be written");
        }
    }

    /**
     * Checks on disk that the way from the folder to a path leads through no file, and through no symbolic link out of the
     * folder, and that what is at the path is what the key will make of it. To be called right before the path is used.
     */
    void checkOnDisk(String key, Path path, boolean asFolder) throws IOException {
        Optional<Path> parent = Optional.ofNullable(path.getParent());
        if (parent.isPresent() && !parent.equals(checkedParent) && parent.get().startsWith(folder)) {
            for (int names = folder.getNameCount() + 1; names <= parent.get().getNameCount(); names++) {
                checkPart(key, prefix(parent.get(), names), true);
            }
            checkedParent = parent;
        }
        if (!path.equals(folder)) {
            checkPart(key, path, asFolder);
        }
    }

    private static Path prefix(Path path, int names) {
        Path part = path.subpath(0, names);
        return path.isAbsolute() ? path.getRoot().resolve(part) : part;
    }

    private void checkPart(String key, Path part, boolean asFolder) throws IOException {
        if (!Files.exists(part, LinkOption.NOFOLLOW_LINKS)) {
            return; // nothing there yet; what else it may be, making it will say
        }
        BasicFileAttributes attributes;
        try {
            attributes = Files.readAttributes(part, BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS);
            if (attributes.isSymbolicLink()) {
                checkLink(key, part);
                attributes = Files.readAttributes(part, BasicFileAttributes.class);
            }
        } catch (NoSuchFileException goneMeanwhile) {
            return;
        }
        if (asFolder && !attributes.isDirectory()) {
            throw new KeyRefusedException(key, part + " is a file, and this key needs it as a folder");
        }
        if (!asFolder && attributes.isDirectory()) {
            throw new KeyRefusedException(key, part + " is a folder, and this key needs it as a file");
        }
        if (!asFolder && !attributes.isRegularFile()) {
            throw new KeyRefusedException(key, part + " is a device, FIFO or socket, which keys are not written to");
        }
    }

    private void checkLink(String key, Path link) throws IOException {
        Path real;
        try {
            real = link.toRealPath();
        } catch (IOException dangling) {
            throw new KeyRefusedException(key, link + " is a symbolic link that leads nowhere");
        }
        if (realFolder.isEmpty()) {
            realFolder = Optional.of(folder.toRealPath());
        }
        if (!real.startsWith(realFolder.get())) {
            throw new KeyRefusedException(
                    key, link + " is a symbolic link out of the target, to " + real + ", and is not followed");
        }
    }

    /**
     * True where names that differ in case only are one file in a folder. Makes and removes an empty file of the form of a
     * temporary one.
     */
    static boolean foldsCase(Path folder, String id) throws IOException {
        String name = "." + id + ".millrace-part";
        Path lower = folder.resolve(name);
        Files.createFile(lower);
        try {
            return Files.exists(folder.resolve(name.replace("millrace-part", "MILLRACE-PART")));
        } finally {
            Files.deleteIfExists(lower);
        }
    }
}
