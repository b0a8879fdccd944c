// SPDX-License-Identifier: Apache-2.0
package dev.millrace.server.http;

import dev.millrace.io.IoEngine;
import dev.millrace.layers.store.LayerStore;
import dev.millrace.micrometer.EngineMetrics;
import io.micrometer.core.instrument.Tags;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.io.IOException;
import java.net.BindException;
import java.nio.channels.UnresolvedAddressException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import org.eclipse.jetty.http.UriCompliance;
import org.eclipse.jetty.server.HttpConfiguration;
import org.eclipse.jetty.server.HttpConnectionFactory;
import org.eclipse.jetty.server.NetworkConnectionLimit;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;
import org.eclipse.jetty.server.handler.GracefulHandler;
import org.eclipse.jetty.util.thread.QueuedThreadPool;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The server of the management API. Owns its threads and connections, and neither the store nor the engine. Thread-safe.
 *
 * <p>Bounds: 32 threads, 2048 connections, 16 KiB of headers, 1 MiB of body; a client
 * that sends or takes nothing for 30 s is let go, unless it waits for a download or an eviction.
 */
public final class ManagementServer implements AutoCloseable {
    private static final int MAX_THREADS = 32;
    private static final int MAX_CONNECTIONS = 2048;
    private static final int HEADER_BYTES = 16 << 10;
    private static final Duration IDLE = Duration.ofSeconds(30);
    /** What is under way when the server closes has been cancelled before: its answers need moments only. */
    private static final Duration GRACE = Duration.ofSeconds(1);
    /** Then connections that nobody uses are closed. */
    private static final Duration SHUTDOWN_IDLE = Duration.ofMillis(50);

    private static final Logger LOG = LoggerFactory.getLogger(ManagementServer.class);

    private final Server server;
    private final ServerConnector connector;

    /**
     * What a server needs.
     *
     * @param host name or address to listen on
     * @param port 0 takes a free one
     * @param tokens empty lets everybody in
     * @param openProbes {@code /v1/status} and {@code /metrics} need no token
     * @param launch when the process started
     * @param identity who it is
     */
    public record Config(
            String host,
            int port,
            Optional<Tokens> tokens,
            boolean openProbes,
            LaunchTime launch,
            ServerIdentity identity) {}

    private ManagementServer(Server server, ServerConnector connector) {
        this.server = server;
        this.connector = connector;
    }

    /**
     * Listens and answers.
     *
     * @param figures adds to the registry what there is beside the figures of every server
     * @throws IOException with a sentence, where the address cannot be had
     */
    public static ManagementServer open(
            Config config, LayerService service, EngineControl engine, Consumer<PrometheusMeterRegistry> figures)
            throws IOException {
        PrometheusMeterRegistry registry = MetricsCalls.registry(config.launch, engine);
        figures.accept(registry);
        Stamp stamp = new Stamp(config.launch);
        Gate gate = new Gate(config.tokens, config.openProbes ? Gate.PROBES : Set.of());
        Router router = new Router(routes(config, service, engine, registry), gate);

        QueuedThreadPool threads = new QueuedThreadPool(MAX_THREADS, 2);
        threads.setName("millrace-http");
        threads.setDaemon(true);
        Server server = new Server(threads);
        ServerConnector connector = new ServerConnector(server, 1, 1, new HttpConnectionFactory(configuration()));
        connector.setHost(config.host);
        connector.setPort(config.port);
        connector.setIdleTimeout(IDLE.toMillis());
        connector.setReuseAddress(true);
        connector.setShutdownIdleTimeout(SHUTDOWN_IDLE.toMillis());
        server.addConnector(connector);
        server.addBean(figures); // registries hold binders weakly
        server.addBean(new NetworkConnectionLimit(MAX_CONNECTIONS, connector));
        server.setErrorHandler(new JsonErrors(stamp));
        server.setHandler(stamp.before(new GracefulHandler(router)));
        server.setStopTimeout(GRACE.toMillis());
        ManagementServer result = new ManagementServer(server, connector);
        try {
            server.start();
            return result;
        } catch (Exception e) {
            result.close();
            throw refused(config.host + ":" + config.port, e);
        }
    }

    /** The figures of an engine and of a store, which must be open as long as the server is. */
    public static Consumer<PrometheusMeterRegistry> figures(IoEngine engine, LayerStore store) {
        EngineMetrics meters = new EngineMetrics(engine, Tags.empty());
        return registry -> {
            meters.bindTo(registry);
            registry.getPrometheusRegistry().register(new StoreFigures(store));
        };
    }

    static List<Route> routes(
            Config config, LayerService service, EngineControl engine, PrometheusMeterRegistry registry) {
        List<Route> all = new ArrayList<>();
        all.addAll(new ServerCalls(service, engine, config.identity, config.launch).routes());
        all.addAll(new TenantCalls(service).routes());
        all.addAll(new LayerCalls(service).routes());
        all.addAll(new EngineCalls(engine).routes());
        all.addAll(new MetricsCalls(registry).routes());
        return all;
    }

    private static HttpConfiguration configuration() {
        HttpConfiguration http = new HttpConfiguration();
        http.setSendServerVersion(false);
        http.setSendDateHeader(true);
        http.setRequestHeaderSize(HEADER_BYTES);
        // Strange paths are the router's to refuse, as it does all others: parts of a path become ids, or nothing.
        http.setUriCompliance(UriCompliance.UNSAFE);
        return http;
    }

    private static IOException refused(String where, Exception problem) {
        for (Throwable cause = problem; cause != null; cause = cause.getCause()) {
            if (cause instanceof BindException) {
                return new IOException(
                        "cannot listen on " + where + ": " + cause.getMessage()
                                + "; is another server there? --listen takes another address, port 0 any free one",
                        problem);
            }
            if (cause instanceof UnresolvedAddressException) {
                return new IOException("cannot listen on " + where + ": no such host is known", problem);
            }
        }
        return new IOException("cannot listen on " + where + ": " + problem.getMessage(), problem);
    }

    /** The port it listens on. */
    public int port() {
        return connector.getLocalPort();
    }

    /** Lets what is under way end, for a second at most, and lets every connection go. */
    @Override
    public void close() {
        try {
            server.stop();
        } catch (TimeoutException late) {
            // Everything is stopped all the same; somebody has not heard the end of it.
            LOG.info("Requests were still being answered when the server of the API stopped");
        } catch (Exception e) {
            throw new IllegalStateException("the HTTP server did not stop", e);
        }
    }
}
