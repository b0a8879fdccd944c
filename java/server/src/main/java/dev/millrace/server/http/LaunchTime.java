// SPDX-License-Identifier: Apache-2.0
package dev.millrace.server.http;

import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.Locale;
import org.eclipse.jetty.http.HttpFields;

/**
 * When this server started, in every response: statistics live as long as the process, and who sees the time change knows
 * that they began anew.
 *
 * @param instant the moment
 */
public record LaunchTime(Instant instant) {
    /** What existing scrapers look for. Proxies may drop names with underscores. */
    static final String OLD_HEADER = "PAGESERVER_LAUNCH_TIMESTAMP";
    /** The same moment in RFC 3339. */
    static final String HEADER = "Millrace-Launch-Timestamp";

    private static final DateTimeFormatter OLD_FORM = DateTimeFormatter.ofPattern(
                    "yyyy-MM-dd HH:mm:ss.nnnnnnnnn 'UTC'", Locale.ROOT)
            .withZone(ZoneOffset.UTC);
    private static final DateTimeFormatter RFC_3339 = DateTimeFormatter.ofPattern(
                    "yyyy-MM-dd'T'HH:mm:ss.nnnnnnnnn'Z'", Locale.ROOT)
            .withZone(ZoneOffset.UTC);

    /** This moment. */
    public static LaunchTime now() {
        return new LaunchTime(Instant.now());
    }

    /** As {@code 2026-11-24 15:46:26.123456789 UTC}. */
    String oldForm() {
        return OLD_FORM.format(instant);
    }

    /** As {@code 2026-11-24T15:46:26.123456789Z}. */
    String rfc3339() {
        return RFC_3339.format(instant);
    }

    /** Puts both headers. */
    void put(HttpFields.Mutable headers) {
        headers.put(OLD_HEADER, oldForm());
        headers.put(HEADER, rfc3339());
    }
}
