// SPDX-License-Identifier: Apache-2.0
package dev.millrace.transfer;

import java.util.List;
import java.util.Optional;
import software.amazon.awssdk.services.s3.model.EncodingType;
import software.amazon.awssdk.services.s3.model.ListObjectsRequest;
import software.amazon.awssdk.services.s3.model.ListObjectsResponse;
import software.amazon.awssdk.services.s3.model.ListObjectsV2Request;
import software.amazon.awssdk.services.s3.model.ListObjectsV2Response;
import software.amazon.awssdk.services.s3.model.S3Object;

/**
 * Pages of a listing in either of S3's two forms. Keys come URL-encoded, since XML cannot say all that a key can hold, and
 * the SDK decodes them, once.
 */
final class S3Listing {
    private static final String BY_TOKEN = "2:";
    private static final String BY_MARKER = "1:";

    private S3Listing() {}

    static boolean isByMarker(Optional<String> token) {
        return token.filter(text -> text.startsWith(BY_MARKER)).isPresent();
    }

    static ListObjectsV2Request request(String bucket, String prefix, Optional<String> token) {
        ListObjectsV2Request.Builder builder =
                ListObjectsV2Request.builder().bucket(bucket).prefix(prefix).encodingType(EncodingType.URL);
        token.ifPresent(text -> builder.continuationToken(text.substring(BY_TOKEN.length())));
        return builder.build();
    }

    static ListObjectsRequest requestByMarker(String bucket, String prefix, Optional<String> token) {
        ListObjectsRequest.Builder builder =
                ListObjectsRequest.builder().bucket(bucket).prefix(prefix).encodingType(EncodingType.URL);
        token.ifPresent(text -> builder.marker(text.substring(BY_MARKER.length())));
        return builder.build();
    }

    static ListPage page(ListObjectsV2Response answer, Optional<String> token, String what) throws SourceFailure {
        Optional<String> next = Optional.empty();
        if (Boolean.TRUE.equals(answer.isTruncated())) {
            next = Optional.ofNullable(answer.nextContinuationToken()).map(text -> BY_TOKEN + text);
        }
        return page(answer.contents(), Boolean.TRUE.equals(answer.isTruncated()), next, token, what);
    }

    static ListPage page(ListObjectsResponse answer, Optional<String> token, String what) throws SourceFailure {
        Optional<String> next = Optional.empty();
        if (Boolean.TRUE.equals(answer.isTruncated())) {
            // Without a delimiter S3 names no next marker: the last key is it.
            next = Optional.ofNullable(answer.nextMarker())
                    .filter(text -> !text.isEmpty())
                    .or(() -> last(answer.contents()))
                    .map(text -> BY_MARKER + text);
        }
        return page(answer.contents(), Boolean.TRUE.equals(answer.isTruncated()), next, token, what);
    }

    private static Optional<String> last(List<S3Object> objects) {
        return objects.isEmpty()
                ? Optional.empty()
                : Optional.of(objects.get(objects.size() - 1).key());
    }

    private static ListPage page(
            List<S3Object> objects, boolean truncated, Optional<String> next, Optional<String> token, String what)
            throws SourceFailure {
        if (truncated && next.isEmpty()) {
            throw nonsense(what + " makes no sense: a page says that more follow, and not where");
        }
        if (truncated && next.equals(token)) {
            throw nonsense(what + " goes in a circle: a page names itself as the next");
        }
        return new ListPage(objects.stream().map(S3Listing::listed).toList(), next);
    }

    private static SourceFailure nonsense(String sentence) {
        return SourceFailure.of(SourceFailure.Kind.INVALID, sentence).build();
    }

    private static ListedObject listed(S3Object object) {
        long size = object.size() == null ? 0 : object.size();
        return new ListedObject(
                object.key(),
                size,
                Optional.ofNullable(object.eTag()),
                Optional.ofNullable(object.storageClassAsString()));
    }
}
