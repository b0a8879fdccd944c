// SPDX-License-Identifier: Apache-2.0
package dev.millrace.transfer;

import dev.millrace.io.EngineClosedException;
import dev.millrace.io.FatalIoException;
import dev.millrace.io.IoFailure;
import dev.millrace.io.OperationFailedException;
import dev.millrace.io.engine.Errno;
import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What a failure on this side means for a download. */
final class LocalFailures {
    private static final Logger LOG = LoggerFactory.getLogger(LocalFailures.class);

    private LocalFailures() {}

    /** What was thrown that nobody foresaw, as a failure; the log has where it came from. */
    static IOException defect(String what, Throwable thrown) {
        LOG.error("The {} failed by a defect of this program", what, thrown);
        return new IOException("a defect in this program: " + thrown, thrown);
    }

    /** True where another attempt, from the start, may do better: descriptors, memory, a busy file. */
    static boolean retryCanHelp(IOException e) {
        return e instanceof IoFailure failure && failure.retryCanHelp() && !isFull(e) && !isFatal(e);
    }

    private static boolean isFull(IOException e) {
        return e instanceof OperationFailedException failed && failed.isOutOfSpace();
    }

    private static boolean isFatal(IOException e) {
        if (e instanceof FatalIoException || e instanceof AccessDeniedException) {
            return true;
        }
        return e instanceof OperationFailedException failed
                && (failed.errno() == Errno.EIO || failed.errno() == Errno.EROFS || failed.errno() == Errno.EACCES);
    }

    /** As the caller hears it. */
    static DownloadFailure describe(ObjectId object, IOException e) {
        if (e instanceof DownloadFailure already) {
            return already;
        }
        String sentence = "download of " + object + " failed on this side: " + text(e);
        if (isFatal(e)) {
            return new DownloadFailure.FatalLocal(sentence, e);
        }
        if (e instanceof EngineClosedException) {
            return new DownloadFailure.Cancelled("download of " + object + " was cancelled: the engine is closed");
        }
        return new DownloadFailure.LocalDisk(sentence, e, isFull(e));
    }

    private static String text(IOException e) {
        if (e instanceof IoFailure || !(e instanceof FileSystemException failure)) {
            return String.valueOf(e.getMessage());
        }
        String reason = failure instanceof AccessDeniedException
                ? "permission denied"
                : failure instanceof NoSuchFileException
                        ? "no such file or folder"
                        : String.valueOf(failure.getReason());
        return failure.getFile() + ": " + reason;
    }
}
