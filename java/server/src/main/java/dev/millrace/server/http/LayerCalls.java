// SPDX-License-Identifier: Apache-2.0
package dev.millrace.server.http;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import dev.millrace.layers.stats.StatisticsReset;
import dev.millrace.server.HumanTime;
import dev.millrace.server.http.LayerService.BulkDownload;
import dev.millrace.server.http.LayerService.BulkStart;
import dev.millrace.server.http.LayerService.Freed;
import dev.millrace.server.http.LayerService.FreedLayer;
import dev.millrace.server.http.LayerService.Listing;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletionStage;

/** Layers: what there is, and what of it is on disk. */
final class LayerCalls {
    static final String LAYERS = TenantCalls.TIMELINE + "/layer";
    static final String LAYER = LAYERS + "/{" + Call.Ids.LAYER + "}";
    static final String DOWNLOAD_ALL = TenantCalls.TIMELINE + "/download_remote_layers";
    static final String MAKE_ROOM = "/v1/disk_usage_eviction/run";

    /** How long an eviction may keep its caller waiting. */
    static final Duration EVICTION_LIMIT = Duration.ofMinutes(2);

    private static final String CONCURRENCY = "max_concurrent_downloads";
    private static final int MAX_CONCURRENCY = 1000;
    private static final String BYTES = "evict_bytes";
    private static final JsonFactory JSON = new JsonFactory();

    private final LayerService service;

    LayerCalls(LayerService service) {
        this.service = service;
    }

    List<Route> routes() {
        return List.of(
                Route.quick("GET", LAYERS, Scope.OBSERVE, this::list),
                new Route("GET", LAYER, Scope.MANAGE, this::download),
                new Route("DELETE", LAYER, Scope.MANAGE, this::evict),
                Route.quick("POST", DOWNLOAD_ALL, Scope.MANAGE, this::downloadAll),
                Route.quick("GET", DOWNLOAD_ALL, Scope.OBSERVE, this::bulkDownload),
                new Route("PUT", MAKE_ROOM, Scope.MANAGE, this::makeRoom));
    }

    private Answer list(Call call) throws ApiException {
        StatisticsReset reset = call.query("reset", LayerCalls::reset).orElse(StatisticsReset.NO_RESET);
        if (reset != StatisticsReset.NO_RESET) {
            call.require(Scope.MANAGE);
        }
        Listing listing = Failures.translated(() -> service.layers(call.tenant(), call.timeline(), reset));
        return new Answer.Streamed(Answer.JSON_TYPE, out -> {
            JsonGenerator to = JSON.createGenerator(out);
            to.disable(JsonGenerator.Feature.AUTO_CLOSE_TARGET);
            listing.writeTo(to);
            to.close();
        });
    }

    private static StatisticsReset reset(String label) {
        return StatisticsReset.of(label)
                .orElseThrow(() -> new IllegalArgumentException("NoReset, JustTaskKindFlags and AllStats can be"));
    }

    private CompletionStage<Answer> download(Call call) {
        return service.download(call.tenant(), call.timeline(), call.layer())
                .thenApply(done -> Answer.ok(Map.of("downloaded", done.downloaded(), "bytes", done.bytes())));
    }

    private CompletionStage<Answer> evict(Call call) throws ApiException {
        Duration limit = call.query("timeout", LayerCalls::limit).orElse(EVICTION_LIMIT);
        return service.evict(call.tenant(), call.timeline(), call.layer(), limit)
                .thenApply(outcome -> switch (outcome) {
                    case DONE -> Answer.ok(Map.of("evicted", true));
                    case WAITING -> Answer.json(202, Map.of("evicted", false));
                    case NOT_DONE -> Answer.empty(304);
                });
    }

    private static Duration limit(String text) {
        boolean inSeconds = !text.isEmpty() && text.chars().allMatch(c -> c >= '0' && c <= '9');
        Duration limit = HumanTime.read(inSeconds ? text + "s" : text)
                .orElseThrow(() -> new IllegalArgumentException("that is no length of time such as 500ms, 10s or 2m"));
        if (limit.compareTo(EVICTION_LIMIT) > 0) {
            throw new IllegalArgumentException("at most " + EVICTION_LIMIT.toSeconds() + "s can be");
        }
        return limit;
    }

    private Answer downloadAll(Call call) throws ApiException {
        int concurrency = (int) call.number(CONCURRENCY, 1, MAX_CONCURRENCY);
        BulkStart start = Failures.translated(() -> service.downloadAll(call.tenant(), call.timeline(), concurrency));
        return Answer.json(start.started() ? 202 : 409, json(start.status()));
    }

    private Answer bulkDownload(Call call) throws ApiException {
        return Answer.ok(json(Failures.translated(() -> service.bulkDownload(call.tenant(), call.timeline()))
                .orElseThrow(() -> ApiException.notFound("no download of all layers of timeline " + call.timeline()
                        + " was started since this server began; POST to this path starts one"))));
    }

    private static Map<String, Object> json(BulkDownload task) {
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("task_id", task.taskId());
        json.put("state", task.state());
        json.put("total_layer_count", task.total());
        json.put("successful_download_count", task.successful());
        json.put("failed_download_count", task.failed());
        return json;
    }

    private CompletionStage<Answer> makeRoom(Call call) throws ApiException {
        long bytes = call.number(BYTES, 0, Long.MAX_VALUE);
        return service.makeRoom(bytes).thenApply(freed -> Answer.ok(json(bytes, freed)));
    }

    private static Map<String, Object> json(long asked, Freed freed) {
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("evict_bytes", asked);
        json.put("evicted_bytes", freed.bytes());
        json.put("evicted_layers", freed.count());
        json.put("enough", freed.bytes() >= asked);
        json.put("layers", freed.layers().stream().map(LayerCalls::json).toList());
        return json;
    }

    private static Map<String, Object> json(FreedLayer layer) {
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("tenant_id", layer.tenant().toString());
        json.put("timeline_id", layer.timeline().toString());
        json.put("layer_file_name", layer.name().toString());
        json.put("layer_file_size", layer.bytes());
        return json;
    }
}
