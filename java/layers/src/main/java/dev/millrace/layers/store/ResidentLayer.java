// SPDX-License-Identifier: Apache-2.0
package dev.millrace.layers.store;

import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * A layer that stays on local disk until this is closed. Thread-safe; closing twice makes no difference. Whoever forgets to
 * close one keeps its layer from ever being evicted.
 */
public final class ResidentLayer implements AutoCloseable {
    private final Layer layer;
    private final Residence residence;
    private final AtomicBoolean closed = new AtomicBoolean();

    ResidentLayer(Layer layer, Residence residence) {
        this.layer = layer;
        this.residence = residence;
    }

    /** Which layer. */
    public Layer layer() {
        return layer;
    }

    /** Its file, which is not to be written to. */
    public Path path() {
        return residence.path;
    }

    /** Bytes of it. */
    public long size() {
        return residence.file.size();
    }

    Residence residence() {
        return residence;
    }

    /** Lets go. The last one to do so lets an eviction that waits go on. Does not block. */
    @Override
    public void close() {
        if (closed.compareAndSet(false, true)) {
            layer.release(residence);
        }
    }
}
