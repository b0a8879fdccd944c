// SPDX-License-Identifier: Apache-2.0
package dev.millrace.server.churn;

import dev.millrace.server.churn.ManagementApi.Reply;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalLong;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What a server says of itself at a moment. CPU and memory are those of its {@code /metrics}, by the names that every Prometheus
 * client gives them, so that a server on another machine is measured like one that was spawned, and by its own clock.
 *
 * @param cpuSeconds of its process, user and system; empty where it does not say
 * @param residentBytes memory of its process; empty where it does not say
 * @param launched when its process began, as it writes it
 * @param engine that runs
 * @param binding by which it runs
 */
record ServerFigures(
        OptionalDouble cpuSeconds,
        OptionalLong residentBytes,
        Optional<String> launched,
        Optional<String> engine,
        Optional<String> binding) {
    private static final String CPU = "process_cpu_seconds_total";
    private static final String MEMORY = "process_resident_memory_bytes";
    private static final String STATUS = "/v1/status";
    private static final String ENGINE = "/v1/io_engine";
    private static final String METRICS = "/metrics";

    /** Nothing is known. */
    static ServerFigures unknown() {
        return new ServerFigures(
                OptionalDouble.empty(), OptionalLong.empty(), Optional.empty(), Optional.empty(), Optional.empty());
    }

    /** Asks a server. Calls that it does not have leave gaps; none must fail. */
    static ServerFigures of(ManagementApi api) throws ChurnFailure, InterruptedException {
        Reply metrics = ask(api, METRICS);
        Object engine = json(api, ENGINE);
        Object status = json(api, STATUS);
        OptionalDouble memory = value(metrics, MEMORY);
        return new ServerFigures(
                value(metrics, CPU),
                memory.isPresent() ? OptionalLong.of((long) memory.getAsDouble()) : OptionalLong.empty(),
                metrics.launched(),
                ManagementApi.text(engine, "engine").or(() -> ManagementApi.text(status, "engine")),
                ManagementApi.text(engine, "binding").or(() -> ManagementApi.text(status, "binding")));
    }

    private static Reply ask(ManagementApi api, String path) throws ChurnFailure, InterruptedException {
        Reply reply = api.await("GET " + path, api.get(path));
        if (reply.status() == 401 || reply.status() == 403) {
            throw new ChurnFailure(api.refused("GET " + path, reply));
        }
        return reply;
    }

    private static Object json(ManagementApi api, String path) throws ChurnFailure, InterruptedException {
        Reply reply = ask(api, path);
        return reply.status() == 200 ? api.parse("GET " + path, reply.text()) : "";
    }

    /** Of a metric without labels, or the first of several with them. */
    private static OptionalDouble value(Reply metrics, String name) {
        if (metrics.status() != 200) {
            return OptionalDouble.empty();
        }
        Matcher matcher = Pattern.compile("^" + name + "(?:\\{[^}\n]*})? +([-+0-9.eE]+)", Pattern.MULTILINE)
                .matcher(metrics.text());
        try {
            return matcher.find() ? OptionalDouble.of(Double.parseDouble(matcher.group(1))) : OptionalDouble.empty();
        } catch (NumberFormatException e) {
            return OptionalDouble.empty();
        }
    }
}
