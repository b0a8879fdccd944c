// SPDX-License-Identifier: Apache-2.0
package dev.millrace.layers.json;

import dev.millrace.layers.Lsn;
import dev.millrace.layers.LsnRange;

/** A layer that is being written and is no file yet. */
public sealed interface InMemoryLayerInfo {
    /**
     * One that takes changes.
     *
     * @param lsnStart from which version on
     */
    record Open(Lsn lsnStart) implements InMemoryLayerInfo {}

    /**
     * One that takes no more.
     *
     * @param lsns of which versions
     */
    record Frozen(LsnRange lsns) implements InMemoryLayerInfo {}
}
