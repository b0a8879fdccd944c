// SPDX-License-Identifier: Apache-2.0
package dev.millrace.transfer;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.locks.ReentrantLock;

/**
 * One PUT to a local folder: a temporary file beside the target, synced, then the name. The condition is looked at and the
 * file renamed under a lock, so that of two threads or processes that put under a condition one loses.
 */
final class LocalPut {
    private static final String LOCK_FILE = ".millrace-put-lock";
    /** A lock on a file is the process's: threads need one of their own. */
    private static final ReentrantLock LOCK = new ReentrantLock();

    private LocalPut() {}

    /** Hears whether what is there may be replaced, or throws the failure. */
    interface Guard {
        void check(Optional<Path> there) throws IOException;
    }

    /**
     * Puts the file there.
     *
     * @param bucket the folder whose lock is taken
     * @param guard is asked under the lock
     */
    static void run(Path bucket, Path target, PutRequest.Body body, Guard guard) throws IOException {
        Path folder = target.getParent();
        Files.createDirectories(folder);
        Path temporary = folder.resolve("." + UUID.randomUUID().toString().replace("-", "") + ".millrace-part");
        try {
            write(temporary, body);
            LOCK.lock();
            try (FileChannel file = FileChannel.open(
                    bucket.resolveSibling(LOCK_FILE), StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
                file.lock(); // until the channel is closed
                guard.check(Files.isRegularFile(target) ? Optional.of(target) : Optional.empty());
                Files.move(temporary, target, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
            } finally {
                LOCK.unlock();
            }
            sync(folder);
        } finally {
            Files.deleteIfExists(temporary);
        }
    }

    private static void write(Path temporary, PutRequest.Body body) throws IOException {
        try (FileChannel out = FileChannel.open(temporary, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
            if (body instanceof PutRequest.Body.File file) {
                try (FileChannel in = FileChannel.open(file.path(), StandardOpenOption.READ)) {
                    long size = in.size();
                    long at = 0;
                    while (at < size) {
                        long moved = in.transferTo(at, size - at, out);
                        if (moved <= 0) {
                            throw new IOException(file.path() + " was cut while it was read: it had " + size
                                    + " bytes and ends at " + at);
                        }
                        at += moved;
                    }
                }
            } else if (body instanceof PutRequest.Body.Bytes bytes) {
                ByteBuffer content = bytes.content().slice();
                while (content.hasRemaining()) {
                    out.write(content);
                }
            }
            out.force(true);
        }
    }

    private static void sync(Path folder) throws IOException {
        try (FileChannel open = FileChannel.open(folder, StandardOpenOption.READ)) {
            open.force(true);
        }
    }
}
