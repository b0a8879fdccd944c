// SPDX-License-Identifier: Apache-2.0
package dev.millrace.server.http;

import dev.millrace.layers.TimelineId;
import dev.millrace.server.http.LayerService.TenantView;
import dev.millrace.server.http.LayerService.TimelineView;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Tenants and their timelines. */
final class TenantCalls {
    static final String TENANTS = "/v1/tenant";
    static final String TENANT = TENANTS + "/{" + Call.Ids.TENANT + "}";
    static final String TIMELINES = TENANT + "/timeline";
    static final String TIMELINE = TIMELINES + "/{" + Call.Ids.TIMELINE + "}";

    private final LayerService service;

    TenantCalls(LayerService service) {
        this.service = service;
    }

    List<Route> routes() {
        return List.of(
                Route.quick(
                        "GET",
                        TENANTS,
                        Scope.OBSERVE,
                        call -> Answer.ok(service.tenants().stream()
                                .map(TenantCalls::json)
                                .toList())),
                Route.quick("GET", TENANT, Scope.OBSERVE, this::tenant),
                Route.quick("GET", TIMELINES, Scope.OBSERVE, this::timelines),
                Route.quick("GET", TIMELINE, Scope.OBSERVE, this::timeline),
                new Route(
                        "PUT",
                        TIMELINE + "/attach",
                        Scope.MANAGE,
                        call -> service.attach(call.tenant(), call.timeline())
                                .thenApply(view -> Answer.ok(json(view)))),
                new Route(
                        "PUT",
                        TIMELINE + "/detach",
                        Scope.MANAGE,
                        call -> service.detach(call.tenant(), call.timeline()).thenApply(done -> Answer.nothing())),
                new Route(
                        "PUT",
                        TIMELINE + "/reload",
                        Scope.MANAGE,
                        call -> service.reload(call.tenant(), call.timeline())
                                .thenApply(view -> Answer.ok(json(view)))));
    }

    private Answer tenant(Call call) throws ApiException {
        TenantView tenant = Failures.translated(() -> service.tenant(call.tenant()));
        Map<String, Object> json = json(tenant);
        json.put("walredo", null);
        json.put("timelines", tenant.timelines().stream().map(Object::toString).toList());
        return Answer.ok(json);
    }

    private Answer timelines(Call call) throws ApiException {
        TenantView tenant = Failures.translated(() -> service.tenant(call.tenant()));
        List<Map<String, Object>> all = new ArrayList<>();
        for (TimelineId timeline : tenant.timelines()) {
            // One that was detached a moment ago is not there any more.
            found(call, timeline).ifPresent(view -> all.add(json(view)));
        }
        return Answer.ok(all);
    }

    private Optional<TimelineView> found(Call call, TimelineId timeline) throws ApiException {
        try {
            return Optional.of(Failures.translated(() -> service.timeline(call.tenant(), timeline)));
        } catch (ApiException e) {
            if (e.status() == 404) {
                return Optional.empty();
            }
            throw e;
        }
    }

    private Answer timeline(Call call) throws ApiException {
        return Answer.ok(json(Failures.translated(() -> service.timeline(call.tenant(), call.timeline()))));
    }

    private static Map<String, Object> json(TenantView tenant) {
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("id", tenant.id().toString());
        json.put("state", Map.of("slug", tenant.state()));
        json.put("current_physical_size", tenant.physicalSize());
        json.put("attachment_status", Map.of("slug", tenant.attachment()));
        json.put("generation", Integer.toUnsignedLong(tenant.generation().number()));
        return json;
    }

    private static Map<String, Object> json(TimelineView timeline) {
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("tenant_id", timeline.tenant().toString());
        json.put("timeline_id", timeline.id().toString());
        json.put("state", timeline.state());
        json.put("current_physical_size", timeline.residentBytes());
        json.put("resident_physical_size", timeline.residentBytes());
        json.put("layer_size_sum", timeline.totalBytes());
        json.put("layer_count", timeline.layers());
        json.put("resident_layer_count", timeline.residentLayers());
        json.put("remote_layer_count", timeline.layers() - timeline.residentLayers());
        return json;
    }
}
