// SPDX-License-Identifier: Apache-2.0
package dev.millrace.transfer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.millrace.testkit.Content;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** What every source does alike. */
abstract class SourceContract {
    static final Content CONTENT = Content.pattern(5, 200_000);
    static final String KEY = "folder/an object";

    /** A source with a bucket {@code bucket} that holds CONTENT under KEY, and an empty object {@code empty}. */
    abstract ObjectSource source();

    /** Puts one more object there. */
    abstract void put(String key, Content content) throws Exception;

    static ObjectId id(String key) {
        return new ObjectId("bucket", key);
    }

    /** Everything an answer brought. */
    static final class Answer implements FetchListener {
        final CompletableFuture<Answer> done = new CompletableFuture<>();
        final ByteArrayOutputStream body = new ByteArrayOutputStream();
        final CompletableFuture<ObjectHead> head = new CompletableFuture<>();
        int chunks;
        int terminals;

        @Override
        public void head(ObjectHead given) {
            head.complete(given);
        }

        @Override
        public void chunk(ByteBuffer bytes) {
            chunks++;
            byte[] copy = new byte[bytes.remaining()];
            bytes.get(copy);
            body.writeBytes(copy);
        }

        @Override
        public void end() {
            terminals++;
            done.complete(this);
        }

        @Override
        public void failed(SourceFailure failure) {
            terminals++;
            done.completeExceptionally(failure);
        }
    }

    Answer fetch(FetchRequest request) throws Exception {
        Answer answer = new Answer();
        Fetch fetch = source().get(request, answer);
        answer.head.thenRun(() -> fetch.request(1_000_000));
        try {
            return answer.done.get(30, TimeUnit.SECONDS);
        } catch (ExecutionException e) {
            throw (Exception) e.getCause();
        }
    }

    @Test
    void shouldDeliverAnObject() throws Exception {
        Answer answer = fetch(FetchRequest.of(id(KEY)));
        assertThat(answer.body.toByteArray()).isEqualTo(CONTENT.toBytes());
        ObjectHead head = answer.head.join();
        assertThat(head.status()).isEqualTo(200);
        assertThat(head.contentLength()).hasValue(CONTENT.length());
        assertThat(head.strongETag()).isPresent();
    }

    @Test
    void shouldDeliverAnEmptyObject() throws Exception {
        assertThat(fetch(FetchRequest.of(id("empty"))).body.size()).isZero();
    }

    @Test
    void shouldDeliverRanges() throws Exception {
        for (ByteRange range : List.of(ByteRange.of(0, 0), ByteRange.of(10, 99_999), ByteRange.from(199_999))) {
            Answer answer = fetch(FetchRequest.of(id(KEY)).withRange(Optional.of(range)));
            int end = (int) range.last().orElse(CONTENT.length() - 1) + 1;
            assertThat(answer.body.toByteArray())
                    .isEqualTo(Arrays.copyOfRange(CONTENT.toBytes(), (int) range.first(), end));
            assertThat(answer.head.join().status()).isEqualTo(206);
            assertThat(answer.head.join().contentRange())
                    .contains("bytes " + range.first() + "-" + (end - 1) + "/200000");
        }
    }

    @Test
    void shouldSayThatARangeLiesOutside() {
        assertThatThrownBy(() -> fetch(FetchRequest.of(id(KEY)).withRange(Optional.of(ByteRange.from(200_000)))))
                .isInstanceOfSatisfying(SourceFailure.class, failure -> {
                    assertThat(failure.status()).isEqualTo(416);
                    assertThat(failure.kind()).isEqualTo(SourceFailure.Kind.ANSWER);
                });
    }

    @Test
    void shouldHonourIfMatch() throws Exception {
        String etag = source().head(id(KEY)).get(30, TimeUnit.SECONDS).etag().orElseThrow();
        assertThat(fetch(FetchRequest.of(id(KEY)).withIfMatch(Optional.of(etag)))
                        .body
                        .size())
                .isEqualTo(200_000);
        assertThatThrownBy(() -> fetch(FetchRequest.of(id(KEY)).withIfMatch(Optional.of("\"other\""))))
                .isInstanceOfSatisfying(
                        SourceFailure.class,
                        failure -> assertThat(failure.status()).isEqualTo(412));
    }

    @Test
    void shouldSayWhatIsMissing() {
        assertThatThrownBy(() -> fetch(FetchRequest.of(id("not there"))))
                .isInstanceOfSatisfying(SourceFailure.class, failure -> {
                    assertThat(failure.status()).isEqualTo(404);
                    assertThat(failure.code()).isEqualTo("NoSuchKey");
                })
                .hasMessageContaining("s3://bucket/not there");
        assertThatThrownBy(() -> fetch(FetchRequest.of(new ObjectId("nowhere", "a"))))
                .isInstanceOfSatisfying(
                        SourceFailure.class,
                        failure -> assertThat(failure.code()).isEqualTo("NoSuchBucket"));
        assertThatThrownBy(() -> source().head(id("not there")).get(30, TimeUnit.SECONDS))
                .cause()
                .isInstanceOfSatisfying(
                        SourceFailure.class,
                        failure -> assertThat(failure.status()).isEqualTo(404));
    }

    @Test
    void shouldSendNoMoreThanWasAskedFor() throws Exception {
        Answer answer = new Answer();
        Fetch fetch = source().get(FetchRequest.of(id(KEY)), answer);
        answer.head.get(30, TimeUnit.SECONDS);
        fetch.request(2);
        for (int i = 0; i < 3000 && answer.chunks < 2; i++) {
            Thread.sleep(10);
        }
        fetch(FetchRequest.of(id(KEY))); // all of it, meanwhile
        assertThat(answer.chunks).isEqualTo(2);
        fetch.cancel();
        assertThatThrownBy(() -> answer.done.get(30, TimeUnit.SECONDS))
                .cause()
                .isInstanceOfSatisfying(
                        SourceFailure.class,
                        failure -> assertThat(failure.kind()).isEqualTo(SourceFailure.Kind.CANCELLED));
        fetch.cancel();
        assertThat(answer.terminals).isEqualTo(1);
    }

    @Test
    void shouldListByPrefixAndInPages() throws Exception {
        for (int i = 0; i < 1100; i++) {
            put("list/" + i, Content.of("x"));
        }
        put("list-other", Content.of("y"));
        List<String> keys = new ArrayList<>();
        Optional<String> token = Optional.empty();
        int pages = 0;
        do {
            ListPage page = source().list("bucket", "list/", token);
            page.objects().forEach(object -> {
                keys.add(object.key());
                assertThat(object.size()).isEqualTo(1);
            });
            token = page.nextToken();
            pages++;
        } while (token.isPresent());
        assertThat(pages).isEqualTo(2);
        assertThat(keys).hasSize(1100).doesNotHaveDuplicates().allMatch(key -> key.startsWith("list/"));
        assertThat(source().list("bucket", "no such", Optional.empty()).objects())
                .isEmpty();
        assertThatThrownBy(() -> source().list("nowhere", "", Optional.empty()))
                .isInstanceOfSatisfying(
                        SourceFailure.class,
                        failure -> assertThat(failure.code()).isEqualTo("NoSuchBucket"));
    }

    @Test
    void shouldRefuseWhenClosed() {
        source().close();
        assertThatThrownBy(() -> fetch(FetchRequest.of(id(KEY))))
                .isInstanceOfSatisfying(
                        SourceFailure.class,
                        failure -> assertThat(failure.kind()).isEqualTo(SourceFailure.Kind.CLOSED));
        assertThatThrownBy(() -> source().list("bucket", "", Optional.empty())).isInstanceOf(SourceFailure.class);
    }
}
