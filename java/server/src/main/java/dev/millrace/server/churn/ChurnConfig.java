// SPDX-License-Identifier: Apache-2.0
package dev.millrace.server.churn;

import dev.millrace.server.HumanTime;
import java.net.URI;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.Consumer;

/**
 * What a run does.
 *
 * @param endpoint of the management API, {@code http://host:port}
 * @param token sent with each request; empty: none
 * @param runtime how long requests are begun; those under way are then waited for
 * @param tasksPerTarget tasks that fight over the layers of one target
 * @param concurrencyPerTarget requests that one task has under way at most
 * @param firstTargets only so many targets, the first when sorted; empty: all
 * @param engine set before the run begins; empty: whatever runs
 * @param targets empty: all that the server has
 * @param requestTimeout for the whole answer of one request; longer than the server's own limits
 * @param grace how long requests that are under way at the end are waited for
 */
public record ChurnConfig(
        URI endpoint,
        Optional<String> token,
        Duration runtime,
        int tasksPerTarget,
        int concurrencyPerTarget,
        OptionalInt firstTargets,
        Optional<String> engine,
        List<ChurnTarget> targets,
        Duration requestTimeout,
        Duration grace) {
    /** Requests that all tasks together may have under way: each has a connection. */
    public static final int MAX_REQUESTS = 10_000;

    /** A limit of 120 s is what servers have for an eviction. */
    private static final Duration REQUEST_TIMEOUT = Duration.ofSeconds(150);

    private static final Duration GRACE = Duration.ofSeconds(10);

    /**
     * Checks and copies.
     *
     * @throws IllegalArgumentException with a sentence, where the address is none, or the time or a number is not above 0
     */
    public ChurnConfig {
        String scheme = String.valueOf(endpoint.getScheme());
        if (!(scheme.equals("http") || scheme.equals("https")) || endpoint.getHost() == null) {
            throw new IllegalArgumentException(
                    "The endpoint '" + endpoint + "' is not understood: write http://host:port");
        }
        if (runtime.isZero() || runtime.isNegative()) {
            throw new IllegalArgumentException(
                    "The runtime is " + HumanTime.text(runtime) + " and must be longer than 0");
        }
        positive("tasks per target", tasksPerTarget);
        positive("concurrency per target", concurrencyPerTarget);
        if (firstTargets.isPresent()) {
            positive("limit of targets", firstTargets.getAsInt());
        }
        targets = List.copyOf(targets);
    }

    private static void positive(String what, int number) {
        if (number < 1) {
            throw new IllegalArgumentException("The " + what + " is " + number + " and must be at least 1");
        }
    }

    /** One task with one request at a time on each target of a server, without a token. */
    public static ChurnConfig of(URI endpoint, Duration runtime) {
        return new ChurnConfig(
                endpoint,
                Optional.empty(),
                runtime,
                1,
                1,
                OptionalInt.empty(),
                Optional.empty(),
                List.of(),
                REQUEST_TIMEOUT,
                GRACE);
    }

    /** On another server. */
    public ChurnConfig on(URI other) {
        return with(draft -> draft.endpoint = other);
    }

    /** With a token. */
    public ChurnConfig withToken(Optional<String> newToken) {
        return with(draft -> draft.token = newToken);
    }

    /** With so many tasks on each target and requests of each task. */
    public ChurnConfig withLoad(int tasks, int concurrency) {
        return with(draft -> {
            draft.tasksPerTarget = tasks;
            draft.concurrencyPerTarget = concurrency;
        });
    }

    /** With these targets, or all where the list is empty, of which only the first so many. */
    public ChurnConfig withTargets(List<ChurnTarget> newTargets, OptionalInt first) {
        return with(draft -> {
            draft.targets = newTargets;
            draft.firstTargets = first;
        });
    }

    /** With an engine that is set before the run begins. */
    public ChurnConfig withEngine(Optional<String> newEngine) {
        return with(draft -> draft.engine = newEngine);
    }

    /** With other limits of waiting. */
    public ChurnConfig withTimeouts(Duration request, Duration atEnd) {
        return with(draft -> {
            draft.requestTimeout = request;
            draft.grace = atEnd;
        });
    }

    private ChurnConfig with(Consumer<Draft> change) {
        Draft draft = new Draft(this);
        change.accept(draft);
        return draft.finished();
    }

    /** A copy while it is changed. */
    private static final class Draft {
        private final Duration runtime;
        private URI endpoint;
        private Optional<String> token;
        private int tasksPerTarget;
        private int concurrencyPerTarget;
        private OptionalInt firstTargets;
        private Optional<String> engine;
        private List<ChurnTarget> targets;
        private Duration requestTimeout;
        private Duration grace;

        Draft(ChurnConfig of) {
            runtime = of.runtime;
            endpoint = of.endpoint;
            token = of.token;
            tasksPerTarget = of.tasksPerTarget;
            concurrencyPerTarget = of.concurrencyPerTarget;
            firstTargets = of.firstTargets;
            engine = of.engine;
            targets = of.targets;
            requestTimeout = of.requestTimeout;
            grace = of.grace;
        }

        ChurnConfig finished() {
            return new ChurnConfig(
                    endpoint,
                    token,
                    runtime,
                    tasksPerTarget,
                    concurrencyPerTarget,
                    firstTargets,
                    engine,
                    targets,
                    requestTimeout,
                    grace);
        }
    }
}
