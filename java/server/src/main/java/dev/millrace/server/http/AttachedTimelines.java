// SPDX-License-Identifier: Apache-2.0
package dev.millrace.server.http;

import dev.millrace.layers.TenantId;
import dev.millrace.layers.TimelineId;
import dev.millrace.layers.store.LayerStore;
import dev.millrace.layers.store.RemoteStore.TimelinePlace;
import dev.millrace.layers.store.StoreFailure;
import dev.millrace.layers.store.Timeline;
import java.util.Collections;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.function.Predicate;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Which timelines are to be attached, and are not: those whose turn has not come, and those that could not be. What is
 * there but not ready must not be taken for what is not there. Thread-safe.
 */
final class AttachedTimelines {
    private static final Logger LOG = LoggerFactory.getLogger(AttachedTimelines.class);
    private static final int THREADS = 8;

    private final LayerStore store;
    /** With the reason where it could not be attached. */
    private final Map<TimelinePlace, Optional<String>> missing = new ConcurrentSkipListMap<>();

    private volatile boolean listed;

    AttachedTimelines(LayerStore store) {
        this.store = store;
    }

    /** True when it is known which timelines there are. */
    boolean areListed() {
        return listed;
    }

    /** Those that are not attached, and why, where it is not only that their turn has not come. */
    Map<TimelinePlace, Optional<String>> others() {
        return Collections.unmodifiableMap(new TreeMap<>(missing));
    }

    /**
     * Attaches all that the object store has. Blocks.
     *
     * @param enough true stops it
     * @throws StoreFailure where it cannot be told which there are
     */
    void attachAll(BooleanSupplier enough) throws StoreFailure {
        store.remote().timelines().forEach(place -> missing.put(place, Optional.empty()));
        listed = true;
        ExecutorService attaching = Executors.newFixedThreadPool(THREADS, task -> {
            Thread thread = new Thread(task, "millrace-attaching");
            thread.setDaemon(true);
            return thread;
        });
        missing.keySet()
                .forEach(place -> attaching.execute(() -> {
                    if (!enough.getAsBoolean()) {
                        attachOrTell(place);
                    }
                }));
        attaching.shutdown();
        try {
            while (!attaching.awaitTermination(1, TimeUnit.MINUTES)) {
                LOG.info("{} timelines are not attached yet", missing.size());
            }
        } catch (InterruptedException e) {
            attaching.shutdownNow();
            Thread.currentThread().interrupt();
        }
    }

    private void attachOrTell(TimelinePlace place) {
        try {
            attach(place.tenant(), place.timeline());
        } catch (StoreFailure e) {
            LOG.error("{} is not attached: {}", place, e.getMessage());
        }
    }

    Timeline attach(TenantId tenant, TimelineId id) throws StoreFailure {
        TimelinePlace place = new TimelinePlace(tenant, id);
        try {
            Timeline timeline = store.attach(tenant, id);
            missing.remove(place);
            return timeline;
        } catch (StoreFailure.WrongState e) {
            throw e;
        } catch (StoreFailure e) {
            missing.replace(place, Optional.of(e.getMessage()));
            throw e;
        }
    }

    void detach(TenantId tenant, TimelineId id) throws StoreFailure {
        store.detach(tenant, id, false);
    }

    /**
     * For something that was not found.
     *
     * @throws ApiException 503 where it will be there, or should be
     */
    void checkAbsent(Predicate<TimelinePlace> isIt, String what, LayerService.Phase phase) throws ApiException {
        for (Map.Entry<TimelinePlace, Optional<String>> entry : missing.entrySet()) {
            if (isIt.test(entry.getKey())) {
                String reason = entry.getValue()
                        .map(problem -> " could not be attached: " + problem)
                        .orElse(" is being attached");
                throw ApiException.unavailable(what + reason);
            }
        }
        if (!listed && phase == LayerService.Phase.ATTACHING) {
            throw ApiException.unavailable("whether there is " + what + " is not known yet: the server is starting");
        }
    }
}
