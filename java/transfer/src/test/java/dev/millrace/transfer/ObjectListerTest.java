// SPDX-License-Identifier: Apache-2.0
package dev.millrace.transfer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.function.Function;
import org.junit.jupiter.api.Test;

class ObjectListerTest {
    /** A store that can be listed only. */
    private static final class Listed implements ObjectSource {
        private final Function<Integer, ListPage> pages;
        private final List<Integer> asked = new ArrayList<>();
        private int failures;

        Listed(Function<Integer, ListPage> pages) {
            this.pages = pages;
        }

        @Override
        public String name() {
            return "a test";
        }

        @Override
        public Fetch get(FetchRequest request, FetchListener listener) {
            throw new UnsupportedOperationException();
        }

        @Override
        public CompletableFuture<ObjectHead> head(FetchRequest request) {
            throw new UnsupportedOperationException();
        }

        @Override
        public ListPage list(String bucket, String prefix, Optional<String> token) throws SourceFailure {
            if (failures-- > 0) {
                throw SourceFailure.of(SourceFailure.Kind.ANSWER, "busy")
                        .answer(503, "SlowDown")
                        .build();
            }
            int number = token.map(Integer::parseInt).orElse(0);
            asked.add(number);
            return pages.apply(number);
        }

        @Override
        public void close() {}
    }

    private static ListPage page(Optional<String> next, String... keys) {
        return new ListPage(
                Arrays.stream(keys)
                        .map(key -> new ListedObject(key, 1, Optional.empty(), Optional.empty()))
                        .toList(),
                next);
    }

    private static List<String> all(ObjectLister lister) throws SourceFailure {
        List<String> keys = new ArrayList<>();
        for (Optional<ListedObject> next = lister.next(); next.isPresent(); next = lister.next()) {
            keys.add(next.get().key());
        }
        return keys;
    }

    private static ObjectLister lister(ObjectSource source) {
        return new ObjectLister(source, "b", "", () -> false);
    }

    @Test
    void pagesToTheEndInOrderAndWithoutRepeats() throws SourceFailure {
        Listed source = new Listed(number -> switch (number) {
            case 0 -> page(Optional.of("1"), "c", "a", "b");
            case 1 -> page(Optional.of("2"));
            case 2 -> page(Optional.of("3"), "c", "d", "d");
            default -> page(Optional.empty(), "e");
        });
        assertThat(all(lister(source))).containsExactly("a", "b", "c", "d", "e");
        assertThat(source.asked).containsExactly(0, 1, 2, 3);
    }

    @Test
    void keysAreInTheOrderOfTheirBytes() throws SourceFailure {
        String beyond = "\ud83d\ude00"; // U+1F600: above U+FF5E in bytes, below it as chars
        assertThat(all(lister(new Listed(number -> page(Optional.empty(), beyond, "\uff5e", "a/b", "a-", "a")))))
                .containsExactly("a", "a-", "a/b", "\uff5e", beyond);
    }

    @Test
    void theSameTokenTwiceIsAnError() {
        Listed stuck = new Listed(number -> page(Optional.of("1"), "a"));
        assertThatThrownBy(() -> all(lister(stuck))).hasMessageContaining("the same continuation token came twice");
        assertThat(stuck.asked).hasSizeLessThan(4);
    }

    @Test
    void aCircleOfTokensEndsInBoundedRequests() {
        Listed circle = new Listed(number -> page(Optional.of(Integer.toString((number + 1) % 7)), "a"));
        assertThatThrownBy(() -> all(lister(circle))).hasMessageContaining("the same continuation token came twice");
        assertThat(circle.asked).hasSizeLessThan(30);
    }

    @Test
    void endlessEmptyPagesAreAnError() {
        Listed empty = new Listed(number -> page(Optional.of(Integer.toString(number + 1))));
        assertThatThrownBy(() -> all(lister(empty))).hasMessageContaining("held no key");
        assertThat(empty.asked).hasSizeLessThan(1100);
    }

    @Test
    void aBusyStoreIsAskedAgain() throws SourceFailure {
        Listed source = new Listed(number -> page(Optional.empty(), "a"));
        source.failures = 2;
        assertThat(all(lister(source))).containsExactly("a");
        source.failures = 1000;
        assertThatThrownBy(() -> all(new ObjectLister(source, "b", "", () -> true)))
                .hasMessageContaining("busy");
        assertThat(source.failures).isEqualTo(999);
    }

    @Test
    void aKeyOutsideThePrefixIsAnError() {
        Listed source = new Listed(number -> page(Optional.empty(), "x"));
        assertThatThrownBy(() -> all(new ObjectLister(source, "b", "p/", () -> false)))
                .hasMessageContaining("does not begin with the prefix");
    }
}
