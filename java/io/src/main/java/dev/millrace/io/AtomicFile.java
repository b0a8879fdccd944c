// SPDX-License-Identifier: Apache-2.0
package dev.millrace.io;

import dev.millrace.io.engine.FileStat;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Optional;

/** Replaces the whole content of a small file, such as a manifest or a pointer to the current one. */
public final class AtomicFile {
    private AtomicFile() {}

    /**
     * Makes {@code content} the content of a file, which is made where it is missing. Whoever opens the name finds the old
     * content or the new one, whole, also after a crash; when the call returns the new one is durable. By a
     * {@link TemporaryFile} beside it, which is removed on a failure ({@link TemporaryFile#clean} removes what a crash
     * leaves).
     *
     * <p>The file keeps its permissions, not its owner or extended attributes. A symbolic link is replaced, not followed.
     * Blocks a platform thread, parks a virtual one.
     *
     * @param content from its position to its limit, neither of which moves
     * @throws UnsupportedFileException where the path names what is not a regular file, or has the form of temporary files
     * @throws IoFailure where it cannot be replaced; when {@link TemporaryFile#publish} has renamed it and the fsync of
     *     the folder fails then, the new content is there, and otherwise the old one
     */
    public static void replace(IoEngine engine, Path path, ByteBuffer content) throws IoFailure {
        String text = PathText.of("replace", path);
        Path target = path.toAbsolutePath();
        Path name = target.getFileName();
        Path folder = target.getParent();
        if (name == null || folder == null || TemporaryFile.isTemporaryName(name.toString())) {
            throw new UnsupportedFileException(
                    "replace",
                    text,
                    "replace of " + text + " is not possible: it must be the name of a file, and not one of the form"
                            + " of temporary files, which are removed after a crash");
        }
        Optional<FileStat> before = engine.find(target);
        if (before.isPresent()) {
            FileOpening.checkRegular("replace", text, before.get());
        }
        try (TemporaryFile temporary = TemporaryFile.create(engine, folder, DirectMode.OFF)) {
            if (before.isPresent()) {
                temporary.file().setPermissions(before.get().permissions());
            }
            temporary.file().writeAll(content.slice(), 0);
            temporary.publish(target, true);
        }
    }
}
