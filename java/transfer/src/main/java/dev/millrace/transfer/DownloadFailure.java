// SPDX-License-Identifier: Apache-2.0
package dev.millrace.transfer;

import java.io.IOException;

/**
 * A download that ended without a file. The message is a sentence that names what failed, the object or path, and what to
 * do; nothing of the attempt is left behind, except where the message says so.
 */
public abstract sealed class DownloadFailure extends IOException {
    private static final long serialVersionUID = 1L;

    private DownloadFailure(String message, Throwable cause) {
        super(message, cause);
    }

    private DownloadFailure(String message) {
        super(message);
    }

    /** There is no such object, version or bucket. */
    public static final class ObjectMissing extends DownloadFailure {
        private static final long serialVersionUID = 1L;

        ObjectMissing(String message, Throwable cause) {
            super(message, cause);
        }
    }

    /** The store will not give it: credentials missing, wrong or expired, access denied, archived, another owner. */
    public static final class AccessRefused extends DownloadFailure {
        private static final long serialVersionUID = 1L;

        AccessRefused(String message, Throwable cause) {
            super(message, cause);
        }
    }

    /** The object is not, or no longer, the one that was meant: another ETag or length than promised, or it changes. */
    public static final class ObjectChanged extends DownloadFailure {
        private static final long serialVersionUID = 1L;

        ObjectChanged(String message, Throwable cause) {
            super(message, cause);
        }
    }

    /** The bytes that came, twice, are not those the store's checksum promises. */
    public static final class ChecksumMismatch extends DownloadFailure {
        private static final long serialVersionUID = 1L;

        ChecksumMismatch(String message) {
            super(message);
        }
    }

    /** The store could not be reached, or failed too often without one byte of progress, or beyond the budget of time. */
    public static final class SourceUnreachable extends DownloadFailure {
        private static final long serialVersionUID = 1L;

        SourceUnreachable(String message, Throwable cause) {
            super(message, cause);
        }
    }

    /** The store refused the request for good, or answered what was not asked. */
    public static final class RequestRefused extends DownloadFailure {
        private static final long serialVersionUID = 1L;

        RequestRefused(String message) {
            super(message);
        }

        RequestRefused(String message, Throwable cause) {
            super(message, cause);
        }
    }

    /** The key or target cannot be a file here. */
    public static final class BadTarget extends DownloadFailure {
        private static final long serialVersionUID = 1L;

        BadTarget(String message) {
            super(message);
        }

        BadTarget(String message, Throwable cause) {
            super(message, cause);
        }
    }

    /** The local disk, quota or size limit has no room, or an operation on it failed in another mendable way. */
    public static final class LocalDisk extends DownloadFailure {
        private static final long serialVersionUID = 1L;

        private final boolean full;

        LocalDisk(String message, Throwable cause, boolean full) {
            super(message, cause);
            this.full = full;
        }

        /** True where there is no room (ENOSPC, EDQUOT, EFBIG). */
        public boolean isFull() {
            return full;
        }
    }

    /** The local disk can no longer be trusted (EIO, EROFS, EACCES, a failed fsync); see the fatal handler. */
    public static final class FatalLocal extends DownloadFailure {
        private static final long serialVersionUID = 1L;

        FatalLocal(String message, Throwable cause) {
            super(message, cause);
        }
    }

    /** Somebody no longer wants it, or the downloader is closed. Not an error. */
    public static final class Cancelled extends DownloadFailure {
        private static final long serialVersionUID = 1L;

        Cancelled(String message) {
            super(message);
        }
    }

    /** More downloads are waiting than are allowed to. */
    public static final class TooManyWaiting extends DownloadFailure {
        private static final long serialVersionUID = 1L;

        TooManyWaiting(String message) {
            super(message);
        }
    }
}
