// SPDX-License-Identifier: Apache-2.0
package dev.millrace.layers.map;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.millrace.layers.KeyRange;
import dev.millrace.layers.LayerKey;
import dev.millrace.layers.LayerName;
import dev.millrace.layers.Lsn;
import dev.millrace.layers.LsnRange;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

class LayerMapTest {
    private final LayerMap<LayerName> map = new LayerMap<>();

    private static LayerKey key(int number) {
        return new LayerKey(0, number >> 16, number & 0xffff);
    }

    private static LayerName.Delta delta(int start, int end, long from, long to) {
        return new LayerName.Delta(new KeyRange(key(start), key(end)), new LsnRange(new Lsn(from), new Lsn(to)));
    }

    private static LayerName.Image image(int start, int end, long lsn) {
        return new LayerName.Image(new KeyRange(key(start), key(end)), new Lsn(lsn));
    }

    private static <T> List<T> list(Iterator<T> iterator) {
        List<T> all = new ArrayList<>();
        iterator.forEachRemaining(all::add);
        return all;
    }

    private void insert(LayerName... names) {
        for (LayerName name : names) {
            assertThat(map.insert(name, name)).isTrue();
        }
    }

    private List<LayerName> search(int key, long lsn) {
        return list(map.search(key(key), new Lsn(lsn)));
    }

    @Test
    void findsDeltasDownToTheNewestImage() {
        insert(delta(0, 9, 10, 20), delta(0, 9, 20, 30), image(0, 5, 20), image(0, 9, 5), delta(0, 9, 30, 40));
        assertThat(search(3, 100)).containsExactly(delta(0, 9, 30, 40), delta(0, 9, 20, 30), image(0, 5, 20));
        assertThat(search(7, 35))
                .containsExactly(delta(0, 9, 30, 40), delta(0, 9, 20, 30), delta(0, 9, 10, 20), image(0, 9, 5));
        assertThat(search(3, 4)).isEmpty();
        assertThat(search(9, 100)).isEmpty();
    }

    @Test
    void readsADeltaThatStraddlesAnImageOnlyForVersionsAboveIt() {
        insert(delta(0, 9, 10, 30), image(0, 9, 20));
        assertThat(search(1, 19)).containsExactly(delta(0, 9, 10, 30));
        assertThat(search(1, 20)).containsExactly(image(0, 9, 20));
        assertThat(search(1, 21)).containsExactly(delta(0, 9, 10, 30), image(0, 9, 20));
        // Its last version is 29, which the image has too.
        insert(image(0, 9, 29));
        assertThat(search(1, 50)).containsExactly(image(0, 9, 29));
    }

    @Test
    void findsDeltasThatLieWithinOthers() {
        insert(delta(0, 9, 10, 50), delta(2, 4, 20, 30), delta(0, 9, 5, 25));
        assertThat(search(3, 60)).containsExactly(delta(0, 9, 10, 50), delta(2, 4, 20, 30), delta(0, 9, 5, 25));
        assertThat(search(3, 15)).containsExactly(delta(0, 9, 10, 50), delta(0, 9, 5, 25));
    }

    @Test
    void knowsTheEndsOfKeysAndVersions() {
        LayerName.Delta all = new LayerName.Delta(KeyRange.ALL, new LsnRange(Lsn.ZERO, Lsn.MAX));
        LayerName.Image last = new LayerName.Image(KeyRange.ALL, Lsn.MAX);
        insert(all, last);
        assertThat(list(map.search(LayerKey.MIN, Lsn.MAX))).containsExactly(last);
        assertThat(list(map.search(LayerKey.MIN, new Lsn(-2)))).containsExactly(all);
        assertThat(list(map.search(LayerKey.MIN, Lsn.ZERO))).containsExactly(all);
        assertThat(list(map.search(LayerKey.MAX, Lsn.MAX))).isEmpty();
        assertThatThrownBy(() -> map.search(LayerKey.MAX, Lsn.MAX).next()).hasMessageContaining("no more layers");
    }

    @Test
    void findsByNameListsInOneOrderAndKeepsBlobsApart() {
        LayerName.Blob blob = new LayerName.Blob("segment-17");
        LayerName.Blob other = new LayerName.Blob("a");
        insert(blob, image(0, 9, 5), other, delta(0, 9, 1, 3));
        assertThat(map.insert(blob, blob)).isFalse();
        assertThat(map.insert(image(0, 9, 5), blob)).isFalse();
        assertThat(map.find(blob)).contains(blob);
        assertThat(map.find(image(0, 9, 5))).contains(image(0, 9, 5));
        assertThat(map.find(image(0, 9, 6))).isEmpty();
        assertThat(list(map.historic())).containsExactly(image(0, 9, 5), delta(0, 9, 1, 3));
        assertThat(list(map.blobs())).containsExactly(other, blob);
        assertThat(map.size()).isEqualTo(4);
        assertThat(map.remove(blob)).contains(blob);
        assertThat(map.remove(blob)).isEmpty();
        assertThat(map.remove(delta(0, 9, 1, 3))).isPresent();
        assertThat(map.remove(delta(0, 9, 1, 3))).isEmpty();
        assertThat(list(map.historic())).containsExactly(image(0, 9, 5));
        assertThat(list(map.blobs())).containsExactly(other);
    }

    @Test
    void changesNothingWhereAnAddedNameIsThere() {
        insert(image(0, 9, 5), new LayerName.Blob("a"));
        assertThatThrownBy(() -> map.update(
                        Set.of(new LayerName.Blob("a")),
                        Map.of(image(0, 9, 5), image(0, 9, 5), image(0, 9, 6), image(0, 9, 6))))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("already");
        assertThat(map.size()).isEqualTo(2);
        map.update(Set.of(image(0, 9, 5)), Map.of(image(0, 9, 5), image(0, 9, 5)));
        assertThat(search(1, 9)).containsExactly(image(0, 9, 5));
    }

    @Test
    void answersAsABruteForceSearchAfterAnyChanges() {
        for (int seed = 0; seed < 250; seed++) {
            agrees(seed, 40, 8);
        }
    }

    @Test
    @Tag("slow")
    void answersAsABruteForceSearchAfterManyChanges() {
        for (int seed = 1000; seed < 4000; seed++) {
            agrees(seed, 150, 8 + seed % 13);
        }
    }

    private static void agrees(int seed, int changes, int universe) {
        Random random = new Random(seed);
        LayerMap<LayerName> map = new LayerMap<>();
        List<LayerName> model = new ArrayList<>();
        for (int change = 0; change < changes; change++) {
            int what = random.nextInt(10);
            if (what < 6) {
                LayerName name = any(random, universe);
                boolean isNew = !model.contains(name);
                assertThat(map.insert(name, name)).isEqualTo(isNew);
                if (isNew) {
                    model.add(name);
                }
            } else if (what < 9 && !model.isEmpty()) {
                LayerName name = model.remove(random.nextInt(model.size()));
                assertThat(map.remove(name)).isEqualTo(Optional.of(name));
            } else {
                Map<LayerName, LayerName> added = new HashMap<>();
                List<LayerName> removed = new ArrayList<>();
                for (int i = random.nextInt(6); i > 0; i--) {
                    LayerName name = any(random, universe);
                    if (!model.contains(name)) {
                        added.put(name, name);
                    }
                }
                for (int i = random.nextInt(3); i > 0 && !model.isEmpty(); i--) {
                    removed.add(model.remove(random.nextInt(model.size())));
                }
                model.addAll(added.keySet());
                map.update(removed, added);
            }
            if (change % 4 == 3) {
                check(map, model, universe, seed);
            }
        }
    }

    private static void check(LayerMap<LayerName> map, List<LayerName> model, int universe, int seed) {
        for (int key = 0; key <= universe; key++) {
            for (int lsn = 0; lsn <= universe + 1; lsn++) {
                List<LayerName> found = list(map.search(key(key), new Lsn(lsn)));
                List<LayerName> expected = bruteForce(model, key(key), lsn);
                if (!found.equals(expected)) {
                    throw new AssertionError("seed " + seed + ", key " + key + ", LSN " + lsn + ": found " + found
                            + " of " + model + ", not " + expected);
                }
            }
        }
        assertThat(list(map.historic()))
                .containsExactlyElementsOf(model.stream().sorted(ORDER).toList());
        assertThat(map.size()).isEqualTo(model.size());
    }

    private static LayerName any(Random random, int universe) {
        int start = random.nextInt(universe);
        int end = start + 1 + random.nextInt(universe - start);
        int from = random.nextInt(universe);
        return random.nextInt(3) == 0
                ? image(start, end, from)
                : delta(start, end, from, from + 1 + random.nextInt(universe - from));
    }

    private static KeyRange keys(LayerName name) {
        return name instanceof LayerName.Image image ? image.keys() : ((LayerName.Delta) name).keys();
    }

    private static long oldest(LayerName name) {
        return name instanceof LayerName.Image image
                ? image.lsn().value()
                : ((LayerName.Delta) name).lsns().start().value();
    }

    private static long newest(LayerName name) {
        return name instanceof LayerName.Image image
                ? image.lsn().value()
                : ((LayerName.Delta) name).lsns().end().value() - 1;
    }

    private static final Comparator<LayerName> ORDER = Comparator.comparingLong((LayerName name) -> -newest(name))
            .thenComparing(LayerName::kind)
            .thenComparingLong(name -> -oldest(name))
            .thenComparing(name -> keys(name).start())
            .thenComparing(name -> keys(name).end());

    /** By the words of what is asked, version by version. */
    private static List<LayerName> bruteForce(List<LayerName> model, LayerKey key, long lsn) {
        List<LayerName> ofKey = model.stream()
                .filter(name -> keys(name).contains(key))
                .sorted(ORDER)
                .toList();
        Optional<LayerName> image = ofKey.stream()
                .filter(name -> name instanceof LayerName.Image && newest(name) <= lsn)
                .findFirst();
        long floor = image.map(LayerMapTest::newest).orElse(-1L);
        List<LayerName> found = new ArrayList<>();
        for (LayerName name : ofKey) {
            boolean useful = false;
            for (long version = floor + 1; version <= lsn; version++) {
                useful |= name instanceof LayerName.Delta delta && delta.lsns().contains(new Lsn(version));
            }
            if (useful) {
                found.add(name);
            }
        }
        image.ifPresent(found::add);
        return found;
    }

    @Test
    void staysShallowWhateverTheOrder() {
        int layers = 2000;
        for (int i = 0; i < layers; i++) {
            insert(image(i * 2, i * 2 + 1, 5));
        }
        // 2 * 2000 + 1 ranges: a perfect tree has 13 levels.
        assertThat(map.ranges()).isEqualTo(2 * layers);
        assertThat(map.depth()).isLessThanOrEqualTo(30);
        for (int i = 0; i < layers; i++) {
            assertThat(search(i * 2, 9)).containsExactly(image(i * 2, i * 2 + 1, 5));
            assertThat(search(i * 2 + 1, 9)).isEmpty();
        }
    }

    @Test
    void forgetsTheRangesOfLayersThatAreGone() {
        for (int i = 0; i < 3000; i++) {
            insert(delta(i, i + 3, i, i + 2));
            if (i >= 10) {
                map.remove(delta(i - 10, i - 7, i - 10, i - 8));
            }
            assertThat(map.ranges()).isLessThan(4 * 11 + 70);
        }
        assertThat(map.size()).isEqualTo(10);
    }

    @Test
    void readersSeeAllOfAnUpdateOrNothing() throws InterruptedException {
        LayerName before = image(0, 100, 5);
        insert(before);
        AtomicBoolean stop = new AtomicBoolean();
        AtomicReference<Object> wrong = new AtomicReference<>("none");
        Thread reader = new Thread(() -> {
            while (!stop.get()) {
                List<LayerName> found = search(50, 9);
                List<LayerName> listed = list(map.historic());
                if (found.size() != 1
                        || listed.stream()
                                        .filter(name -> keys(name).contains(key(50)))
                                        .count()
                                != 1) {
                    wrong.set(found + " and " + listed);
                }
            }
        });
        reader.start();
        for (int i = 1; i < 2000; i++) {
            LayerName after = image(i % 50, 60 + i % 30, 5 + i % 3);
            map.update(Set.of(before), Map.of(after, after));
            before = after;
        }
        stop.set(true);
        reader.join();
        assertThat(wrong.get()).isEqualTo("none");
    }
}
