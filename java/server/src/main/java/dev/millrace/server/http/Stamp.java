// SPDX-License-Identifier: Apache-2.0
package dev.millrace.server.http;

import java.util.UUID;
import org.eclipse.jetty.server.Handler;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.util.Callback;

/** The headers of every response, of errors and unknown calls too. */
final class Stamp {
    static final String REQUEST_ID = "x-request-id";
    private static final int MAX_REQUEST_ID = 128;
    private static final String CHOSEN = Stamp.class.getName();

    private final LaunchTime launch;

    Stamp(LaunchTime launch) {
        this.launch = launch;
    }

    /** A handler that puts them, and then does what another does. */
    Handler before(Handler next) {
        return new Handler.Wrapper(next) {
            @Override
            public boolean handle(Request request, Response response, Callback callback) throws Exception {
                put(request, response);
                return super.handle(request, response, callback);
            }
        };
    }

    /** Puts them; the id of a request stays the same however often. */
    void put(Request request, Response response) {
        launch.put(response.getHeaders());
        Object chosen = request.getAttribute(CHOSEN);
        String id = chosen instanceof String before ? before : requestId(request);
        request.setAttribute(CHOSEN, id);
        response.getHeaders().put(REQUEST_ID, id);
    }

    /** The client's own, where it is one that can be logged and sent back; else a new one. */
    private static String requestId(Request request) {
        String sent = request.getHeaders().get(REQUEST_ID);
        boolean usable = sent != null
                && !sent.isEmpty()
                && sent.length() <= MAX_REQUEST_ID
                && sent.chars().allMatch(c -> c > ' ' && c < 0x7f);
        return usable ? sent : UUID.randomUUID().toString();
    }
}
