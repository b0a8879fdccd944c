// SPDX-License-Identifier: Apache-2.0
package dev.millrace.server.http;

import com.fasterxml.jackson.core.JsonGenerator;
import dev.millrace.layers.Generation;
import dev.millrace.layers.LayerName;
import dev.millrace.layers.TenantId;
import dev.millrace.layers.TimelineId;
import dev.millrace.layers.stats.StatisticsReset;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletionStage;

/**
 * What the management API asks of a store of layers. Any thread may call anything; what may wait for the object store or for
 * readers gives a stage. Failures, thrown or in a stage, are {@link ApiException} or a
 * {@link dev.millrace.layers.store.StoreFailure}.
 */
public interface LayerService {
    /** Where the service is between its start and its end. */
    enum Phase {
        /** Tenants are being found and attached; those that are not yet answer 503. */
        ATTACHING,
        /** All that was to be attached is, or has failed. */
        READY,
        /** It ends: everything is answered 503. */
        STOPPING
    }

    /** What became of asking for an eviction. */
    enum Evicted {
        /** The file is gone. */
        DONE,
        /** Readers hold it; it goes when the last lets go. */
        WAITING,
        /** There was no file, or a reader came first and keeps it. */
        NOT_DONE
    }

    /**
     * A tenant.
     *
     * @param id its id
     * @param state in the words of the original system: {@code Active}, {@code Attaching}, {@code Broken}, {@code Stopping}
     * @param attachment {@code attached}, {@code maybe}
     * @param physicalSize bytes of its resident layers
     * @param generation that the server runs in
     * @param timelines its timelines, sorted
     */
    record TenantView(
            TenantId id,
            String state,
            String attachment,
            long physicalSize,
            Generation generation,
            List<TimelineId> timelines) {
        /** Copies the list. */
        public TenantView {
            timelines = List.copyOf(timelines);
        }
    }

    /**
     * A timeline.
     *
     * @param tenant whose it is
     * @param id its id
     * @param state as a tenant's
     * @param residentBytes bytes of its resident layers
     * @param totalBytes bytes of all its layers
     * @param layers how many it has
     * @param residentLayers how many of them are resident
     */
    record TimelineView(
            TenantId tenant,
            TimelineId id,
            String state,
            long residentBytes,
            long totalBytes,
            long layers,
            long residentLayers) {}

    /**
     * What a download did.
     *
     * @param downloaded false: the layer was resident
     * @param bytes of the layer
     */
    record Downloaded(boolean downloaded, long bytes) {}

    /**
     * A download of all layers of a timeline.
     *
     * @param taskId names it
     * @param state {@code Running}, {@code Completed}, {@code ShutDown}
     * @param total all layers
     * @param successful those that are resident, as far as it is
     * @param failed those that could not be had
     */
    record BulkDownload(String taskId, String state, long total, long successful, long failed) {}

    /**
     * A bulk download that was asked for.
     *
     * @param status of what runs
     * @param started false: another was running, and goes on
     */
    record BulkStart(BulkDownload status, boolean started) {}

    /**
     * What went to make room.
     *
     * @param bytes freed
     * @param layers the layers that went, at most so many as {@link #MAX_LISTED}
     * @param count how many went
     */
    record Freed(long bytes, long count, List<FreedLayer> layers) {
        /** The most layers that are named. */
        public static final int MAX_LISTED = 1000;

        /** Copies the list. */
        public Freed {
            layers = List.copyOf(layers);
        }
    }

    /**
     * A layer that went.
     *
     * @param tenant whose it was
     * @param timeline whose it was
     * @param name its name
     * @param bytes its size
     */
    record FreedLayer(TenantId tenant, TimelineId timeline, LayerName name, long bytes) {}

    /**
     * The disk.
     *
     * @param freeBytes that may be had
     * @param totalBytes of the file system
     * @param residentBytes of layers
     */
    record DiskUse(long freeBytes, long totalBytes, long residentBytes) {}

    /** A layer map that is written as it is read. */
    @FunctionalInterface
    interface Listing {
        /** Writes the whole document, in bounded memory; does not close the generator. */
        void writeTo(JsonGenerator to) throws IOException;
    }

    /** Where it is between start and end. */
    Phase phase();

    /** All tenants, sorted. */
    List<TenantView> tenants() throws ApiException;

    /** One tenant. */
    TenantView tenant(TenantId tenant) throws ApiException, IOException;

    /** One timeline. */
    TimelineView timeline(TenantId tenant, TimelineId timeline) throws ApiException, IOException;

    /** Attaches a timeline from the object store. */
    CompletionStage<TimelineView> attach(TenantId tenant, TimelineId timeline);

    /** Lets a timeline go: cancels its downloads and forgets it. */
    CompletionStage<Void> detach(TenantId tenant, TimelineId timeline);

    /** Reads the newest index of a timeline again. */
    CompletionStage<TimelineView> reload(TenantId tenant, TimelineId timeline);

    /** The layer map; fails before anything is written where there is no such timeline. */
    Listing layers(TenantId tenant, TimelineId timeline, StatisticsReset reset) throws ApiException, IOException;

    /** Makes a layer resident. */
    CompletionStage<Downloaded> download(TenantId tenant, TimelineId timeline, LayerName layer);

    /** Evicts a layer; completes within the limit. */
    CompletionStage<Evicted> evict(TenantId tenant, TimelineId timeline, LayerName layer, Duration limit);

    /** Starts a download of all layers, so many at once, unless one runs. */
    BulkStart downloadAll(TenantId tenant, TimelineId timeline, int concurrency) throws ApiException, IOException;

    /** The last download of all layers; empty where there was none. */
    Optional<BulkDownload> bulkDownload(TenantId tenant, TimelineId timeline) throws ApiException, IOException;

    /** Frees at least so many bytes, as far as there are layers to evict. */
    CompletionStage<Freed> makeRoom(long bytes);

    /** The disk. */
    DiskUse disk() throws IOException;
}
