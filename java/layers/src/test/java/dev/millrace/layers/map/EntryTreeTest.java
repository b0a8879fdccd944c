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
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.TreeSet;
import java.util.function.Predicate;
import org.junit.jupiter.api.Test;

/** A tree of more layers than one node has, against a list of them in order. */
class EntryTreeTest {
    private static final int VERSIONS = 400;
    private static final long HALF = 200;
    private static final int MOST = 3000;

    private final Random random = new Random(5);
    private final TreeSet<Entry<LayerName>> model = new TreeSet<>();
    private EntryTree<LayerName> tree;

    private Entry<LayerName> any() {
        int start = random.nextInt(30);
        KeyRange keys = new KeyRange(new LayerKey(0, 0, start), new LayerKey(0, 0, start + 1 + random.nextInt(10)));
        // Near both ends of what a version can be, which is unsigned.
        long from = random.nextInt(VERSIONS) - HALF;
        if (random.nextInt(3) == 0) {
            LayerName.Image image = new LayerName.Image(keys, new Lsn(from));
            return Entry.of(image, image);
        }
        long to = from + 1 + random.nextInt(20);
        if (Long.compareUnsigned(from, to) >= 0) {
            to = -1;
            from = Math.min(from, -2);
        }
        LayerName.Delta delta = new LayerName.Delta(keys, new LsnRange(new Lsn(from), new Lsn(to)));
        return Entry.of(delta, delta);
    }

    private void add() {
        Entry<LayerName> entry = any();
        if (model.add(entry)) {
            tree = EntryTree.with(tree, entry);
        }
    }

    private void remove() {
        List<Entry<LayerName>> all = List.copyOf(model);
        Entry<LayerName> entry = all.get(random.nextInt(all.size()));
        model.remove(entry);
        tree = EntryTree.without(tree, entry);
    }

    private static List<Entry<LayerName>> list(EntryTree<LayerName> tree) {
        List<Entry<LayerName>> all = new ArrayList<>();
        for (Iterator<Entry<LayerName>> entries = EntryTree.iterator(tree); entries.hasNext(); ) {
            all.add(entries.next());
        }
        return all;
    }

    private static Optional<Entry<LayerName>> first(
            Iterable<Entry<LayerName>> all, Predicate<Entry<LayerName>> wanted) {
        for (Entry<LayerName> entry : all) {
            if (wanted.test(entry)) {
                return Optional.of(entry);
            }
        }
        return Optional.empty();
    }

    private void check() {
        assertThat(list(tree)).containsExactlyElementsOf(model);
        for (int i = 0; i < 60; i++) {
            long lsn = i == 0 ? -1L : random.nextInt(VERSIONS + 20) - HALF - 10;
            Predicate<Entry<LayerName>> reaches = entry -> Long.compareUnsigned(entry.oldest, lsn) <= 0;
            assertThat(Optional.ofNullable(EntryTree.first(tree, lsn))).isEqualTo(first(model, reaches));
            assertThat(Optional.ofNullable(EntryTree.imageAt(tree, lsn)))
                    .isEqualTo(first(model, entry -> entry.image && entry.newest == lsn));
            // Behind one that is there, and where one would be that is not.
            Entry<LayerName> behind = any();
            assertThat(Optional.ofNullable(EntryTree.next(tree, behind, lsn)))
                    .isEqualTo(first(model.tailSet(behind, false), reaches));
            Entry<LayerName> there = model.ceiling(behind);
            if (there != null) {
                assertThat(Optional.ofNullable(EntryTree.next(tree, there, lsn)))
                        .isEqualTo(first(model.tailSet(there, false), reaches));
            }
        }
    }

    @Test
    void answersAsAListAfterAnyChanges() {
        check();
        while (model.size() < MOST) {
            add();
            if (random.nextInt(4) == 0) {
                remove();
            }
            if (model.size() % 250 == 0) {
                check();
            }
        }
        EntryTree<LayerName> full = tree;
        List<Entry<LayerName>> then = List.copyOf(model);
        while (!model.isEmpty()) {
            remove();
            if (random.nextInt(4) == 0) {
                add();
            }
            if (model.size() % 250 == 0 || model.size() < 3) {
                check();
            }
        }
        assertThat(tree).isNull();
        // Who holds a tree sees it as it was.
        assertThat(list(full)).containsExactlyElementsOf(then);
    }

    @Test
    void isBuiltAtOnceAsOneByOne() {
        for (int size : new int[] {0, 1, 2, 31, 32, 33, 48, 49, 600, 1100}) {
            model.clear();
            while (model.size() < size) {
                model.add(any());
            }
            tree = EntryTree.ofSorted(List.copyOf(model));
            check();
            add();
            add();
            check();
        }
    }

    @Test
    void refusesToTakeOutWhatIsNotInIt() {
        Entry<LayerName> entry = any();
        assertThatThrownBy(() -> EntryTree.without(tree, entry)).isInstanceOf(IllegalStateException.class);
        for (int i = 0; i < 100; i++) {
            add();
        }
        if (model.remove(entry)) {
            tree = EntryTree.without(tree, entry);
        }
        assertThatThrownBy(() -> EntryTree.without(tree, entry))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("not in its place");
    }
}
