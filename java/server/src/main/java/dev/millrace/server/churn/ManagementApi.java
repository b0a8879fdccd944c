// SPDX-License-Identifier: Apache-2.0
package dev.millrace.server.churn;

import com.fasterxml.jackson.jr.ob.JSON;
import dev.millrace.server.HumanTime;
import java.io.IOException;
import java.net.ConnectException;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpConnectTimeoutException;
import java.net.http.HttpHeaders;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublisher;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodySubscriber;
import java.net.http.HttpResponse.BodySubscribers;
import java.net.http.HttpTimeoutException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * A server's management API over HTTP/1.1, as far as the benchmark needs it. Any thread may call anything; futures complete on
 * the one thread of the client that sees answers come, where nothing may block: so an answer wakes no other thread before it
 * begins the next request.
 */
final class ManagementApi implements AutoCloseable {
    private static final Duration CONNECT_TIMEOUT = Duration.ofSeconds(5);
    private static final int MAX_TEXT = 16 << 20;
    private static final int SHOWN = 300;

    private final URI endpoint;
    private final Optional<String> token;
    private final Duration timeout;
    private final HttpClient client;
    /** Each under a key of its own. */
    private final Map<Object, CompletableFuture<?>> underWay = new ConcurrentHashMap<>();

    /**
     * An answer.
     *
     * @param status of HTTP
     * @param headers all of them
     * @param text the body, where it is not a layer map
     * @param layers of a layer map
     */
    record Reply(int status, HttpHeaders headers, String text, Optional<List<LayerState>> layers) {
        /** When asking again may help, in whole seconds; only where the server says so. */
        Optional<Duration> retryAfter() {
            return headers.firstValue("Retry-After")
                    .filter(text -> text.matches("[0-9]{1,6}"))
                    .map(text -> Duration.ofSeconds(Long.parseLong(text)));
        }

        /** When the server's process began, as it writes it. */
        Optional<String> launched() {
            return headers.firstValue("Millrace-Launch-Timestamp")
                    .or(() -> headers.firstValue("PAGESERVER_LAUNCH_TIMESTAMP"));
        }
    }

    /**
     * Of a server; asks nothing of it yet.
     *
     * @param timeout for the whole answer of one request
     */
    ManagementApi(URI endpoint, Optional<String> token, Duration timeout) {
        this.endpoint = endpoint;
        this.token = token;
        this.timeout = timeout;
        this.client = HttpClient.newBuilder()
                .version(HttpClient.Version.HTTP_1_1)
                .followRedirects(HttpClient.Redirect.NEVER)
                .connectTimeout(CONNECT_TIMEOUT)
                .executor(Runnable::run)
                .build();
    }

    static String layers(ChurnTarget target) {
        return "/v1/tenant/" + target.tenant() + "/timeline/" + target.timeline() + "/layer";
    }

    static String layer(ChurnTarget target, String name) {
        return layers(target) + "/"
                + URLEncoder.encode(name, StandardCharsets.UTF_8).replace("+", "%20");
    }

    // ------------------------------------------------------------------ requests

    CompletableFuture<Reply> get(String path) {
        return send("GET", path, BodyPublishers.noBody(), false);
    }

    CompletableFuture<Reply> delete(String path) {
        return send("DELETE", path, BodyPublishers.noBody(), false);
    }

    CompletableFuture<Reply> put(String path, String json) {
        return send("PUT", path, BodyPublishers.ofString(json), false);
    }

    CompletableFuture<Reply> layerMap(ChurnTarget target) {
        return send("GET", layers(target), BodyPublishers.noBody(), true);
    }

    /**
     * Sends a request, and once more where the connection broke before the answer came: the server may have closed one that had
     * lain idle. All that is sent here may be sent twice.
     */
    private CompletableFuture<Reply> send(String method, String path, BodyPublisher body, boolean map) {
        HttpRequest.Builder builder =
                HttpRequest.newBuilder(URI.create(endpoint + path)).method(method, body);
        token.ifPresent(value -> builder.header("Authorization", "Bearer " + value));
        HttpRequest request = builder.build();
        return once(request, map)
                .exceptionallyCompose(problem -> isBrokenConnection(cause(problem))
                        ? once(request, map)
                        : CompletableFuture.failedFuture(cause(problem)));
    }

    private static boolean isBrokenConnection(Throwable problem) {
        return problem instanceof IOException
                && !(problem instanceof ConnectException)
                && !(problem instanceof HttpTimeoutException);
    }

    private CompletableFuture<Reply> once(HttpRequest request, boolean map) {
        CompletableFuture<Reply> reply = new CompletableFuture<>();
        CompletableFuture<HttpResponse<Reply>> exchange =
                client.sendAsync(request, info -> told(body(info, map), reply));
        Object key = new Object();
        underWay.put(key, exchange);
        exchange.whenComplete((response, problem) -> {
            underWay.remove(key);
            if (problem != null) {
                reply.completeExceptionally(problem);
            }
        });
        // The client's own limit of time ends with the headers; this one holds for the body too.
        reply.orTimeout(timeout.toMillis(), TimeUnit.MILLISECONDS).whenComplete((answer, problem) -> {
            if (problem != null) {
                exchange.cancel(true);
            }
        });
        return reply;
    }

    /** Tells of a body when it is complete; the client itself tells of it on another thread. */
    private static BodySubscriber<Reply> told(BodySubscriber<Reply> body, CompletableFuture<Reply> reply) {
        body.getBody().whenComplete((answer, problem) -> {
            if (problem == null) {
                reply.complete(answer);
            } else {
                reply.completeExceptionally(problem);
            }
        });
        return body;
    }

    private static BodySubscriber<Reply> body(HttpResponse.ResponseInfo info, boolean map) {
        if (map && info.statusCode() == 200) {
            return BodySubscribers.mapping(
                    LayerMapBody.create(),
                    layers -> new Reply(info.statusCode(), info.headers(), "", Optional.of(layers)));
        }
        return BodySubscribers.mapping(
                new LimitedBody(MAX_TEXT),
                text -> new Reply(info.statusCode(), info.headers(), text, Optional.empty()));
    }

    static Throwable cause(Throwable problem) {
        Throwable cause = problem;
        while ((cause instanceof CompletionException || cause instanceof ExecutionException)
                && cause.getCause() != null) {
            cause = cause.getCause();
        }
        return cause;
    }

    /** Waits for an answer; not on a thread of this client. */
    Reply await(String what, CompletableFuture<Reply> reply) throws ChurnFailure, InterruptedException {
        try {
            return reply.get();
        } catch (ExecutionException e) {
            throw new ChurnFailure(noAnswer(what, cause(e)), e);
        }
    }

    // ------------------------------------------------------------------ failures as sentences

    /** Why a request had no answer. */
    String noAnswer(String what, Throwable problem) {
        String at = "The server at " + endpoint;
        if (problem instanceof HttpConnectTimeoutException) {
            return at + " does not take connections within " + HumanTime.text(CONNECT_TIMEOUT) + " (" + what + ")";
        }
        if (problem instanceof ConnectException) {
            return at + " cannot be reached: " + message(problem, "nothing listens there") + " (" + what + ")";
        }
        if (problem instanceof TimeoutException || problem instanceof HttpTimeoutException) {
            return at + " has not answered within " + HumanTime.text(timeout) + " (" + what + ")";
        }
        return at + " has broken off: " + message(problem, problem.getClass().getSimpleName()) + " (" + what + ")";
    }

    private static String message(Throwable problem, String otherwise) {
        String text = problem.getMessage();
        return text == null || text.isBlank() ? otherwise : text;
    }

    /** Why an answer is none that was asked for. */
    String refused(String what, Reply reply) {
        String said = said(reply);
        return switch (reply.status()) {
            case 401 ->
                token.isPresent()
                        ? "The server at " + endpoint + " does not know the token of --token-file (401" + said + ")"
                        : "The server at " + endpoint + " wants a token: name its file by --token-file (401" + said
                                + ")";
            case 403 ->
                "The token of --token-file does not allow what the benchmark does (403" + said + "; " + what
                        + "), or is not known to the server at " + endpoint;
            default -> "The server at " + endpoint + " answered " + reply.status() + said + " (" + what + ")";
        };
    }

    /** What the server says of its refusal, after a colon; the first part of it where it is long. */
    private static String said(Reply reply) {
        String text = reply.text();
        try {
            if (JSON.std.anyFrom(text.isBlank() ? "null" : text) instanceof Map<?, ?> map
                    && map.get("msg") instanceof String message) {
                text = message;
            }
        } catch (IOException e) {
            text = reply.text(); // no JSON: as it is
        }
        text = text.strip();
        return text.isEmpty() ? "" : ": " + (text.length() > SHOWN ? text.substring(0, SHOWN) + "..." : text);
    }

    // ------------------------------------------------------------------ answers that are waited for

    /** The JSON of a GET that must be answered with 200. */
    Object json(String path) throws ChurnFailure, InterruptedException {
        Reply reply = await("GET " + path, get(path));
        if (reply.status() != 200) {
            throw new ChurnFailure(refused("GET " + path, reply));
        }
        return parse("GET " + path, reply.text());
    }

    Object parse(String what, String text) throws ChurnFailure {
        try {
            Object value = JSON.std.anyFrom(text);
            return value == null ? Map.of() : value;
        } catch (IOException e) {
            throw new ChurnFailure(
                    "The server at " + endpoint + " answered what is no JSON (" + what + "): is that a management API?",
                    e);
        }
    }

    /** A member of a JSON object as text; empty where there is none. */
    static Optional<String> text(Object json, String... path) {
        Object at = json;
        for (String name : path) {
            at = at instanceof Map<?, ?> map ? map.get(name) : null;
        }
        return at instanceof String text ? Optional.of(text) : Optional.empty();
    }

    URI endpoint() {
        return endpoint;
    }

    /** Gives up what is under way. */
    @Override
    public void close() {
        underWay.values().forEach(exchange -> exchange.cancel(true));
    }
}
