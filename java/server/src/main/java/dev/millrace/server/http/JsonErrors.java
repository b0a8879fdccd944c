// SPDX-License-Identifier: Apache-2.0
package dev.millrace.server.http;

import org.eclipse.jetty.http.HttpHeader;
import org.eclipse.jetty.http.HttpStatus;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.server.handler.ErrorHandler;
import org.eclipse.jetty.util.Callback;

/** What the HTTP library refuses by itself, such as a request that is none, said as everything else is. */
final class JsonErrors implements Request.Handler {
    private final Stamp stamp;

    JsonErrors(Stamp stamp) {
        this.stamp = stamp;
    }

    @Override
    public boolean handle(Request request, Response response, Callback callback) {
        stamp.put(request, response);
        int status = response.getStatus() < 400 ? 500 : response.getStatus();
        // What broke the rules may have left anything behind it on the connection.
        response.getHeaders().put(HttpHeader.CONNECTION, "close");
        Object message = request.getAttribute(ErrorHandler.ERROR_MESSAGE);
        String reason = message == null ? HttpStatus.getMessage(status) : String.valueOf(message);
        Answer.failure(status, "the request was refused: " + Call.shown(reason)).send(response, callback);
        return true;
    }
}
