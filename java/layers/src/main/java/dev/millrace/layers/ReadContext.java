// SPDX-License-Identifier: Apache-2.0
package dev.millrace.layers;

import java.time.Duration;
import java.util.Optional;

/**
 * What every read carries.
 *
 * @param taskKind who reads
 * @param onEvicted what happens where a layer is not resident
 * @param timeout how long the read may take in all; empty: as long as it takes
 * @param counted whether it is an access in the layer's statistics
 */
public record ReadContext(TaskKind taskKind, OnEvicted onEvicted, Optional<Duration> timeout, boolean counted) {
    /** What happens where a read needs a layer that is not resident. */
    public enum OnEvicted {
        /** It is downloaded. */
        DOWNLOAD,
        /** It is downloaded, and counted and logged as unexpected. */
        WARN,
        /** The read fails, typed, and nothing is fetched. */
        DENY
    }

    /** Downloads what it needs, takes as long as it takes, is counted. */
    public static ReadContext of(TaskKind taskKind) {
        return new ReadContext(taskKind, OnEvicted.DOWNLOAD, Optional.empty(), true);
    }

    /** The same with another way with layers that are not resident. */
    public ReadContext withOnEvicted(OnEvicted way) {
        return new ReadContext(taskKind, way, timeout, counted);
    }

    /** The same with a limit of time. */
    public ReadContext withTimeout(Duration limit) {
        return new ReadContext(taskKind, onEvicted, Optional.of(limit), counted);
    }

    /** The same, leaving no trace in statistics. */
    public ReadContext uncounted() {
        return new ReadContext(taskKind, onEvicted, timeout, false);
    }
}
