// SPDX-License-Identifier: Apache-2.0
package dev.millrace.server.churn;

import dev.millrace.layers.TenantId;
import dev.millrace.layers.TimelineId;
import dev.millrace.server.HumanTime;
import dev.millrace.server.churn.ManagementApi.Reply;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.TreeSet;

/** Finds the targets of a run and their layers. */
final class Targets {
    /** How long a server is waited for that answers that it is not ready. */
    private static final Duration READY = Duration.ofSeconds(60);

    private static final Duration LONGEST_PAUSE = Duration.ofSeconds(1);
    private static final Duration LEAST_PAUSE = Duration.ofMillis(50);
    private static final String STATUS = "/v1/status";

    private final ManagementApi api;
    private final Duration patience;

    Targets(ManagementApi api) {
        this(api, READY);
    }

    Targets(ManagementApi api, Duration patience) {
        this.api = api;
        this.patience = patience;
    }

    /** Sorted, each with the layers of its map. */
    Map<ChurnTarget, List<LayerState>> find(List<ChurnTarget> given, OptionalInt first)
            throws ChurnFailure, InterruptedException {
        TreeSet<ChurnTarget> all = new TreeSet<>(given.isEmpty() ? discover() : given);
        if (all.isEmpty()) {
            throw new ChurnFailure(
                    "The server at " + api.endpoint() + " has no timelines, so there is nothing to churn");
        }
        if (first.isPresent() && all.size() < first.getAsInt()) {
            throw new ChurnFailure("--limit-to-first-n-targets is " + first.getAsInt() + " and there "
                    + (all.size() == 1 ? "is 1 target" : "are " + all.size() + " targets"));
        }
        Map<ChurnTarget, List<LayerState>> found = new LinkedHashMap<>();
        for (ChurnTarget target :
                all.stream().limit(first.orElse(Integer.MAX_VALUE)).toList()) {
            found.put(target, layers(target));
        }
        return found;
    }

    private List<LayerState> layers(ChurnTarget target) throws ChurnFailure, InterruptedException {
        Reply reply = untilReady(ManagementApi.layers(target), Optional.of(target));
        if (reply.status() == 404) {
            throw new ChurnFailure("There is no target " + target + ": "
                    + lower(api.refused("GET " + ManagementApi.layers(target), reply)));
        }
        List<LayerState> layers = reply.layers()
                .orElseThrow(() -> new ChurnFailure(api.refused("GET " + ManagementApi.layers(target), reply)));
        if (layers.isEmpty()) {
            throw new ChurnFailure("The timeline " + target + " has no layers, so there is nothing to churn");
        }
        return layers;
    }

    private static String lower(String sentence) {
        return Character.toLowerCase(sentence.charAt(0)) + sentence.substring(1);
    }

    // ------------------------------------------------------------------ all that the server has

    private List<ChurnTarget> discover() throws ChurnFailure, InterruptedException {
        awaitAttached();
        List<ChurnTarget> targets = new ArrayList<>();
        String path = "/v1/tenant";
        for (Object tenant : list(path, json(path))) {
            String id = ManagementApi.text(tenant, "id").orElseThrow(() -> unclear(path));
            String tenantPath = path + "/" + parse(path, () -> new TenantId(id));
            if (json(tenantPath) instanceof Map<?, ?> details) {
                for (Object timeline : list(tenantPath, details.get("timelines"))) {
                    targets.add(parse(
                            tenantPath,
                            () -> new ChurnTarget(new TenantId(id), new TimelineId(String.valueOf(timeline)))));
                }
            }
        }
        return targets;
    }

    /** While it attaches, a server names only those timelines of a tenant whose turn has come. */
    private void awaitAttached() throws ChurnFailure, InterruptedException {
        long end = System.nanoTime() + patience.toNanos();
        while (isAttaching()) {
            if (System.nanoTime() - end > 0) {
                throw new ChurnFailure("The server at " + api.endpoint() + " is still attaching its timelines after "
                        + HumanTime.text(patience) + " (GET " + STATUS + ")");
            }
            Thread.sleep(LEAST_PAUSE.toMillis());
        }
    }

    /** A server that has no such call, or says nothing of it, is taken for ready. */
    private boolean isAttaching() throws ChurnFailure, InterruptedException {
        Reply reply = api.await("GET " + STATUS, api.get(STATUS));
        return reply.status() == 200
                && ManagementApi.text(api.parse("GET " + STATUS, reply.text()), "phase")
                        .filter("attaching"::equals)
                        .isPresent();
    }

    private Object json(String path) throws ChurnFailure, InterruptedException {
        Reply reply = untilReady(path, Optional.empty());
        if (reply.status() != 200) {
            throw new ChurnFailure(api.refused("GET " + path, reply));
        }
        return api.parse("GET " + path, reply.text());
    }

    private List<?> list(String path, Object json) throws ChurnFailure {
        if (json instanceof List<?> list) {
            return list;
        }
        throw unclear(path);
    }

    private ChurnFailure unclear(String path) {
        return new ChurnFailure("The server at " + api.endpoint()
                + " answered what is no list of tenants and timelines (GET " + path + "): is that a management API?");
    }

    private interface Parser<T> {
        T parse();
    }

    private <T> T parse(String path, Parser<T> parser) throws ChurnFailure {
        try {
            return parser.parse();
        } catch (IllegalArgumentException e) {
            throw new ChurnFailure(
                    "The server at " + api.endpoint() + " names what cannot be churned (GET " + path + "): "
                            + e.getMessage(),
                    e);
        }
    }

    /** Asks again while the answer is that the server or a tenant is not ready. */
    private Reply untilReady(String path, Optional<ChurnTarget> map) throws ChurnFailure, InterruptedException {
        long end = System.nanoTime() + patience.toNanos();
        while (true) {
            Reply reply = api.await("GET " + path, map.isPresent() ? api.layerMap(map.get()) : api.get(path));
            if (reply.status() != 503 || System.nanoTime() - end > 0) {
                return reply;
            }
            Duration pause = reply.retryAfter().orElse(LEAST_PAUSE);
            Thread.sleep((pause.compareTo(LONGEST_PAUSE) > 0 ? LONGEST_PAUSE : pause).toMillis());
        }
    }
}
