// SPDX-License-Identifier: Apache-2.0
package dev.millrace.transfer;

import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.Consumer;

/**
 * One object to one file. Start with {@link #of} and derive.
 *
 * @param object which object
 * @param target the file's final name; a symbolic link is followed and its target replaced
 * @param expectedLength bytes that a listing or index promises (of the range, where there is one); another length is an
 *     error
 * @param expectedETag the ETag that a listing or index promises, with its quotes; another object is an error
 * @param expectedCrc32c base64 of the whole object's CRC32C that an index promises; it goes before the store's own
 *     checksums, and other bytes are an error
 * @param range the bytes wanted; empty for all
 * @param versionId which version; empty for the newest
 * @param headers further headers of each request (customer's key, payer, expected owner, ...) by their HTTP names
 * @param onDemand somebody waits for this one: it goes before those that do not
 * @param index a small index object, which has permits of its own
 * @param progress hears how far it has come
 */
public record DownloadRequest(
        ObjectId object,
        Path target,
        OptionalLong expectedLength,
        Optional<String> expectedETag,
        Optional<String> expectedCrc32c,
        Optional<ByteRange> range,
        Optional<String> versionId,
        Map<String, String> headers,
        boolean onDemand,
        boolean index,
        Progress progress) {
    /** Copies the headers. */
    public DownloadRequest {
        headers = Map.copyOf(headers);
    }

    /** The whole newest object, nothing promised, in bulk. */
    public static DownloadRequest of(ObjectId object, Path target) {
        return new DownloadRequest(
                object,
                target,
                OptionalLong.empty(),
                Optional.empty(),
                Optional.empty(),
                Optional.empty(),
                Optional.empty(),
                Map.of(),
                false,
                false,
                Progress.NONE);
    }

    /** The same with a promised length in bytes. */
    public DownloadRequest withExpectedLength(long bytes) {
        return with(draft -> draft.expectedLength = OptionalLong.of(bytes));
    }

    /** The same with a promised ETag, quotes included. */
    public DownloadRequest withExpectedETag(String etag) {
        return with(draft -> draft.expectedETag = Optional.of(etag));
    }

    /** The same with a promised CRC32C of the whole object, in base64. */
    public DownloadRequest withExpectedCrc32c(String base64) {
        return with(draft -> draft.expectedCrc32c = Optional.of(base64));
    }

    /** The same for these bytes only. */
    public DownloadRequest withRange(ByteRange bytes) {
        return with(draft -> draft.range = Optional.of(bytes));
    }

    /** The same for this version of the object. */
    public DownloadRequest withVersionId(String version) {
        return with(draft -> draft.versionId = Optional.of(version));
    }

    /** The same with these further headers on each request. */
    public DownloadRequest withHeaders(Map<String, String> all) {
        return with(draft -> draft.headers = all);
    }

    /** The same, before those that nobody waits for; or not. */
    public DownloadRequest withOnDemand(boolean urgent) {
        return with(draft -> draft.onDemand = urgent);
    }

    /** The same, under the permits of small index objects; or of layers. */
    public DownloadRequest withIndex(boolean small) {
        return with(draft -> draft.index = small);
    }

    /** The same with this listener. */
    public DownloadRequest withProgress(Progress listener) {
        return with(draft -> draft.progress = listener);
    }

    private DownloadRequest with(Consumer<Draft> change) {
        Draft draft = new Draft(this);
        change.accept(draft);
        return draft.finished();
    }

    /** A copy under way: the one place that knows all components, so that each derivation names only its own. */
    private static final class Draft {
        private final ObjectId object;
        private final Path target;
        private OptionalLong expectedLength;
        private Optional<String> expectedETag;
        private Optional<String> expectedCrc32c;
        private Optional<ByteRange> range;
        private Optional<String> versionId;
        private Map<String, String> headers;
        private boolean onDemand;
        private boolean index;
        private Progress progress;

        Draft(DownloadRequest from) {
            object = from.object;
            target = from.target;
            expectedLength = from.expectedLength;
            expectedETag = from.expectedETag;
            expectedCrc32c = from.expectedCrc32c;
            range = from.range;
            versionId = from.versionId;
            headers = from.headers;
            onDemand = from.onDemand;
            index = from.index;
            progress = from.progress;
        }

        DownloadRequest finished() {
            return new DownloadRequest(
                    object,
                    target,
                    expectedLength,
                    expectedETag,
                    expectedCrc32c,
                    range,
                    versionId,
                    headers,
                    onDemand,
                    index,
                    progress);
        }
    }
}
