// SPDX-License-Identifier: Apache-2.0
package dev.millrace.server;

import dev.millrace.io.EngineUnavailableException;
import dev.millrace.io.IoEngine;
import dev.millrace.io.IoEngineConfig;
import dev.millrace.layers.store.LayerStore;
import dev.millrace.layers.store.LayerStoreConfig;
import dev.millrace.server.http.EngineControl;
import dev.millrace.server.http.LaunchTime;
import dev.millrace.server.http.ManagementServer;
import dev.millrace.server.http.ServerIdentity;
import dev.millrace.server.http.StoreService;
import dev.millrace.server.http.Tokens;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A server that runs: engine, store and API, opened in this order and closed in the other, but for the API, which answers
 * who waits before it goes. Thread-safe.
 */
final class RunningServer implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(RunningServer.class);

    private final StoreService service;
    private final LayerStore store;
    private final ManagementServer api;
    private final CompletableFuture<Void> attached;
    private final Deque<Closing> closings;
    private boolean closed;

    /** Closes something. */
    @FunctionalInterface
    private interface Closing {
        void close() throws IOException;
    }

    /**
     * What a server is made of.
     *
     * @param engine how its engine is made
     * @param dataFolder where resident layers lie
     * @param remote where all layers are; closed with the server
     * @param store how the store works
     * @param listen where the API listens
     * @param tokens who may call it
     * @param openProbes status and metrics need no token
     * @param id a number that tells it from others
     */
    record Settings(
            IoEngineConfig engine,
            Path dataFolder,
            LayerStore.Remote remote,
            LayerStoreConfig store,
            ListenAddress listen,
            Optional<Tokens> tokens,
            boolean openProbes,
            long id) {}

    private RunningServer(StoreService service, LayerStore store, ManagementServer api, Deque<Closing> closings) {
        this.service = service;
        this.store = store;
        this.api = api;
        this.closings = closings;
        this.attached = service.attachAll();
    }

    /**
     * Opens everything and begins to attach what there is.
     *
     * @throws IOException with a sentence: an engine that cannot run, a data folder in use, an address that is taken
     */
    static RunningServer open(Settings settings, String version) throws IOException {
        LaunchTime launch = LaunchTime.now();
        Deque<Closing> closings = new ArrayDeque<>();
        closings.push(settings.remote.source()::close);
        boolean opened = false;
        try {
            IoEngine engine = engine(settings.engine);
            closings.push(engine::close);
            LayerStore store = LayerStore.open(engine, settings.dataFolder, settings.remote, settings.store);
            closings.push(store::close);
            StoreService service = new StoreService(store, settings.dataFolder);
            closings.push(service::close);
            ManagementServer api = ManagementServer.open(
                    new ManagementServer.Config(
                            settings.listen.host(),
                            settings.listen.port(),
                            settings.tokens,
                            settings.openProbes,
                            launch,
                            new ServerIdentity(settings.id, version)),
                    service,
                    EngineControl.of(engine),
                    ManagementServer.figures(engine, store));
            closings.push(api::close);
            RunningServer server = new RunningServer(service, store, api, closings);
            opened = true;
            return server;
        } finally {
            if (!opened) {
                closeAll(closings);
            }
        }
    }

    private static IoEngine engine(IoEngineConfig config) throws IOException {
        try {
            return IoEngine.open(config);
        } catch (EngineUnavailableException e) {
            throw new IOException(e.getMessage(), e);
        }
    }

    /** The port that the API listens on. */
    int port() {
        return api.port();
    }

    /** Its store. */
    LayerStore store() {
        return store;
    }

    /** Done when all that there was is attached or has failed; fails where it cannot be told what there is. */
    CompletableFuture<Void> attached() {
        return attached.copy();
    }

    /** Cancels what is under way, answers who waits, and lets everything go. Idempotent. */
    @Override
    public synchronized void close() {
        if (closed) {
            return;
        }
        closed = true;
        // First the store: those who wait for it hear that it ends, by the API, which ends then.
        service.stop();
        closeQuietly(store::close);
        closeAll(closings);
    }

    private static void closeAll(Deque<Closing> closings) {
        while (!closings.isEmpty()) {
            closeQuietly(closings.pop());
        }
    }

    private static void closeQuietly(Closing closing) {
        try {
            closing.close();
        } catch (IOException | RuntimeException e) {
            LOG.warn("Not everything could be closed: {}", e.getMessage());
        }
    }
}
