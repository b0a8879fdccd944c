// SPDX-License-Identifier: Apache-2.0
package dev.millrace.server.http;

import dev.millrace.io.EngineKind;
import dev.millrace.io.EngineStatus;
import dev.millrace.io.IoMode;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** The engine under the store: what runs, and another in its place while it runs. */
final class EngineCalls {
    static final String ENGINE = "/v1/io_engine";
    static final String MODE = "/v1/io_mode";

    /** What the original system calls engines that do as these do. */
    private static final Map<String, EngineKind> OTHER_NAMES =
            Map.of("std-fs", EngineKind.BLOCKING, "tokio-epoll-uring", EngineKind.IO_URING);

    private final EngineControl engine;

    EngineCalls(EngineControl engine) {
        this.engine = engine;
    }

    List<Route> routes() {
        return List.of(
                Route.quick("GET", ENGINE, Scope.OBSERVE, call -> Answer.ok(json(engine.status()))),
                Route.quick("PUT", ENGINE, Scope.MANAGE, this::switchEngine),
                Route.quick(
                        "GET",
                        MODE,
                        Scope.OBSERVE,
                        call -> Answer.ok(Map.of("io_mode", engine.mode().label()))),
                Route.quick("PUT", MODE, Scope.MANAGE, this::switchMode));
    }

    private Answer switchEngine(Call call) throws ApiException {
        String name = call.text();
        engine.switchTo(kind(name)
                .orElseThrow(() -> ApiException.badRequest("there is no engine '" + Call.shown(name)
                        + "': io_uring, epoll and blocking (also std-fs and tokio-epoll-uring) can be")));
        return Answer.nothing();
    }

    private static Optional<EngineKind> kind(String name) {
        for (EngineKind kind : EngineKind.values()) {
            if (kind.label().equals(name)) {
                return Optional.of(kind);
            }
        }
        return Optional.ofNullable(OTHER_NAMES.get(name));
    }

    private Answer switchMode(Call call) throws ApiException {
        String name = call.text();
        IoMode mode;
        try {
            mode = IoMode.parse(name);
        } catch (IllegalArgumentException e) {
            throw ApiException.badRequest(
                    "there is no mode '" + Call.shown(name) + "': buffered, direct and direct-rw can be");
        }
        engine.switchMode(mode);
        return Answer.nothing();
    }

    static Map<String, Object> json(EngineStatus status) {
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("engine", status.engine().label());
        json.put("binding", status.binding());
        json.put("slots", status.slots());
        json.put("buffers", status.buffers());
        json.put("buffer_size", status.bufferSize());
        json.put("registered_buffers", status.registeredBuffers());
        json.put("huge_pages", status.hugePages());
        json.put("rings", status.rings().size());
        json.put("switches", status.switches());
        json.put("reasons", status.notes());
        return json;
    }
}
