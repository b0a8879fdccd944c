// SPDX-License-Identifier: Apache-2.0
package dev.millrace.layers.store;

import dev.millrace.layers.Generation;
import dev.millrace.layers.LayerFileName;
import dev.millrace.layers.TenantId;
import dev.millrace.layers.TimelineId;
import dev.millrace.transfer.DownloadFailure;
import dev.millrace.transfer.DownloadRequest;
import dev.millrace.transfer.DownloadResult;
import dev.millrace.transfer.Downloader;
import dev.millrace.transfer.ListPage;
import dev.millrace.transfer.ListedObject;
import dev.millrace.transfer.ObjectId;
import dev.millrace.transfer.ObjectSource;
import dev.millrace.transfer.PutRequest;
import dev.millrace.transfer.RunningDownload;
import dev.millrace.transfer.SourceFailure;
import dev.millrace.transfer.Uploader;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Optional;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;

/**
 * Layers and indexes in an object store: {@code <prefix>tenants/<tenant>/timelines/<timeline>/}, in which lie
 * {@code index_part.json-<generation>} and the layers' files, each named with its own generation.
 *
 * <p>Thread-safe. Methods block until the store has answered, except where they return a future.
 */
public final class RemoteStore {
    /** The most bytes of an index that are read: 128 MiB, some 600 000 layers. */
    public static final int MAX_INDEX_BYTES = 128 << 20;

    private static final int MAX_TIMELINES = 1_000_000;
    private static final int MAX_PAGES = 100_000;

    private final ObjectSource source;
    private final Downloader downloader;
    private final Optional<Uploader> uploader;
    private final String bucket;
    private final String prefix;
    private final Waits.Meanwhile meanwhile;

    /**
     * A store within a bucket.
     *
     * @param uploader empty where nothing is to be written
     * @param prefix of all keys: empty, or ending in a slash
     */
    public RemoteStore(
            ObjectSource source, Downloader downloader, Optional<Uploader> uploader, String bucket, String prefix) {
        this(source, downloader, uploader, bucket, prefix, Waits.Meanwhile.NOTHING);
    }

    RemoteStore(
            ObjectSource source,
            Downloader downloader,
            Optional<Uploader> uploader,
            String bucket,
            String prefix,
            Waits.Meanwhile meanwhile) {
        checkPrefix(prefix);
        this.source = source;
        this.downloader = downloader;
        this.uploader = uploader;
        this.bucket = bucket;
        this.prefix = prefix;
        this.meanwhile = meanwhile;
    }

    static void checkPrefix(String prefix) {
        if (!prefix.isEmpty() && !prefix.endsWith("/")) {
            throw new IllegalArgumentException("the prefix '" + prefix + "' must end in a slash, or be empty");
        }
    }

    /** A timeline's place. */
    public record TimelinePlace(TenantId tenant, TimelineId timeline) implements Comparable<TimelinePlace> {
        /** Where its files lie, locally below the data folder and remotely below the prefix; ends in a slash. */
        public String path() {
            return "tenants/" + tenant + "/timelines/" + timeline + "/";
        }

        @Override
        public int compareTo(TimelinePlace other) {
            int order = tenant.compareTo(other.tenant);
            return order == 0 ? timeline.compareTo(other.timeline) : order;
        }

        @Override
        public String toString() {
            return tenant + "/" + timeline;
        }
    }

    /**
     * An index that was found.
     *
     * @param index what it says
     * @param generation whose it is
     * @param etag of the object, quotes included, where the store gave one
     */
    public record FoundIndex(IndexPart index, Generation generation, Optional<String> etag) {}

    // ------------------------------------------------------------------ names

    /** The object of a layer. */
    public ObjectId layer(TimelinePlace place, LayerFileName file) {
        return new ObjectId(bucket, prefix + place.path() + file);
    }

    /** The object of an index. */
    public ObjectId index(TimelinePlace place, Generation generation) {
        return new ObjectId(bucket, prefix + place.path() + IndexPart.fileName(generation));
    }

    // ------------------------------------------------------------------ reading

    /**
     * The newest index at or below a generation: its own, else the previous one's, and only then by listing. Newer ones
     * are another reign's and are ignored.
     *
     * @throws StoreFailure.NoIndex where there is none
     * @throws StoreFailure.IndexUnreadable where the one there is makes no sense; an older one is not taken in its place,
     *     since that would lose layers
     * @throws StoreFailure.RemoteFailed where the store fails
     */
    public FoundIndex readIndex(TimelinePlace place, Generation generation) throws StoreFailure {
        return readIndex(place, generation, new StopSignal());
    }

    /** The same, and fails with {@link StoreFailure.ShuttingDown} soon after it was asked to stop. */
    FoundIndex readIndex(TimelinePlace place, Generation generation, StopSignal stop) throws StoreFailure {
        Optional<FoundIndex> own = tryIndex(place, generation, stop);
        if (own.isPresent()) {
            return own.get();
        }
        if (!generation.previous().equals(generation)) {
            Optional<FoundIndex> previous = tryIndex(place, generation.previous(), stop);
            if (previous.isPresent()) {
                return previous.get();
            }
        }
        Optional<Generation> listed = newestListed(place, generation);
        if (listed.isPresent()) {
            Optional<FoundIndex> found = tryIndex(place, listed.get(), stop);
            if (found.isPresent()) {
                return found.get();
            }
        }
        throw new StoreFailure.NoIndex("the timeline " + place + " has no index at or below generation " + generation
                + " in " + source.name() + ", bucket " + bucket + (prefix.isEmpty() ? "" : ", below " + prefix));
    }

    private Optional<FoundIndex> tryIndex(TimelinePlace place, Generation generation, StopSignal stop)
            throws StoreFailure {
        ObjectId object = index(place, generation);
        BoundedBytes bytes = new BoundedBytes(MAX_INDEX_BYTES);
        CompletableFuture<DownloadResult> stream = downloader.stream(
                DownloadRequest.of(object, Path.of("")).withIndex(true).withOnDemand(true), bytes);
        stop.by(() -> stream.cancel(false));
        try {
            DownloadResult result = Waits.forIo(stream, meanwhile);
            byte[] document = bytes.toByteArray();
            return Optional.of(
                    new FoundIndex(IndexPartJson.parse(document, object.toString()), generation, result.etag()));
        } catch (DownloadFailure.ObjectMissing e) {
            if (isWithoutBucket(e)) {
                throw new StoreFailure.RemoteFailed(e.getMessage(), e);
            }
            return Optional.empty();
        } catch (DownloadFailure.Cancelled e) {
            throw new StoreFailure.ShuttingDown("the index " + object + " is not read: " + e.getMessage());
        } catch (StoreFailure e) {
            throw e;
        } catch (IOException e) {
            if (bytes.isOverfull()) {
                throw new StoreFailure.IndexUnreadable(
                        object + " is no index of layers: it has more than " + MAX_INDEX_BYTES + " bytes", e);
            }
            throw new StoreFailure.RemoteFailed("the index " + object + " cannot be read: " + e.getMessage(), e);
        }
    }

    private static boolean isWithoutBucket(Throwable failure) {
        for (Throwable at = failure; at != null; at = at.getCause()) {
            if (at instanceof SourceFailure source && source.code().equals("NoSuchBucket")) {
                return true;
            }
        }
        return false;
    }

    private Optional<Generation> newestListed(TimelinePlace place, Generation most) throws StoreFailure {
        String folder = prefix + place.path();
        Generation[] newest = new Generation[1];
        list(
                folder + IndexPart.prefix(),
                object -> IndexPart.generationOf(object.key().substring(folder.length()))
                        .filter(found -> found.compareTo(most) <= 0)
                        .filter(found -> newest[0] == null || found.compareTo(newest[0]) > 0)
                        .ifPresent(found -> newest[0] = found));
        return Optional.ofNullable(newest[0]);
    }

    /** The timelines that have an index of any generation. Lists the whole store. */
    public SortedSet<TimelinePlace> timelines() throws StoreFailure {
        SortedSet<TimelinePlace> found = new TreeSet<>();
        String begin = prefix + "tenants/";
        list(begin, object -> {
            String[] parts = object.key().substring(begin.length()).split("/", -1);
            if (parts.length == 4
                    && parts[1].equals("timelines")
                    && IndexPart.generationOf(parts[3]).isPresent()
                    && found.size() < MAX_TIMELINES) {
                try {
                    found.add(new TimelinePlace(new TenantId(parts[0]), new TimelineId(parts[2])));
                } catch (IllegalArgumentException noTimeline) {
                    // somebody else's object
                    return;
                }
            }
        });
        return found;
    }

    private interface Hearer {
        void hear(ListedObject object);
    }

    private void list(String begin, Hearer hearer) throws StoreFailure {
        Optional<String> token = Optional.empty();
        for (int pages = 0; pages < MAX_PAGES; pages++) {
            ListPage page;
            try {
                page = source.list(bucket, begin, token);
            } catch (SourceFailure e) {
                throw new StoreFailure.RemoteFailed(
                        "what lies below " + begin + " in bucket " + bucket + " cannot be listed: " + e.getMessage(),
                        e);
            }
            page.objects().stream()
                    .filter(object -> object.key().startsWith(begin))
                    .forEach(hearer::hear);
            if (page.nextToken().isEmpty() || page.nextToken().equals(token)) {
                return;
            }
            token = page.nextToken();
        }
        throw new StoreFailure.RemoteFailed(
                "what lies below " + begin + " in bucket " + bucket + " has no end after " + MAX_PAGES + " pages",
                new IOException("the listing does not end"));
    }

    /** Downloads; as {@link Downloader#start}. */
    RunningDownload download(DownloadRequest request) {
        return downloader.start(request);
    }

    // ------------------------------------------------------------------ writing

    /**
     * Puts a layer's file there. To be followed by an index that names it.
     *
     * @return fails with {@link SourceFailure}; cancel it to have the file not tried again
     */
    public CompletableFuture<Void> putLayer(TimelinePlace place, LayerFileName file, Path path) {
        CompletableFuture<Optional<String>> put =
                uploader().put(PutRequest.of(layer(place, file), new PutRequest.Body.File(path)));
        CompletableFuture<Void> result = put.thenApply(etag -> null);
        result.whenComplete((done, problem) -> put.cancel(false));
        return result;
    }

    /**
     * Puts an index there in place of the one that was read: atomically, and only if that one is still there.
     *
     * @param before ETag of the same generation's index that was read, or put, last; empty where there was none
     * @return the new one's ETag
     * @throws StoreFailure.IndexConflict where another one is there
     * @throws StoreFailure.RemoteFailed where the store fails
     */
    public Optional<String> putIndex(
            TimelinePlace place, Generation generation, IndexPart index, Optional<String> before) throws StoreFailure {
        return putIndex(place, generation, index, before, new StopSignal());
    }

    /**
     * The same, and fails with {@link StoreFailure.ShuttingDown} soon after it was asked to stop: whether the index was put then
     * only reading it tells.
     */
    Optional<String> putIndex(
            TimelinePlace place, Generation generation, IndexPart index, Optional<String> before, StopSignal stop)
            throws StoreFailure {
        ObjectId object = index(place, generation);
        byte[] document = IndexPartJson.write(index);
        PutRequest request = PutRequest.of(object, new PutRequest.Body.Bytes(ByteBuffer.wrap(document)));
        CompletableFuture<Optional<String>> put =
                uploader().put(before.isPresent() ? request.ifMatch(before.get()) : request.ifAbsent());
        stop.by(() -> put.cancel(false));
        try {
            return Waits.forIo(put, meanwhile);
        } catch (SourceFailure e) {
            if (e.status() != 412 && e.status() != 409) {
                throw new StoreFailure.RemoteFailed("the index " + object + " was not put: " + e.getMessage(), e);
            }
            // An answer that was lost on the way leaves our own index there.
            Optional<FoundIndex> there = tryIndex(place, generation, stop);
            if (there.isPresent()
                    && Arrays.equals(IndexPartJson.write(there.get().index()), document)) {
                return there.get().etag();
            }
            throw new StoreFailure.IndexConflict(
                    "the index " + object + " was not put: somebody else has replaced it, which only another process of"
                            + " the same generation does; end one of them",
                    e);
        } catch (StoreFailure e) {
            throw e;
        } catch (IOException e) {
            throw new StoreFailure.RemoteFailed("the index " + object + " was not put: " + e.getMessage(), e);
        }
    }

    private Uploader uploader() {
        return uploader.orElseThrow(
                () -> new IllegalStateException("this store was opened for reading: give it an uploader"));
    }
}
