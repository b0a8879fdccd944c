// SPDX-License-Identifier: Apache-2.0
package dev.millrace.transfer;

import java.time.DateTimeException;
import java.time.Instant;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import software.amazon.awssdk.http.SdkHttpResponse;

/** An answer's head from its HTTP headers: the SDK's own objects do not tell everything. */
final class S3Heads {
    private static final String CHECKSUM = "x-amz-checksum-";

    private S3Heads() {}

    /** An answer that says nothing. */
    static ObjectHead none() {
        return of(SdkHttpResponse.builder().statusCode(200).build());
    }

    static ObjectHead of(SdkHttpResponse http) {
        Map<String, String> sums = new LinkedHashMap<>();
        http.forEachHeader((name, values) -> {
            String lower = name.toLowerCase(Locale.ROOT);
            if (lower.startsWith(CHECKSUM) && !values.isEmpty()) {
                sums.put(lower.substring(CHECKSUM.length()), values.get(0));
            }
        });
        Optional<String> type = Optional.ofNullable(sums.remove("type"));
        boolean chunked = http.firstMatchingHeader("Transfer-Encoding")
                .filter(value -> value.toLowerCase(Locale.ROOT).contains("chunked"))
                .isPresent();
        return new ObjectHead(
                http.statusCode(),
                chunked ? OptionalLong.empty() : length(http),
                chunked,
                http.firstMatchingHeader("Content-Range"),
                http.firstMatchingHeader("ETag"),
                sums,
                type,
                http.firstMatchingHeader("Content-Encoding"),
                http.firstMatchingHeader("Content-Type"),
                http.firstMatchingHeader("Last-Modified").flatMap(S3Heads::date),
                http.firstMatchingHeader("x-amz-version-id"));
    }

    private static OptionalLong length(SdkHttpResponse http) {
        Optional<String> text = http.firstMatchingHeader("Content-Length").map(String::trim);
        if (text.isEmpty() || !text.get().matches("\\d{1,18}")) {
            return OptionalLong.empty();
        }
        return OptionalLong.of(Long.parseLong(text.get()));
    }

    private static Optional<Instant> date(String text) {
        try {
            return Optional.of(ZonedDateTime.parse(text, DateTimeFormatter.RFC_1123_DATE_TIME)
                    .toInstant());
        } catch (DateTimeException nonsense) {
            return Optional.empty();
        }
    }
}
