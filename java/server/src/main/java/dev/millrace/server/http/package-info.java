// SPDX-License-Identifier: Apache-2.0
/**
 * The management API over HTTP/1.1. A request goes through {@code Router} (token, route, typed
 * ids, body) to a handler in one of the {@code *Calls}, which asks the {@link dev.millrace.server.http.LayerService} and
 * gives an {@code Answer}. What is possible is in {@code openapi.json} beside these classes; a
 * test holds both to each other.
 *
 * <p>A request that waits for a download or an eviction holds no thread.
 */
package dev.millrace.server.http;
