// SPDX-License-Identifier: Apache-2.0
package dev.millrace.server.http;

import java.io.IOException;
import java.io.InputStream;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.CompletionException;
import org.eclipse.jetty.http.HttpException;
import org.eclipse.jetty.http.HttpHeader;
import org.eclipse.jetty.http.pathmap.MatchedResource;
import org.eclipse.jetty.http.pathmap.PathMappings;
import org.eclipse.jetty.http.pathmap.UriTemplatePathSpec;
import org.eclipse.jetty.io.Content;
import org.eclipse.jetty.server.Handler;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.util.Callback;
import org.eclipse.jetty.util.Fields;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Takes a request to its handler: token, path, ids, body, and then the answer back. Whatever goes wrong becomes an answer of
 * JSON with a sentence.
 */
final class Router extends Handler.Abstract {
    /** The most bytes of a body. */
    static final int MAX_BODY = 1 << 20;

    /** Of a body that is too large so much is taken and thrown away, so that the client comes to read that it was. */
    private static final int MAX_DRAINED = 16 << 20;

    private static final Set<String> WITHOUT_BODY = Set.of("GET", "DELETE", "HEAD");
    /** Answers that come before all of the body, if any, was read. */
    private static final Set<Integer> BEFORE_BODY = Set.of(401, 403, 413);

    private static final Logger LOG = LoggerFactory.getLogger(Router.class);

    private final PathMappings<Map<String, Route>> routes = new PathMappings<>();
    private final Gate gate;

    Router(List<Route> all, Gate gate) {
        this.gate = gate;
        Map<String, Map<String, Route>> byTemplate = new LinkedHashMap<>();
        for (Route route : all) {
            Route other = byTemplate
                    .computeIfAbsent(route.template(), template -> new TreeMap<>())
                    .put(route.method(), route);
            if (other != null) {
                throw new IllegalArgumentException(route.method() + " " + route.template() + " is there twice");
            }
        }
        byTemplate.forEach((template, methods) -> routes.put(new UriTemplatePathSpec(template), methods));
    }

    @Override
    public boolean handle(Request request, Response response, Callback callback) {
        // A wait for a download is no idleness.
        request.addIdleTimeoutListener(timeout -> false);
        try {
            Optional<MatchedResource<Map<String, Route>>> match = match(request);
            Optional<Route> route = match.map(found -> found.getResource().get(request.getMethod()));
            Scope granted = gate.check(request.getHeaders().get(HttpHeader.AUTHORIZATION), route);
            // Whatever comes of it: the next request of the connection begins behind the body.
            byte[] body = body(request);
            if (route.isEmpty()) {
                refuse(request, response, match);
            }
            Call call = call(request, match.orElseThrow(), route.orElseThrow(), body, granted);
            route.get().handler().handle(call).whenComplete((answer, failure) -> {
                if (failure == null) {
                    send(answer, request, response, callback);
                } else {
                    fail(failure, request, response, callback);
                }
            });
        } catch (ApiException | RuntimeException e) {
            fail(e, request, response, callback);
        }
        return true;
    }

    private Optional<MatchedResource<Map<String, Route>>> match(Request request) {
        return Optional.ofNullable(routes.getMatched(path(request)));
    }

    /** Without slashes at the end, which make no difference. */
    private static String path(Request request) {
        String path = Request.getPathInContext(request);
        if (path == null) {
            return ""; // it climbs above the root
        }
        return path.length() > 1 && path.endsWith("/") ? path.substring(0, path.length() - 1) : path;
    }

    private static void refuse(Request request, Response response, Optional<MatchedResource<Map<String, Route>>> match)
            throws ApiException {
        String call = Call.shown(request.getMethod() + " " + path(request));
        if (match.isEmpty()) {
            throw ApiException.notFound("there is no call " + call + "; GET /openapi.json tells which there are");
        }
        String methods = String.join(", ", match.get().getResource().keySet());
        response.getHeaders().put(HttpHeader.ALLOW, methods);
        throw new ApiException(405, "there is no call " + call + "; this path has " + methods, Optional.empty());
    }

    private static Call call(
            Request request, MatchedResource<Map<String, Route>> match, Route route, byte[] body, Scope granted)
            throws ApiException {
        Map<String, String> variables = ((UriTemplatePathSpec) match.getPathSpec()).getPathParams(path(request));
        Call.Ids ids = Call.Ids.parse(variables == null ? Map.of() : variables);
        return new Call(ids, query(request), WITHOUT_BODY.contains(route.method()) ? new byte[0] : body, granted);
    }

    private static Map<String, String> query(Request request) throws ApiException {
        Fields fields;
        try {
            fields = Request.extractQueryParameters(request);
        } catch (RuntimeException e) {
            throw ApiException.badRequest("the query cannot be decoded: it is percent-encoded UTF-8");
        }
        Map<String, String> query = new LinkedHashMap<>();
        for (Fields.Field field : fields) {
            List<String> values = field.getValues();
            query.put(field.getName(), values.get(values.size() - 1));
        }
        return query;
    }

    /** Also of GET and DELETE, where it means nothing. */
    private static byte[] body(Request request) throws ApiException {
        if (request.getLength() > MAX_DRAINED) {
            throw tooLarge();
        }
        try (InputStream in = Content.Source.asInputStream(request)) {
            byte[] body = in.readNBytes(MAX_BODY + 1);
            if (body.length <= MAX_BODY) {
                return body;
            }
            // Most clients read no answer before they have sent everything.
            in.skip(MAX_DRAINED);
            throw tooLarge();
        } catch (IOException | HttpException.RuntimeException e) {
            throw ApiException.badRequest("the body cannot be read: it ends early, or is not what its headers say");
        }
    }

    private static ApiException tooLarge() {
        return new ApiException(
                413, "the body has more than " + MAX_BODY + " bytes, the most there can be", Optional.empty());
    }

    // ------------------------------------------------------------------ the way back

    private static void send(Answer answer, Request request, Response response, Callback callback) {
        try {
            if (answer instanceof Answer.Whole whole) {
                whole.send(response, callback);
            } else if (answer instanceof Answer.Streamed streamed) {
                response.setStatus(200);
                response.getHeaders().put(HttpHeader.CONTENT_TYPE, streamed.contentType());
                StreamedBody out = new StreamedBody(Content.Sink.asOutputStream(response));
                streamed.body().writeTo(out);
                out.close();
                callback.succeeded();
            }
        } catch (IOException | RuntimeException e) {
            // Part of it may be on its way: the connection breaks, so that nobody takes it for the whole.
            LOG.debug("answering {} has failed", Call.shown(request.getHttpURI().toString()), e);
            callback.failed(e);
        }
    }

    private void fail(Throwable problem, Request request, Response response, Callback callback) {
        Throwable cause =
                problem instanceof CompletionException && problem.getCause() != null ? problem.getCause() : problem;
        ApiException failure = Failures.of(cause);
        if (failure.status() == 500) {
            LOG.error(
                    "{} {} has failed",
                    request.getMethod(),
                    Call.shown(request.getHttpURI().toString()),
                    cause);
        }
        failure.retryAfter()
                .ifPresent(wait -> response.getHeaders()
                        .put(
                                HttpHeader.RETRY_AFTER,
                                Long.toString(Math.max(1, wait.plusMillis(999).toSeconds()))));
        if (BEFORE_BODY.contains(failure.status())) {
            response.getHeaders().put(HttpHeader.CONNECTION, "close");
        }
        if (failure.status() == 401) {
            response.getHeaders().put(HttpHeader.WWW_AUTHENTICATE, "Bearer");
        }
        send(Answer.failure(failure.status(), failure.getMessage()), request, response, callback);
    }
}
