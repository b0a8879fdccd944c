// SPDX-License-Identifier: Apache-2.0
package dev.millrace.server.http;

import dev.millrace.io.EngineStatus;
import dev.millrace.server.http.LayerService.DiskUse;
import dev.millrace.server.http.LayerService.TenantView;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** The server itself: how it is, what it can, and a page for people. */
final class ServerCalls {
    private static final int MAX_SHOWN_TENANTS = 1000;

    private final LayerService service;
    private final EngineControl engine;
    private final ServerIdentity identity;
    private final LaunchTime launch;
    private final byte[] document;

    ServerCalls(LayerService service, EngineControl engine, ServerIdentity identity, LaunchTime launch) {
        this.service = service;
        this.engine = engine;
        this.identity = identity;
        this.launch = launch;
        this.document = openApi();
    }

    List<Route> routes() {
        return List.of(
                Route.quick("GET", "/v1/status", Scope.OBSERVE, this::status),
                Route.quick(
                        "GET",
                        "/openapi.json",
                        Scope.OBSERVE,
                        call -> new Answer.Whole(200, Answer.JSON_TYPE, document)),
                Route.quick("GET", "/", Scope.OBSERVE, this::page));
    }

    private Answer status(Call call) throws ApiException {
        EngineStatus status = engine.status();
        DiskUse disk = Failures.translated(service::disk);
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("id", identity.id());
        json.put("version", identity.version());
        json.put("phase", service.phase().name().toLowerCase(Locale.ROOT));
        json.put("engine", status.engine().label());
        json.put("binding", status.binding());
        json.put("io_mode", engine.mode().label());
        json.put("launch_timestamp", launch.rfc3339());
        json.put(
                "uptime_seconds",
                Math.max(0, Duration.between(launch.instant(), Instant.now()).toSeconds()));
        json.put("disk_free_bytes", disk.freeBytes());
        json.put("disk_used_bytes", disk.totalBytes() - disk.freeBytes());
        json.put("resident_bytes", disk.residentBytes());
        return Answer.ok(json);
    }

    private Answer page(Call call) throws ApiException {
        StringBuilder html = new StringBuilder(2048)
                .append(
                        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>Millrace</title></head><body>\n")
                .append("<h1>Millrace ")
                .append(identity.version())
                .append("</h1>\n<p><a href=\"/v1/status\">status</a> <a href=\"/metrics\">metrics</a>")
                .append(" <a href=\"/v1/io_engine\">engine</a> <a href=\"/openapi.json\">API</a></p>\n<ul>\n");
        List<TenantView> tenants = service.tenants();
        // Ids are hex digits: there is nothing to escape.
        tenants.stream().limit(MAX_SHOWN_TENANTS).forEach(tenant -> {
            html.append("<li>tenant ").append(link("/v1/tenant/" + tenant.id(), tenant.id()));
            html.append(" (").append(tenant.state()).append(")<ul>\n");
            tenant.timelines().stream()
                    .limit(MAX_SHOWN_TENANTS)
                    .forEach(timeline -> html.append("<li>timeline ")
                            .append(link("/v1/tenant/" + tenant.id() + "/timeline/" + timeline, timeline))
                            .append(", its <a href=\"/v1/tenant/")
                            .append(tenant.id())
                            .append("/timeline/")
                            .append(timeline)
                            .append("/layer\">layers</a></li>\n"));
            html.append("</ul></li>\n");
        });
        html.append("</ul>\n");
        if (tenants.size() > MAX_SHOWN_TENANTS) {
            html.append("<p>and ").append(tenants.size() - MAX_SHOWN_TENANTS).append(" more</p>\n");
        }
        html.append("</body></html>\n");
        return new Answer.Whole(200, "text/html;charset=utf-8", html.toString().getBytes(StandardCharsets.UTF_8));
    }

    private static String link(String path, Object text) {
        return "<a href=\"" + path + "\">" + text + "</a>";
    }

    private static byte[] openApi() {
        try (InputStream in = ServerCalls.class.getResourceAsStream("openapi.json")) {
            if (in == null) {
                throw new IllegalStateException("openapi.json is missing from the jar");
            }
            return in.readAllBytes();
        } catch (IOException e) {
            throw new IllegalStateException("openapi.json cannot be read from the jar", e);
        }
    }
}
