// SPDX-License-Identifier: Apache-2.0
package dev.millrace.layers.store;

import dev.millrace.layers.LayerName;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;

/** Layers that were asked to go together, and what became of them. Thread-safe. */
public final class EvictionRun {
    /**
     * A layer that went.
     *
     * @param place its timeline
     * @param layer its name
     * @param bytes that it gave back
     */
    public record Evicted(RemoteStore.TimelinePlace place, LayerName layer, long bytes) {}

    private final long askedBytes;
    private final List<Evicted> gone = new ArrayList<>();
    private final CompletableFuture<Void> done;

    /** Takes the layers' evictions as they end. */
    EvictionRun(List<Layer> asked, List<CompletableFuture<EvictionOutcome>> evictions) {
        long bytes = 0;
        for (int i = 0; i < asked.size(); i++) {
            Layer layer = asked.get(i);
            long size = layer.size();
            bytes += size;
            evictions.get(i).thenAccept(outcome -> {
                if (outcome == EvictionOutcome.EVICTED) {
                    add(new Evicted(layer.place(), layer.name(), size));
                }
            });
        }
        askedBytes = bytes;
        done = CompletableFuture.allOf(evictions.toArray(CompletableFuture[]::new));
    }

    private synchronized void add(Evicted layer) {
        gone.add(layer);
    }

    /** Bytes of the layers that were asked. */
    public long askedBytes() {
        return askedBytes;
    }

    /** Bytes freed up to now. */
    public synchronized long freedBytes() {
        return gone.stream().mapToLong(Evicted::bytes).sum();
    }

    /** What went up to now, in the order in which it did. */
    public synchronized List<Evicted> evicted() {
        return List.copyOf(gone);
    }

    /** Done when each of the layers is gone or stays. Those in use are waited for by nobody but this. */
    public CompletableFuture<Void> done() {
        return done.copy();
    }
}
