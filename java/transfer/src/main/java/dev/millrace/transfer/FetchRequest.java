// SPDX-License-Identifier: Apache-2.0
package dev.millrace.transfer;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/**
 * One GET, as it goes out.
 *
 * @param object which object
 * @param range which bytes; empty for all
 * @param ifMatch the ETag it must still have, with its quotes; empty for any
 * @param versionId which version; empty for the newest
 * @param headers further headers of the request by their HTTP names (customer's key, payer, expected owner, ...). Never
 *     Range, If-Match or Accept-Encoding.
 * @param newConnection ask over a connection that was never used before
 */
public record FetchRequest(
        ObjectId object,
        Optional<ByteRange> range,
        Optional<String> ifMatch,
        Optional<String> versionId,
        Map<String, String> headers,
        boolean newConnection) {
    /** Copies the headers. */
    public FetchRequest {
        headers = Map.copyOf(headers);
    }

    /** The whole newest object, whatever its ETag. */
    public static FetchRequest of(ObjectId object) {
        return new FetchRequest(object, Optional.empty(), Optional.empty(), Optional.empty(), Map.of(), false);
    }

    /** The same for these bytes. */
    public FetchRequest withRange(Optional<ByteRange> bytes) {
        return new FetchRequest(object, bytes, ifMatch, versionId, headers, newConnection);
    }

    /** The same for an object of this ETag only. */
    public FetchRequest withIfMatch(Optional<String> etag) {
        return new FetchRequest(object, range, etag, versionId, headers, newConnection);
    }

    /** The same for this version. */
    public FetchRequest withVersionId(Optional<String> version) {
        return new FetchRequest(object, range, ifMatch, version, headers, newConnection);
    }

    /** The same with one more header. */
    public FetchRequest withHeader(String name, String value) {
        Map<String, String> more = new LinkedHashMap<>(headers);
        more.put(name, value);
        return new FetchRequest(object, range, ifMatch, versionId, more, newConnection);
    }

    /** The same with these further headers in place of the others. */
    public FetchRequest withHeaders(Map<String, String> all) {
        return new FetchRequest(object, range, ifMatch, versionId, all, newConnection);
    }

    /** The same over a new connection, or over any. */
    public FetchRequest withNewConnection(boolean fresh) {
        return new FetchRequest(object, range, ifMatch, versionId, headers, fresh);
    }
}
