// SPDX-License-Identifier: Apache-2.0
package dev.millrace.transfer;

import dev.millrace.io.TemporaryFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.OptionalInt;

/**
 * A file to be, symbolic links followed.
 *
 * @param file its final name
 * @param folder the folder it lies in, where its temporary file goes, too
 */
record Target(Path file, Path folder) {
    private static final int MAX_LINKS = 40;

    /**
     * Where a path leads.
     *
     * @throws DownloadFailure.BadTarget where no file can be put there
     */
    static Target of(Path path) throws DownloadFailure.BadTarget {
        Path file = path.toAbsolutePath();
        for (int links = 0; Files.isSymbolicLink(file); links++) {
            if (links == MAX_LINKS) {
                throw new DownloadFailure.BadTarget(path + " cannot be written: too many symbolic links");
            }
            try {
                file = file.resolveSibling(Files.readSymbolicLink(file));
            } catch (IOException e) {
                throw new DownloadFailure.BadTarget(path + " cannot be followed: " + e.getMessage(), e);
            }
        }
        Path name = file.getFileName();
        Path folder = file.getParent();
        if (name == null || folder == null || Files.isDirectory(file)) {
            throw new DownloadFailure.BadTarget(path + " is a folder; name the file to write");
        }
        if (TemporaryFile.isTemporaryName(name.toString())) {
            throw new DownloadFailure.BadTarget("the name " + name
                    + " is refused: it has the form of temporary files, which are removed after a crash;"
                    + " choose another");
        }
        if (Files.exists(file, LinkOption.NOFOLLOW_LINKS) && !Files.isRegularFile(file)) {
            throw new DownloadFailure.BadTarget(
                    path + " is a device, FIFO or socket and cannot be replaced; stream to it instead");
        }
        return new Target(file, folder);
    }

    /** The permissions of the file that is there now, to be kept; empty where there is none, or no such thing. */
    OptionalInt permissions() {
        try {
            Object mode = Files.getAttribute(file, "unix:mode", LinkOption.NOFOLLOW_LINKS);
            return mode instanceof Integer bits ? OptionalInt.of(bits & 07777) : OptionalInt.empty();
        } catch (IOException | UnsupportedOperationException | IllegalArgumentException notThere) {
            return OptionalInt.empty();
        }
    }
}
