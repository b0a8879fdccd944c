// SPDX-License-Identifier: Apache-2.0
package dev.millrace.layers.store;

import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;

/**
 * One time that a layer is on local disk, from a download, or from where it was found, to its removal. Guarded by its
 * layer's lock.
 */
final class Residence {
    /** The wish to end it. */
    static final class Eviction {
        final DiskBudget.Removal room;
        final CompletableFuture<EvictionOutcome> done = new CompletableFuture<>();

        Eviction(DiskBudget.Removal room) {
            this.room = room;
        }
    }

    final LayerFile file;
    final Path path;
    int pins;
    Optional<Eviction> eviction = Optional.empty();
    Optional<CompletableFuture<OpenFile>> opened = Optional.empty();
    /** It is the layer's no longer, and its readers' until they let go. */
    boolean over;

    Residence(LayerFile file, Path path) {
        this.file = file;
        this.path = path;
    }
}
