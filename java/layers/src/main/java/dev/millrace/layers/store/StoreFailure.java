// SPDX-License-Identifier: Apache-2.0
package dev.millrace.layers.store;

import java.io.IOException;
import java.time.Duration;
import java.util.Optional;

/**
 * What the store of layers could not do. The message is a sentence that names what failed, the layer, timeline or path, and
 * what to do.
 */
@SuppressWarnings("serial") // thrown and told within a process; nobody writes one as bytes
public abstract sealed class StoreFailure extends IOException {
    private StoreFailure(String message, Throwable cause) {
        super(message, cause);
    }

    private StoreFailure(String message) {
        super(message);
    }

    /** An index is not what it must be: cut short, of a newer version, with absurd values. */
    public static final class IndexUnreadable extends StoreFailure {
        IndexUnreadable(String message, Throwable cause) {
            super(message, cause);
        }
    }

    /** The object store has no index of the timeline at or below the generation. */
    public static final class NoIndex extends StoreFailure {
        NoIndex(String message) {
            super(message);
        }
    }

    /** The object store could not be read or written. */
    public static final class RemoteFailed extends StoreFailure {
        RemoteFailed(String message, Throwable cause) {
            super(message, cause);
        }
    }

    /** Someone else has replaced the index meanwhile. */
    public static final class IndexConflict extends StoreFailure {
        IndexConflict(String message, Throwable cause) {
            super(message, cause);
        }
    }

    /** There is no such tenant, timeline or layer here. */
    public static final class NotFound extends StoreFailure {
        NotFound(String message) {
            super(message);
        }
    }

    /** What was asked is not possible now: attached already, being attached, a layer not uploaded. */
    public static final class WrongState extends StoreFailure {
        WrongState(String message) {
            super(message);
        }
    }

    /** The data folder belongs to another process. */
    public static final class FolderInUse extends StoreFailure {
        FolderInUse(String message) {
            super(message);
        }
    }

    /** The layer is not resident, and the read must not download. */
    public static final class DownloadRequired extends StoreFailure {
        DownloadRequired(String message) {
            super(message);
        }
    }

    /** The download of a layer failed. */
    public static final class DownloadFailed extends StoreFailure {
        DownloadFailed(String message, Throwable cause) {
            super(message, cause);
        }
    }

    /** The last download of the layer failed a short time ago, so a read does not begin another yet. */
    public static final class BackingOff extends StoreFailure {
        private final Duration timeLeft;

        BackingOff(String message, Throwable cause, Duration timeLeft) {
            super(message, cause);
            this.timeLeft = timeLeft;
        }

        /** After so long a read begins a download again. */
        public Duration timeLeft() {
            return timeLeft;
        }
    }

    /** The index names the layer and the object store lacks it. */
    public static final class MissingInStore extends StoreFailure {
        MissingInStore(String message, Throwable cause) {
            super(message, cause);
        }
    }

    /** There is no room for the layer, after eviction was asked to make some. */
    public static final class NoSpace extends StoreFailure {
        NoSpace(String message) {
            super(message);
        }

        NoSpace(String message, Throwable cause) {
            super(message, cause);
        }
    }

    /** The read's time was over before the layer was here; its download goes on. */
    public static final class TimedOut extends StoreFailure {
        TimedOut(String message) {
            super(message);
        }
    }

    /** The timeline is being detached, or the store closed. Not an error. */
    public static final class ShuttingDown extends StoreFailure {
        ShuttingDown(String message) {
            super(message);
        }
    }

    /** The layer's local file is not what it must be, and was not after it was fetched anew either. */
    public static final class LocalFileUnusable extends StoreFailure {
        private final Optional<LocalDefect> defect;

        LocalFileUnusable(String message, Throwable cause) {
            super(message, cause);
            defect = Optional.empty();
        }

        LocalFileUnusable(String message, LocalDefect defect, Throwable cause) {
            super(message, cause);
            this.defect = Optional.of(defect);
        }

        /** What is wrong with the file; empty where it could not be used for a reason outside of it. */
        public Optional<LocalDefect> defect() {
            return defect;
        }
    }

    /** The local disk can no longer be trusted; the handler of fatal failures has been told. */
    public static final class FatalLocal extends StoreFailure {
        FatalLocal(String message, Throwable cause) {
            super(message, cause);
        }
    }

    /** More reads wait for one layer than may. */
    public static final class TooManyWaiting extends StoreFailure {
        TooManyWaiting(String message) {
            super(message);
        }
    }
}
