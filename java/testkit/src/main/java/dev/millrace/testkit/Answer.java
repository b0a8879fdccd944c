// SPDX-License-Identifier: Apache-2.0
package dev.millrace.testkit;

import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.OptionalLong;

/**
 * What a server has to say before any fault touches it. The headers may hold framing headers; those of the wire follow
 * from the length. The length of a HEAD's answer is that of the body it does not have.
 */
record Answer(int status, Headers headers, OptionalLong length, InputStream body) {

    static Answer of(int status, Headers headers, Content content) {
        return new Answer(status, headers, OptionalLong.of(content.length()), content.stream());
    }

    static Answer of(int status, Headers headers, String text) {
        return of(status, headers, Content.of(text.getBytes(StandardCharsets.UTF_8)));
    }

    static Answer error(int status, String code, String message) {
        return error(status, code, message, Headers.none());
    }

    static Answer error(int status, String code, String message, Headers headers) {
        return of(status, Headers.of("Content-Type", "application/xml").with(headers), S3Xml.error(code, message));
    }
}
