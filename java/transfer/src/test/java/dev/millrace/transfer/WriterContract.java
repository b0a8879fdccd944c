// SPDX-License-Identifier: Apache-2.0
package dev.millrace.transfer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.millrace.io.EngineKind;
import dev.millrace.testkit.Content;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What every store does alike when objects are put there: a source's contract and this one. */
abstract class WriterContract extends SourceContract {
    @TempDir
    Path files;

    abstract ObjectWriter writer();

    static PutRequest.Body text(String text) {
        return new PutRequest.Body.Bytes(ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8)));
    }

    Optional<String> put(PutRequest request) throws Exception {
        try {
            return writer().put(request).get(30, TimeUnit.SECONDS);
        } catch (ExecutionException e) {
            throw (Exception) e.getCause();
        }
    }

    private String read(String key) throws Exception {
        return fetch(FetchRequest.of(id(key))).body.toString(StandardCharsets.UTF_8);
    }

    private void refused(PutRequest request, int... status) {
        assertThatThrownBy(() -> put(request))
                .isInstanceOfSatisfying(
                        SourceFailure.class, failure -> assertThat(status).contains(failure.status()))
                .hasMessageContaining(request.object().toString());
    }

    @Test
    void shouldPutBytesAndFilesAndReplaceThem() throws Exception {
        assertThat(put(PutRequest.of(id("new/one"), text("first")))).isPresent();
        assertThat(read("new/one")).isEqualTo("first");
        Path file = files.resolve("file");
        Files.write(file, CONTENT.toBytes());
        put(PutRequest.of(id("new/one"), new PutRequest.Body.File(file)));
        assertThat(fetch(FetchRequest.of(id("new/one"))).body.toByteArray()).isEqualTo(CONTENT.toBytes());
        put(PutRequest.of(id("new/empty"), text("")));
        assertThat(read("new/empty")).isEmpty();
        assertThat(source().list("bucket", "new/", Optional.empty()).objects())
                .extracting(ListedObject::key)
                .containsExactlyInAnyOrder("new/one", "new/empty");
    }

    @Test
    void shouldPutOnlyWhereNoneIs() throws Exception {
        put(PutRequest.of(id("once"), text("first")).ifAbsent());
        refused(PutRequest.of(id("once"), text("second")).ifAbsent(), 412, 409);
        assertThat(read("once")).isEqualTo("first");
    }

    @Test
    void shouldReplaceOnlyWhatWasRead() throws Exception {
        String first = put(PutRequest.of(id("index"), text("first"))).orElseThrow();
        assertThat(source().head(id("index")).get(30, TimeUnit.SECONDS).etag()).contains(first);
        put(PutRequest.of(id("index"), text("second one")).ifMatch(first));
        refused(PutRequest.of(id("index"), text("third")).ifMatch(first), 412);
        assertThat(read("index")).isEqualTo("second one");
        refused(PutRequest.of(id("never"), text("x")).ifMatch(first), 404, 412);
    }

    @Test
    void shouldSayThatTheBucketIsMissing() {
        assertThatThrownBy(() -> put(PutRequest.of(new ObjectId("nowhere", "a"), text("x"))))
                .isInstanceOfSatisfying(
                        SourceFailure.class,
                        failure -> assertThat(failure.code()).isEqualTo("NoSuchBucket"));
    }

    @Test
    void shouldFailWhereTheFileToPutIsMissing() throws Exception {
        assertThatThrownBy(() -> put(PutRequest.of(id("gone"), new PutRequest.Body.File(files.resolve("missing")))))
                .isInstanceOf(SourceFailure.class);
        assertThat(source().list("bucket", "gone", Optional.empty()).objects()).isEmpty();
    }

    @Test
    void shouldPutNothingWhenClosed() {
        source().close();
        assertThatThrownBy(() -> put(PutRequest.of(id("late"), text("x"))))
                .isInstanceOfSatisfying(
                        SourceFailure.class,
                        failure -> assertThat(failure.kind()).isEqualTo(SourceFailure.Kind.CLOSED));
    }

    @Test
    void shouldHoldTheBytesAgainstThePromiseOfAnIndex() throws Exception {
        put(PutRequest.of(id("promised"), text("123456789")));
        try (Downloader downloader =
                Downloader.open(Engines.open(EngineKind.BLOCKING), source(), DownloaderConfig.defaults())) {
            DownloadRequest request = DownloadRequest.of(id("promised"), files.resolve("out"));
            assertThat(Rig.await(downloader.download(request.withExpectedCrc32c("4waSgw==")))
                            .verified())
                    .isEqualTo("crc32c");
            assertThatThrownBy(() -> Rig.await(downloader.download(request.withExpectedCrc32c("AAAAAA=="))))
                    .isInstanceOf(DownloadFailure.ChecksumMismatch.class)
                    .hasMessageContaining("the index promises crc32c AAAAAA==");
        }
        assertThat(files.resolve("out")).hasContent("123456789");
        Rig.assertSame(files.resolve("out"), Content.of("123456789"));
    }
}
