// SPDX-License-Identifier: Apache-2.0
package dev.millrace.server.http;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/**
 * One call of the API.
 *
 * @param method of HTTP
 * @param template the path, with {@code {tenant_id}}, {@code {timeline_id}} and {@code {layer_file_name}} for what varies
 * @param scope what a token must allow
 * @param handler carries it out
 */
record Route(String method, String template, Scope scope, Handler handler) {
    /** Carries a call out. */
    @FunctionalInterface
    interface Handler {
        /** May block a little while for what is local; what waits longer completes later. */
        CompletionStage<Answer> handle(Call call) throws ApiException;
    }

    /** Carries a call out at once. */
    @FunctionalInterface
    interface Quick {
        /** The answer. */
        Answer handle(Call call) throws ApiException;
    }

    /** A call that is answered at once. */
    static Route quick(String method, String template, Scope scope, Quick handler) {
        return new Route(method, template, scope, call -> CompletableFuture.completedFuture(handler.handle(call)));
    }
}
