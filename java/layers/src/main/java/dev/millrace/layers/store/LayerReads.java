// SPDX-License-Identifier: Apache-2.0
package dev.millrace.layers.store;

import dev.millrace.layers.AccessKind;
import dev.millrace.layers.LayerKey;
import dev.millrace.layers.LayerName;
import dev.millrace.layers.Lsn;
import dev.millrace.layers.ReadContext;
import dev.millrace.layers.format.CorruptLayerException;
import dev.millrace.layers.format.EntryCursor;
import dev.millrace.layers.format.LayerDump;
import dev.millrace.layers.format.LayerReader;
import dev.millrace.layers.format.LayerSource;
import dev.millrace.layers.format.Reconstruct;
import dev.millrace.layers.format.Reconstructed;
import dev.millrace.layers.format.RecordCursor;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;

/**
 * Reads of values and of whole layers. Each goes through {@link Layer#load}; a layer whose local bytes are damaged is
 * fetched anew, once, and the read begins again.
 *
 * <p>All methods block a platform thread and park a virtual one. Thread-safe.
 */
public final class LayerReads {
    private final Timeline timeline;
    private final StoreParts parts;

    LayerReads(Timeline timeline, StoreParts parts) {
        this.timeline = timeline;
        this.parts = parts;
    }

    /**
     * A value that is wanted.
     *
     * @param key its key
     * @param lsn the newest version that may be seen
     */
    public record Wanted(LayerKey key, Lsn lsn) {}

    /** What a key's value at a version is made of; throws as {@link Reconstruct.Result#get}, which may be a {@link StoreFailure}. */
    public Reconstructed get(LayerKey key, Lsn lsn, ReadContext context) throws IOException {
        return get(List.of(new Wanted(key, lsn)), context).get(0).get();
    }

    /** Several values, in the order of the wishes, read together; one that fails fails no other. */
    public List<Reconstruct.Result> get(List<Wanted> wanted, ReadContext context) {
        Deadline deadline = new Deadline(context);
        List<Integer> damaged = new ArrayList<>();
        List<Reconstruct.Result> results = new ArrayList<>(tryGet(wanted, deadline, damaged, false));
        if (!damaged.isEmpty()) {
            List<Reconstruct.Result> again =
                    tryGet(damaged.stream().map(wanted::get).toList(), deadline, new ArrayList<>(), true);
            for (int i = 0; i < damaged.size(); i++) {
                results.set(damaged.get(i), again.get(i));
            }
        }
        return results;
    }

    /** Adds to {@code damaged} the places of those that failed for a layer's damaged bytes; {@code again}: once more. */
    private List<Reconstruct.Result> tryGet(
            List<Wanted> wanted, Deadline deadline, List<Integer> damaged, boolean again) {
        List<CompletableFuture<LoadedLayer>> loads = new ArrayList<>();
        try {
            List<Reconstruct.Request> requests = new ArrayList<>();
            for (Wanted one : wanted) {
                List<LayerSource> layers = new ArrayList<>();
                Iterator<Layer> found = timeline.search(one.key(), one.lsn());
                while (found.hasNext()) {
                    layers.add(new Source(found.next(), deadline, loads));
                }
                requests.add(new Reconstruct.Request(one.key(), one.lsn(), layers));
            }
            List<Reconstruct.Result> results = Reconstruct.get(requests);
            for (int i = 0; i < results.size(); i++) {
                Optional<CorruptLayerException> damage = damage(results.get(i));
                if (damage.isPresent()) {
                    reportRotten(damage.get(), loads, again);
                    damaged.add(i);
                }
            }
            return results;
        } finally {
            loads.forEach(LayerReads::letGo);
        }
    }

    /** Lets go of what was loaded, or will be: whoever waits for a load may have been interrupted before it was over. */
    private static void letGo(CompletableFuture<LoadedLayer> load) {
        load.cancel(false);
        load.thenAccept(LoadedLayer::close);
    }

    private static Optional<CorruptLayerException> damage(Reconstruct.Result result) {
        try {
            result.get();
            return Optional.empty();
        } catch (CorruptLayerException e) {
            return Optional.of(e);
        } catch (IOException otherwiseFailed) {
            return Optional.empty();
        }
    }

    private static void reportRotten(
            CorruptLayerException cause, List<CompletableFuture<LoadedLayer>> loads, boolean again) {
        for (CompletableFuture<LoadedLayer> load : loads) {
            if (load.isDone() && !load.isCompletedExceptionally()) {
                LoadedLayer layer = load.join();
                if (layer.reader().path().equals(cause.path())) {
                    layer.reportRotten(cause, again);
                }
            }
        }
    }

    /** How long a read still has. */
    private final class Deadline {
        private final ReadContext context;
        private final long begun = parts.timing().nanoTime();

        Deadline(ReadContext context) {
            this.context = context;
        }

        /** The context for a load that begins now. */
        ReadContext left() {
            if (context.timeout().isEmpty()) {
                return context;
            }
            Duration gone = Duration.ofNanos(parts.timing().nanoTime() - begun);
            Duration left = context.timeout().get().minus(gone);
            return context.withTimeout(left.isNegative() ? Duration.ZERO : left);
        }
    }

    /** A layer that is loaded where it is needed. Used by the reading thread alone. */
    private final class Source implements LayerSource {
        private final Layer layer;
        private final Deadline deadline;
        private final List<CompletableFuture<LoadedLayer>> loads;

        Source(Layer layer, Deadline deadline, List<CompletableFuture<LoadedLayer>> loads) {
            this.layer = layer;
            this.deadline = deadline;
            this.loads = loads;
        }

        @Override
        public LayerName name() {
            return layer.name();
        }

        @Override
        public LayerReader open() throws IOException {
            return begin().await();
        }

        @Override
        public Opening begin() {
            CompletableFuture<LoadedLayer> load = layer.load(AccessKind.GET_VALUE_RECONSTRUCT_DATA, deadline.left());
            loads.add(load);
            return () -> Waits.forIo(load, parts.meanwhile()).reader();
        }
    }

    // ------------------------------------------------------------------ whole layers

    /** What is done with an open cursor or reader. */
    public interface Use<T, R> {
        /** Does it; what it was given is of no use afterwards. */
        R with(T of) throws IOException;
    }

    /**
     * Goes through all entries of a layer with their values. Where its bytes are damaged the layer is dropped, so that the next
     * read has it fetched anew, and the call fails: what was seen already cannot be unseen.
     *
     * @throws IOException what {@code use} throws; a {@link StoreFailure} where the layer cannot be had
     */
    public <R> R iter(LayerName name, ReadContext context, Use<RecordCursor, R> use) throws IOException {
        return read(name, AccessKind.ITER, context, reader -> {
            try (RecordCursor records = reader.records()) {
                return use.with(records);
            }
        });
    }

    /** Goes through all entries of a layer without their values; as {@link #iter}. */
    public <R> R keyIter(LayerName name, ReadContext context, Use<EntryCursor, R> use) throws IOException {
        return read(name, AccessKind.KEY_ITER, context, reader -> {
            try (EntryCursor entries = reader.entries()) {
                return use.with(entries);
            }
        });
    }

    /** Writes all entries of a layer as text; as {@link #iter}. */
    public void dump(LayerName name, ReadContext context, Appendable out) throws IOException {
        read(name, AccessKind.DUMP, context, reader -> {
            LayerDump.write(reader, out);
            return out;
        });
    }

    private <R> R read(LayerName name, AccessKind kind, ReadContext context, Use<LayerReader, R> use)
            throws IOException {
        CompletableFuture<LoadedLayer> load = timeline.requireLayer(name).load(kind, context);
        try {
            LoadedLayer loaded = Waits.forIo(load, parts.meanwhile());
            try {
                return use.with(loaded.reader());
            } catch (CorruptLayerException e) {
                loaded.reportRotten(e);
                throw e;
            }
        } finally {
            letGo(load);
        }
    }
}
