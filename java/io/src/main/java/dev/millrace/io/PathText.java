// SPDX-License-Identifier: Apache-2.0
package dev.millrace.io;

import java.nio.file.FileSystems;
import java.nio.file.Path;

/** A path as the system is told it. */
final class PathText {
    private PathText() {}

    /**
     * The path's text.
     *
     * @throws UnsupportedFileException where it would name another file to the system: a path into an archive, or one that
     *     the system would take to end before a NUL character
     */
    static String of(String operation, Path path) throws UnsupportedFileException {
        String text = path.toString();
        if (!path.getFileSystem().equals(FileSystems.getDefault())) {
            throw new UnsupportedFileException(
                    operation,
                    text,
                    operation + " of " + text + " is not possible: it is a path of "
                            + path.getFileSystem().provider().getScheme() + ", and not of the system's files");
        }
        if (text.indexOf('\0') >= 0) {
            throw new UnsupportedFileException(
                    operation,
                    text,
                    operation + " of " + text + " is not possible: there is a NUL character in the path");
        }
        return text;
    }
}
