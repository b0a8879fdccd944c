// SPDX-License-Identifier: Apache-2.0
package dev.millrace.layers.store;

import dev.millrace.io.OperationFailedException;
import dev.millrace.io.engine.Errno;
import dev.millrace.layers.LayerFileName;
import dev.millrace.layers.LayerKey;
import dev.millrace.layers.LayerName;
import dev.millrace.layers.Lsn;
import dev.millrace.layers.map.LayerMap;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.ReentrantLock;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The layers of a timeline that is attached: those that its index names, and new ones that are not uploaded yet.
 *
 * <p>Thread-safe. Readers of the layers never wait for those who add or remove some.
 */
public final class Timeline {
    private static final Logger LOG = LoggerFactory.getLogger(Timeline.class);

    private final StoreParts parts;
    private final RemoteStore.TimelinePlace place;
    private final Path folder;
    private final Home home = new Home();
    private final LayerMap<Layer> layers = new LayerMap<>();

    /** Held while the index is read or written: as long as the store takes for it. */
    private final ReentrantLock indexLock = new ReentrantLock();
    /** Ends what holds the lock above for long, when the timeline is detached. */
    private final StopSignal indexStop = new StopSignal();

    /** Held while layers come or go, never while the store is waited for; taken after the one above. */
    private final ReentrantLock changeLock = new ReentrantLock();

    /** As it was read or written last. Changed with both locks held, read with either, as is the one below. */
    private IndexPart index = IndexPart.EMPTY;
    /** Of the index of this generation, where there is one. */
    private Optional<String> etag = Optional.empty();

    /** Layers that have left the index and are not quiet yet; a new one of the same name waits for that. */
    private final Map<LayerName, CompletableFuture<Void>> leaving = new ConcurrentHashMap<>();

    /** How many reads of the index have begun. */
    private final AtomicLong indexReads = new AtomicLong();

    private final ReentrantLock bulkLock = new ReentrantLock();
    private Optional<BulkLayerDownload> bulk = Optional.empty();

    private volatile boolean detached;

    private final class Home implements LayerHome {
        @Override
        public RemoteStore.TimelinePlace place() {
            return place;
        }

        @Override
        public Path folder() {
            return folder;
        }

        @Override
        public void refresh() throws StoreFailure {
            long before = indexReads.get();
            indexLock.lock();
            try {
                // One that began after this was asked for says the same.
                if (indexReads.get() == before) {
                    reload();
                }
            } finally {
                indexLock.unlock();
            }
        }
    }

    private final LayerReads reads;

    private Timeline(StoreParts parts, RemoteStore.TimelinePlace place, Path folder) {
        this.parts = parts;
        this.place = place;
        this.folder = folder;
        reads = new LayerReads(this, parts);
    }

    /** Reconciles the folder with an index that was just read. Blocks on the local disk. */
    static Timeline attach(
            StoreParts parts, RemoteStore.TimelinePlace place, Path dataFolder, RemoteStore.FoundIndex found)
            throws StoreFailure {
        Timeline timeline = new Timeline(parts, place, dataFolder.resolve(place.path()));
        Set<LayerName> resident;
        try {
            resident = Reconciliation.run(parts.engine(), timeline.folder, found.index());
        } catch (IOException e) {
            throw parts.localFailure("the folder of " + place + " cannot be put in order", e);
        }
        timeline.remember(found);
        Map<LayerName, Layer> all = new HashMap<>();
        found.index()
                .layers()
                .forEach((name, file) -> all.put(
                        name,
                        Layer.of(
                                parts,
                                timeline.home,
                                name,
                                file,
                                resident.contains(name) ? Layer.Start.FOUND_RESIDENT : Layer.Start.FOUND_REMOTE)));
        timeline.layers.update(List.of(), all);
        LOG.info(
                "{} is attached: {} layers, {} of them resident, by the index of generation {}",
                place,
                timeline.layers.size(),
                resident.size(),
                found.generation());
        return timeline;
    }

    private void remember(RemoteStore.FoundIndex found) {
        index = found.index();
        etag = found.generation().equals(parts.config().generation()) ? found.etag() : Optional.empty();
    }

    // ------------------------------------------------------------------ what it has

    /** Its tenant and its own id. */
    public RemoteStore.TimelinePlace place() {
        return place;
    }

    /** Its images and deltas, as they are now, in an order that depends on their names only. Bounded memory. */
    public Iterator<Layer> historicLayers() {
        return layers.historic();
    }

    /** Its blobs by name; those that come or go meanwhile may be told or not. Bounded memory. */
    public Iterator<Layer> blobLayers() {
        return layers.blobs();
    }

    /** All its layers, the blobs last. */
    public List<Layer> layers() {
        List<Layer> all = new ArrayList<>(layers.size());
        layers.historic().forEachRemaining(all::add);
        layers.blobs().forEachRemaining(all::add);
        return all;
    }

    /** A layer; empty where there is none of that name. */
    public Optional<Layer> layer(LayerName name) {
        return layers.find(name);
    }

    /**
     * The layers that can hold the newest value of a key at or below a version, newest first; as {@link LayerMap#search}.
     */
    public Iterator<Layer> search(LayerKey key, Lsn lsn) {
        return layers.search(key, lsn);
    }

    /** A layer that must be there. */
    public Layer requireLayer(LayerName name) throws StoreFailure.NotFound {
        return layer(name).orElseThrow(() -> new StoreFailure.NotFound("there is no layer " + name + " in " + place));
    }

    /** Up to which version all is in layers, as the index says. */
    public Lsn diskConsistentLsn() {
        changeLock.lock();
        try {
            return index.diskConsistentLsn();
        } finally {
            changeLock.unlock();
        }
    }

    /** Bytes of its layers on local disk. */
    public long residentBytes() {
        return layers().stream()
                .filter(layer -> !layer.isRemote())
                .mapToLong(Layer::size)
                .sum();
    }

    /** Reads of its values and of whole layers. */
    public LayerReads reads() {
        return reads;
    }

    // ------------------------------------------------------------------ the index moves on

    /**
     * Reads the newest index again: layers that are new in it become known, those of another file are fetched anew when they
     * are read, those that left it go. Layers of here that are not uploaded stay. Blocks.
     *
     * @throws StoreFailure where it cannot be read; nothing has changed then
     */
    public void reload() throws StoreFailure {
        indexLock.lock();
        try {
            checkAttached();
            indexReads.incrementAndGet();
            become(parts.remote().readIndex(place, parts.config().generation(), indexStop));
        } finally {
            indexLock.unlock();
        }
    }

    private void become(RemoteStore.FoundIndex found) throws StoreFailure {
        changeLock.lock();
        try {
            // What comes after a detach would be nobody's to close.
            checkAttached();
            remember(found);
            Map<LayerName, LayerFile> named = found.index().layers();
            Map<LayerName, Layer> added = new HashMap<>();
            named.forEach((name, file) -> {
                Optional<Layer> known = layers.find(name);
                if (known.isPresent()) {
                    known.get().state().replaced(file);
                } else {
                    Optional<CompletableFuture<Void>> before = Optional.ofNullable(leaving.get(name));
                    added.put(name, Layer.of(parts, home, name, file, Layer.Start.FOUND_REMOTE, before));
                }
            });
            List<Layer> gone = layers().stream()
                    .filter(layer -> !named.containsKey(layer.name()) && layer.isUploaded())
                    .toList();
            layers.update(gone.stream().map(Layer::name).toList(), added);
            gone.forEach(this::leave);
            if (!added.isEmpty() || !gone.isEmpty()) {
                LOG.info(
                        "The index of {} was read again: {} layers are new, {} are gone",
                        place,
                        added.size(),
                        gone.size());
            }
        } finally {
            changeLock.unlock();
        }
    }

    private void leave(Layer layer) {
        CompletableFuture<Void> quiet =
                layer.state().close(new StoreFailure.NotFound(layer + " is in the index no longer"), true);
        leaving.put(layer.name(), quiet);
        quiet.whenComplete((done, problem) -> leaving.remove(layer.name(), quiet));
    }

    private void checkAttached() throws StoreFailure {
        if (detached) {
            throw shuttingDown();
        }
    }

    private StoreFailure.ShuttingDown shuttingDown() {
        return new StoreFailure.ShuttingDown(place + " is being detached");
    }

    // ------------------------------------------------------------------ new layers

    /**
     * Makes a file a layer: it gets its final name, which no file may have, and is then known here, resident, and not evicted
     * before it is uploaded. Blocks.
     *
     * @param finished a whole, synced file in {@link #folder}, which has no other use any more; its final name already, where
     *     a layer's writer has given it that
     * @param checksum of it, as {@link LayerFile#checksum}
     * @throws StoreFailure.WrongState where there is a layer of that name
     */
    public Layer publish(LayerName name, Path finished, Optional<String> checksum) throws StoreFailure {
        changeLock.lock();
        try {
            checkAttached();
            if (layers.find(name).isPresent()) {
                throw new StoreFailure.WrongState("there is a layer " + name + " in " + place + " already");
            }
            if (leaving.containsKey(name)) {
                throw new StoreFailure.WrongState(
                        "the layer " + name + " of " + place + " that was there before is not gone yet; try again");
            }
            LayerFile file = new LayerFile(
                    Files.size(finished), Optional.of(parts.config().generation()), checksum);
            Path target = folder.resolve(file.nameOf(name).toString());
            if (!finished.equals(target)) {
                parts.engine().rename(finished, target, true);
                parts.engine().syncDirectory(folder);
            }
            Layer layer = Layer.of(parts, home, name, file, Layer.Start.CREATED);
            layers.insert(name, layer);
            return layer;
        } catch (OperationFailedException e) {
            if (e.errno() == Errno.EEXIST) {
                throw new StoreFailure.WrongState(
                        "a file of the name of layer " + name + " lies in " + folder + " already");
            }
            throw parts.localFailure("layer " + name + " of " + place + " cannot be published", e);
        } catch (StoreFailure e) {
            throw e;
        } catch (IOException e) {
            throw parts.localFailure("layer " + name + " of " + place + " cannot be published", e);
        } finally {
            changeLock.unlock();
        }
    }

    /** Where its layers' files lie, and files that are to become some are made. */
    public Path folder() {
        return folder;
    }

    /**
     * Uploads all layers that are nowhere but here, several at once, and then an index that names them, too. Blocks.
     *
     * @param lsn up to which all is in layers now
     * @throws StoreFailure where a layer or the index could not be put; what was uploaded is named by no index then, and is
     *     uploaded again by the next call
     */
    public void upload(Lsn lsn) throws StoreFailure {
        indexLock.lock();
        try {
            checkAttached();
            List<Layer> fresh =
                    layers().stream().filter(layer -> !layer.isUploaded()).toList();
            List<CompletableFuture<Void>> puts = new ArrayList<>();
            Map<LayerName, LayerFile> named = new LinkedHashMap<>();
            for (Layer layer : fresh) {
                LayerFile file = layer.file();
                LayerFileName name = file.nameOf(layer.name());
                puts.add(parts.remote().putLayer(place, name, layer.pathOf(file)));
                named.put(layer.name(), file);
            }
            CompletableFuture<Void> all = CompletableFuture.allOf(puts.toArray(CompletableFuture[]::new));
            indexStop.by(() -> {
                puts.forEach(put -> put.cancel(false));
                all.cancel(false);
            });
            // At once: a copy of the index for each would be one of all its layers.
            IndexPart next = index.with(named).withDiskConsistentLsn(lsn);
            try {
                Waits.forIo(all, parts.meanwhile());
            } catch (StoreFailure.ShuttingDown e) {
                throw e;
            } catch (IOException e) {
                throw new StoreFailure.RemoteFailed("a layer of " + place + " was not uploaded: " + e.getMessage(), e);
            }
            Optional<String> put = parts.remote().putIndex(place, parts.config().generation(), next, etag, indexStop);
            changeLock.lock();
            try {
                etag = put;
                index = next;
            } finally {
                changeLock.unlock();
            }
            fresh.forEach(layer -> layer.state().uploaded());
        } finally {
            indexLock.unlock();
        }
    }

    // ------------------------------------------------------------------ all layers

    /**
     * Begins to download all layers.
     *
     * @param window at once, at least 1
     * @throws StoreFailure.WrongState where one runs already
     */
    public BulkLayerDownload downloadAll(int window) throws StoreFailure {
        if (window < 1) {
            throw new IllegalArgumentException("at least 1 layer must be downloaded at once, and not " + window);
        }
        BulkLayerDownload fresh;
        bulkLock.lock();
        try {
            checkAttached();
            if (bulk.isPresent() && bulk.get().status().state() == BulkDownloadStatus.State.RUNNING) {
                throw new StoreFailure.WrongState("all layers of " + place + " are being downloaded already, by task "
                        + bulk.get().status().taskId());
            }
            fresh = new BulkLayerDownload(place, layers(), window);
            bulk = Optional.of(fresh);
        } finally {
            bulkLock.unlock();
        }
        fresh.start();
        return fresh;
    }

    /** The download of all layers that was begun last; empty where none was since the timeline was attached. */
    public Optional<BulkLayerDownload> lastBulkDownload() {
        bulkLock.lock();
        try {
            return bulk;
        } finally {
            bulkLock.unlock();
        }
    }

    // ------------------------------------------------------------------ the end

    /**
     * Ends all that goes on. Who waits hears "shutting down"; readers keep what they have.
     *
     * @param deleteFiles the local files of uploaded layers go
     * @return done when nothing is under way
     */
    CompletableFuture<Void> detach(boolean deleteFiles) {
        List<CompletableFuture<Void>> ends = new ArrayList<>();
        List<Layer> all;
        changeLock.lock();
        try {
            detached = true;
            all = layers();
            ends.addAll(leaving.values());
        } finally {
            changeLock.unlock();
        }
        lastBulkDownload().ifPresent(BulkLayerDownload::shutDown);
        for (Layer layer : all) {
            ends.add(layer.state().close(shuttingDown(), deleteFiles && layer.isUploaded()));
        }
        indexStop.stop(shuttingDown());
        return CompletableFuture.allOf(ends.toArray(CompletableFuture[]::new));
    }
}
