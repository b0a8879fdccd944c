// SPDX-License-Identifier: Apache-2.0
package dev.millrace.layers.store;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

class EvictionQueueTest {
    /** Something that can go, while it is listed. */
    private static final class Subject {
        private final String name;
        private final String owner;
        private final long size;
        private long used;
        private boolean inUse;
        private Optional<EvictionQueue.Place<Subject>> place = Optional.empty();

        Subject(String name, String owner, long size, long used, boolean inUse) {
            this.name = name;
            this.owner = owner;
            this.size = size;
            this.used = used;
            this.inUse = inUse;
        }

        EvictionPlan.Candidate<Subject> candidate() {
            return new EvictionPlan.Candidate<>(this, owner, size, used, inUse);
        }

        @Override
        public String toString() {
            return name;
        }
    }

    private final EvictionQueue<Subject> queue = new EvictionQueue<>(
            subject -> subject.place.map(listed -> new EvictionQueue.Use(subject.used, subject.inUse)));

    private void list(Subject subject) {
        subject.place = Optional.of(queue.add(subject, subject.owner, subject.size, subject.used));
    }

    private void take(Subject subject) {
        queue.remove(subject.place.orElseThrow());
        subject.place = Optional.empty();
    }

    private void list(String name, String owner, long used, boolean inUse) {
        list(new Subject(name, owner, 10, used, inUse));
    }

    private List<String> names(long bytes, long minimum) {
        return queue.choose(bytes, bytes, minimum).stream()
                .map(Subject::toString)
                .toList();
    }

    @Test
    void takesLeastRecentlyUsedFirstAndNoMoreThanNeeded() {
        list("c", "t", 3, false);
        list("a", "t", 1, false);
        list("b", "t", 2, false);
        assertThat(names(0, 0)).isEmpty();
        assertThat(names(1, 0)).containsExactly("a");
        assertThat(names(11, 0)).containsExactly("a", "b");
        assertThat(names(1000, 0)).containsExactly("a", "b", "c");
    }

    @Test
    void keepsATenantsMinimumWhileOthersHaveSomethingToGive() {
        list("a", "small", 1, false);
        list("b", "big", 2, false);
        list("c", "big", 3, false);
        assertThat(names(10, 10)).containsExactly("b");
        assertThat(names(20, 10)).containsExactly("b", "a");
        assertThat(names(30, 10)).containsExactly("b", "a", "c");
    }

    @Test
    void takesWhatIsInUseLastSinceItMustBeWaitedFor() {
        list("a", "t", 1, true);
        list("b", "t", 2, false);
        assertThat(names(10, 0)).containsExactly("b");
        assertThat(names(11, 0)).containsExactly("b", "a");
    }

    @Test
    void takesFewerOfThoseInUseWhereOthersThatAreWereAskedAlready() {
        list("a", "t", 1, true);
        list("b", "t", 2, true);
        list("c", "t", 3, false);
        assertThat(queue.choose(20, 20, 0)).extracting(Subject::toString).containsExactly("c", "a");
        assertThat(queue.choose(20, 10, 0)).extracting(Subject::toString).containsExactly("c");
        assertThat(queue.choose(20, -30, 0)).extracting(Subject::toString).containsExactly("c");
        assertThat(queue.choose(30, 20, 0)).extracting(Subject::toString).containsExactly("c", "a");
    }

    @Test
    void hearsOfAUseWhenTheTurnOfWhatWasUsedComes() {
        Subject used = new Subject("used", "t", 10, 1, false);
        list(used);
        list("other", "t", 2, false);
        used.used = 3;
        assertThat(names(10, 0)).containsExactly("other");
        assertThat(names(20, 0)).containsExactly("other", "used");
    }

    @Test
    void choosesAsOneWhoLooksAtAll() {
        for (int seed = 0; seed < 100; seed++) {
            agrees(seed, 300);
        }
    }

    @Test
    @Tag("slow")
    void choosesAsOneWhoLooksAtAllAfterManyChanges() {
        for (int seed = 1000; seed < 1300; seed++) {
            agrees(seed, 3000);
        }
    }

    /** Sizes, uses, comings and goings as a seed says; each choice as {@link EvictionPlan} makes it. */
    private static void agrees(int seed, int steps) {
        EvictionQueueTest test = new EvictionQueueTest();
        Random random = new Random(seed);
        List<Subject> all = new ArrayList<>();
        long minimum = random.nextInt(3) * 20L;
        for (int step = 0; step < steps; step++) {
            int what = random.nextInt(10);
            if (what < 4 || all.isEmpty()) {
                String owner = "tenant " + random.nextInt(4);
                // What comes again was last used at some time before.
                long used = random.nextBoolean() ? step : random.nextInt(step + 1);
                Subject subject = new Subject("step " + step, owner, 1 + random.nextInt(30), used, false);
                // No two of the same moment, of which either may be the first.
                while (all.stream().anyMatch(other -> other.used == subject.used)) {
                    subject.used++;
                }
                test.list(subject);
                all.add(subject);
            } else if (what < 6) {
                Subject subject = all.get(random.nextInt(all.size()));
                subject.used = 100_000L + step;
                subject.inUse = random.nextBoolean();
            } else if (what < 7) {
                Subject subject = all.remove(random.nextInt(all.size()));
                test.take(subject);
            } else {
                long bytes = random.nextInt(80);
                List<Subject> expected =
                        EvictionPlan.choose(all.stream().map(Subject::candidate).toList(), bytes, minimum).stream()
                                .map(EvictionPlan.Candidate::subject)
                                .toList();
                assertThat(test.queue.choose(bytes, bytes, minimum))
                        .as("seed %d, step %d: %d bytes beyond %d", seed, step, bytes, minimum)
                        .containsExactlyElementsOf(expected);
                if (random.nextBoolean()) {
                    expected.forEach(test::take);
                    all.removeAll(expected);
                }
            }
        }
    }

    @Test
    void looksAtThoseThatItTakesAndAtFewOthersHoweverManyThereAre() {
        int count = 100_000;
        int choices = 2_000;
        List<Subject> known = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            Subject subject = new Subject("first " + i, "tenant " + i % 10, 10, i, false);
            list(subject);
            known.add(subject);
        }
        // The oldest of all are a tenant's that has its minimum: they are passed over without a look at each.
        for (int i = 0; i < 1000; i++) {
            list(new Subject("small " + i, "small", 10, -1000 + i, false));
        }
        long reads = 0;
        Random random = new Random(1);
        for (int i = 0; i < choices; i++) {
            List<Subject> chosen = queue.choose(10, 10, 10_000);
            assertThat(chosen).hasSize(1);
            take(chosen.get(0));
            list(new Subject("new " + i, "tenant " + i % 10, 10, count + 2L * i, false));
            Subject read = known.get(random.nextInt(known.size()));
            read.used = count + 2L * i + 1;
            reads++;
        }
        // A look at all for each choice would be 2 000 times 101 000. Each begins with one look for each of 11 tenants.
        assertThat(queue.questions()).isLessThanOrEqualTo(choices * 12L + reads);
    }

    @Test
    void holdsNothingOfWhatHasLeft() {
        Subject subject = new Subject("a", "t", 10, 1, false);
        list(subject);
        assertThat(queue.choose(1, 1, 0)).containsExactly(subject);
        take(subject);
        assertThat(queue.choose(1, 1, 0)).isEmpty();
        list(subject);
        assertThat(queue.choose(1, 1, 0)).containsExactly(subject);
    }
}
