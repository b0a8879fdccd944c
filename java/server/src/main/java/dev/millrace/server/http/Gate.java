// SPDX-License-Identifier: Apache-2.0
package dev.millrace.server.http;

import java.util.Locale;
import java.util.Optional;
import java.util.Set;

/**
 * Who may call what.
 *
 * @param tokens empty lets everybody in
 * @param open templates of routes that need no token
 */
record Gate(Optional<Tokens> tokens, Set<String> open) {
    /** What probes and Prometheus ask for, who send no tokens. */
    static final Set<String> PROBES = Set.of("/v1/status", "/metrics");

    private static final String BEARER = "bearer ";

    /**
     * Lets pass, or not; without tokens everybody may everything.
     *
     * @param authorization the header of that name; null where there is none
     * @param route empty where there is no such call, which nobody without a token learns
     * @return what is allowed
     * @throws ApiException 401 without a token or with none of these, 403 with one that does not allow it
     */
    Scope check(String authorization, Optional<Route> route) throws ApiException {
        if (tokens.isEmpty()
                || route.filter(found -> open.contains(found.template())).isPresent()) {
            return tokens.isEmpty() ? Scope.MANAGE : Scope.OBSERVE;
        }
        Optional<String> token = Optional.ofNullable(authorization)
                .filter(text -> text.toLowerCase(Locale.ROOT).startsWith(BEARER))
                .map(text -> text.substring(BEARER.length()).strip());
        if (token.isEmpty()) {
            throw unauthorized("this server asks for a token: send the header Authorization: Bearer TOKEN");
        }
        Scope granted = tokens.get()
                .scopeOf(token.get())
                .orElseThrow(() -> unauthorized("the token is none of those that this server knows"));
        require(granted, route.map(Route::scope).orElse(Scope.OBSERVE));
        return granted;
    }

    static void require(Scope granted, Scope needed) throws ApiException {
        if (!granted.allows(needed)) {
            throw new ApiException(
                    403,
                    "the token allows to " + granted.label() + " and this call needs one that allows to "
                            + needed.label(),
                    Optional.empty());
        }
    }

    private static ApiException unauthorized(String sentence) {
        return new ApiException(401, sentence, Optional.empty());
    }
}
