// SPDX-License-Identifier: Apache-2.0
package dev.millrace.layers.format;

import dev.millrace.layers.LayerName;
import java.io.IOException;

/** A layer that may be needed, and is opened, which may mean downloaded, only where it is. */
public interface LayerSource {
    /** Which layer. */
    LayerName name();

    /**
     * Opens it; called at most once for a value. Whoever made the source closes what it has opened, after the value is
     * there.
     */
    LayerReader open() throws IOException;

    /** A layer that is on its way to be open. */
    interface Opening {
        /** Waits for it; called at most once, and throws as {@link LayerSource#open} does. */
        LayerReader await() throws IOException;
    }

    /**
     * Begins to open it, in place of {@link #open}, so that others can begin before it is open. One that has no way to do so
     * opens when it is waited for.
     */
    default Opening begin() {
        return this::open;
    }

    /** A layer that is open. */
    static LayerSource of(LayerReader reader) {
        return new LayerSource() {
            @Override
            public LayerName name() {
                return reader.summary().name();
            }

            @Override
            public LayerReader open() {
                return reader;
            }
        };
    }
}
